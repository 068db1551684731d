"""The right mouse or pen button paints the other kind of seeds."""

import slicer

# Before the segment editor's own observers, which have priority 1.
_PRIORITY = 10.0


class RightButton:
    """While a brush is active, turns right-button strokes into strokes of the other kind.

    The slice views get left-button events instead, so that the brush paints as always. Views come
    and go with the layout, which is followed.
    """

    def __init__(self, seedEditor):
        """Take the editor whose strokes are meant."""
        self._editor = seedEditor
        self._observed = []
        self._painting = False
        self._layout = None
        self.enabled = True

    def install(self):
        """Follow the slice views of the layout, and of each one that is chosen later."""
        self.remove()
        self._layout = slicer.app.layoutManager()
        if self._layout is not None:
            self._layout.connect("layoutChanged(int)", self._onLayout)
            self._observeViews()

    def remove(self):
        """Let go of the views."""
        if self._layout is not None:
            self._layout.disconnect("layoutChanged(int)", self._onLayout)
            self._layout = None
        self._releaseViews()

    def _onLayout(self, layout):
        self._releaseViews()
        self._observeViews()

    def _observeViews(self):
        handlers = {
            "RightButtonPressEvent": self._onPress,
            "RightButtonReleaseEvent": self._onRelease,
        }
        layout = self._layout
        for name in layout.sliceViewNames():
            interactor = layout.sliceWidget(name).sliceView().interactor()
            for event, handler in handlers.items():
                tag = interactor.AddObserver(event, handler, _PRIORITY)
                self._observed.append((interactor, event, tag))

    def _releaseViews(self):
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
