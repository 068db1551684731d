"""The right mouse or pen button paints the other kind of seeds."""

import slicer
import vtk

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
        events = vtk.vtkCommand
        for interactor in _sliceViewInteractors() if interactors is None else interactors:
            for event, handler in (
                (events.RightButtonPressEvent, self._onPress),
                (events.RightButtonReleaseEvent, self._onRelease),
            ):
                self._observed.append(
                    (interactor, interactor.AddObserver(event, handler, _PRIORITY))
                )

    def remove(self):
        """Let go of the views."""
        for interactor, tag in self._observed:
            interactor.RemoveObserver(tag)
        self._observed = []

    def _onPress(self, interactor, event):
        if not self.enabled or self._activeEffect() not in ("Paint", "Erase"):
            return
        self._painting = True
        self._editor.toggle()
        self._instead(interactor, "RightButtonPressEvent", "LeftButtonPressEvent")

    def _onRelease(self, interactor, event):
        if not self._painting:
            return
        self._painting = False
        self._instead(interactor, "RightButtonReleaseEvent", "LeftButtonReleaseEvent")
        self._editor.toggle()

    def _instead(self, interactor, event, other):
        for observed, tag in self._observed:
            if observed is interactor and interactor.HasObserver(event):
                command = interactor.GetCommand(tag)
                if command is not None:
                    command.AbortFlagOn()
        interactor.InvokeEvent(other)

    def _activeEffect(self):
        effect = self._editor.widget.activeEffect()
        return getattr(effect, "name", effect) if effect else None


def _sliceViewInteractors():
    layout = slicer.app.layoutManager()
    if layout is None:
        return []
    return [layout.sliceWidget(n).sliceView().interactor() for n in layout.sliceViewNames()]
