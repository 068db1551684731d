"""The right mouse or pen button paints the other kind of seeds."""

import slicer

# Before the segment editor's own observers, which have priority 1.
_PRIORITY = 10.0


class RightButton:
    """While a brush is active, turns right-button strokes into strokes of the other kind.

    The slice views get left-button events instead, so that the brush paints as always.
    """

    def __init__(self, seedEditor):
        """Take the editor whose strokes are meant."""
        self._editor = seedEditor
        self._observed = []
        self._painting = False
        self.enabled = True

    def install(self, interactors=None):
        """Follow the slice views.

        Args:
            interactors: of the views; those of the current layout when None.
        """
        self.remove()
        handlers = {
            "RightButtonPressEvent": self._onPress,
            "RightButtonReleaseEvent": self._onRelease,
        }
        for interactor in _sliceViewInteractors() if interactors is None else interactors:
            for event, handler in handlers.items():
                tag = interactor.AddObserver(event, handler, _PRIORITY)
                self._observed.append((interactor, event, tag))

    def remove(self):
        """Let go of the views."""
        for interactor, _event, tag in self._observed:
            interactor.RemoveObserver(tag)
        self._observed = []

    def _onPress(self, interactor, event):
        if not self.enabled or self._activeEffect() not in ("Paint", "Erase"):
            return
        self._painting = True
        self._editor.toggle()
        self._instead(interactor, event, "LeftButtonPressEvent")

    def _onRelease(self, interactor, event):
        if not self._painting:
            return
        self._painting = False
        self._instead(interactor, event, "LeftButtonReleaseEvent")
        self._editor.toggle()

    def _instead(self, interactor, event, other):
        """Keep an event from all other observers, and give them another one."""
        for observed, observedEvent, tag in self._observed:
            if observed is interactor and observedEvent == event:
                interactor.GetCommand(tag).SetAbortFlag(1)
        interactor.InvokeEvent(other)

    def _activeEffect(self):
        effect = self._editor.widget.activeEffect()
        return getattr(effect, "name", effect) if effect else None


def _sliceViewInteractors():
    layout = slicer.app.layoutManager()
    if layout is None:
        return []
    return [layout.sliceWidget(n).sliceView().interactor() for n in layout.sliceViewNames()]
