"""The right mouse or pen button paints the other kind of seeds."""

from __future__ import annotations

from typing import Any

from DeepIGeoSPanel.slice_view_events import SliceViewEvents

_PRIORITY = 10.0  # before the segment editor


class RightButton:
    """While a brush is active, turns right-button strokes into strokes of the other kind.

    The slice views get left-button events instead, so that the brush paints as always.
    """

    def __init__(self, seedEditor: Any) -> None:
        """Take the editor whose strokes are meant."""
        self._editor = seedEditor
        self._painting = False
        self._views = SliceViewEvents(
            {"RightButtonPressEvent": self._onPress, "RightButtonReleaseEvent": self._onRelease},
            _PRIORITY,
        )
        self.enabled = True

    def install(self) -> None:
        """Follow the slice views."""
        self._views.install()

    def remove(self) -> None:
        """Let go of the views."""
        self._views.remove()

    def _onPress(self, view: Any, interactor: Any) -> None:
        if not self.enabled or self._editor.brush not in ("Paint", "Erase"):
            return
        self._painting = True
        self._editor.toggle()
        self._views.keep(interactor, "RightButtonPressEvent")
        interactor.InvokeEvent("LeftButtonPressEvent")

    def _onRelease(self, view: Any, interactor: Any) -> None:
        if not self._painting:
            return
        self._painting = False
        self._views.keep(interactor, "RightButtonReleaseEvent")
        interactor.InvokeEvent("LeftButtonReleaseEvent")
        self._editor.toggle()
