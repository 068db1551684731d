"""Strokes on views that are oblique to the volume cover what the user saw below the brush."""

from __future__ import annotations

from typing import Any

from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.seed_editor import FOREGROUND
from DeepIGeoSPanel.slice_view_events import SliceViewEvents

_PRIORITY = 5.0  # before the segment editor, which keeps events for itself; after the right button


class ObliqueStrokes:
    """Follows the mouse while Paint or Erase is active, and completes the stroke at its end."""

    def __init__(self, seedEditor: Any, brush: Any, workbench: Any) -> None:
        """Take the editor that paints, its ``BrushOptions``, and what has the volume and seeds."""
        self._editor = seedEditor
        self._brush = brush
        self._workbench = workbench
        self._stroke: Any = None
        self._events = SliceViewEvents(
            {
                "LeftButtonPressEvent": self._onPress,
                "MouseMoveEvent": self._onMove,
                "LeftButtonReleaseEvent": self._onRelease,
            },
            _PRIORITY,
        )

    def install(self) -> None:
        """Follow the slice views."""
        self._events.install()

    def remove(self) -> None:
        """Let go of the views."""
        self._stroke = None
        self._events.remove()

    def _onPress(self, view: Any, interactor: Any) -> None:
        self._stroke = None
        volumeNode, brush = self._workbench.volumeNode, self._editor.brush
        modified = interactor.GetShiftKey() or interactor.GetControlKey() or interactor.GetAltKey()
        if volumeNode is None or brush not in ("Paint", "Erase") or modified:
            return
        isAligned = importLibrary("DeepIGeoSLib.scene.slice_views").isAligned
        if not isAligned(view.mrmlSliceNode(), volumeNode):
            self._stroke = (view, brush == "Erase", self._editor.polarity == FOREGROUND, [])
            self._addPoint(interactor)

    def _onMove(self, view: Any, interactor: Any) -> None:
        if self._stroke is not None and self._stroke[0] is view:
            self._addPoint(interactor)

    def _onRelease(self, view: Any, interactor: Any) -> None:
        if self._stroke is None or self._stroke[0] is not view:
            return
        _view, erase, foreground, points = self._stroke
        self._stroke = None
        normal = importLibrary("DeepIGeoSLib.scene.slice_views").viewNormal(view.mrmlSliceNode())
        self._workbench.completeStroke(
            points, self._brush.diameter / 2, foreground, normal=normal, erase=erase
        )

    def _addPoint(self, interactor: Any) -> None:
        view, _erase, _foreground, points = self._stroke
        sliceView = view.sliceView()
        position = sliceView.convertDeviceToXYZ(interactor.GetEventPosition())
        points.append(tuple(sliceView.convertXYZToRAS(position)))
