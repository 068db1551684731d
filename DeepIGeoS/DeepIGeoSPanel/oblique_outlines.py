"""Outlines of Draw on views that are oblique to the volume cover what the user saw inside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt

from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.seed_editor import FOREGROUND
from DeepIGeoSPanel.slice_view_events import SliceViewEvents

_PRIORITY = 5.0  # before the segment editor, which keeps events for itself


class ObliqueOutlines:
    """Notes an outline that is about to be closed, and completes it when Draw has filled it."""

    def __init__(self, seedEditor: Any, workbench: Any) -> None:
        """Take the editor that draws, and what has the volume and seeds."""
        self._editor = seedEditor
        self._workbench = workbench
        self._events = SliceViewEvents(
            {
                "RightButtonReleaseEvent": self._onClosing,
                "LeftButtonDoubleClickEvent": self._onClosing,
                "KeyPressEvent": self._onKey,
            },
            _PRIORITY,
        )

    def install(self) -> None:
        """Follow the slice views."""
        self._events.install()

    def remove(self) -> None:
        """Let go of the views."""
        self._events.remove()

    def _onKey(self, view: Any, interactor: Any) -> None:
        if interactor.GetKeySym() in ("a", "Return"):
            self._onClosing(view, interactor)

    def _onClosing(self, view: Any, interactor: Any) -> None:
        volumeNode = self._workbench.volumeNode
        if volumeNode is None or self._editor.brush != "Draw":
            return
        outline = self._editor.outlineIn(view)
        if outline is None or outline.GetNumberOfPoints() < 3:
            return
        views = importLibrary("DeepIGeoSLib.scene.slice_views")
        node = view.mrmlSliceNode()
        if views.isAligned(node, volumeNode):
            return
        points = [outline.GetPoint(number) for number in range(outline.GetNumberOfPoints())]
        # Draw fills it in the plane that is shown now, wherever its points were clicked.
        closed = (
            views.ontoPlane(node, points),
            self._editor.polarity == FOREGROUND,
            views.viewNormal(node),
        )
        qt.QTimer.singleShot(0, lambda: self._complete(outline, *closed))

    def _complete(
        self,
        outline: Any,
        points: Sequence[Sequence[float]],
        foreground: bool,
        normal: Sequence[float],
    ) -> None:
        """Draw has handled the event by now; when it has filled the outline, no point is left."""
        if outline.GetNumberOfPoints() == 0:
            self._workbench.completeOutline(points, foreground, normal)
