"""Slicer's Draw effect, as far as a mouse and an extension can tell.

Each slice view has an outline of its own, of which only this effect knows the points. It is filled
in the pixels of the view, one pixel thick, as the view is when the outline is closed.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import slicer
import vtk


class DrawEffect:
    """Adds points by the left button, and fills the outline by right click, double click or key."""

    name = "Draw"

    def __init__(self, editor: Any) -> None:
        self._editor = editor
        self.drawPipelines: dict[Any, SimpleNamespace] = {}

    def self(self) -> Any:
        return self

    def processInteractionEvents(self, interactor: Any, event: str, view: Any) -> bool:
        """Handle an event; return whether it is used up."""
        outline = self.drawPipelines.setdefault(
            view, SimpleNamespace(rasPoints=vtk.vtkPoints(), state="")
        )
        points = outline.rasPoints
        modified = interactor.GetShiftKey() or interactor.GetControlKey() or interactor.GetAltKey()
        key = interactor.GetKeySym() if event == "KeyPressEvent" else ""
        if event == "LeftButtonPressEvent" and not modified:
            outline.state = "drawing"
        elif event == "RightButtonPressEvent" and not modified:
            outline.state = "finishing"
        elif event == "LeftButtonReleaseEvent" and outline.state == "drawing":
            outline.state = ""
            return True
        elif (event == "RightButtonReleaseEvent" and outline.state == "finishing") or (
            event == "LeftButtonDoubleClickEvent" and not modified
        ):
            outline.state = ""
            several = points.GetNumberOfPoints() > 1
            self._fill(points, view)
            return several
        elif key in ("a", "Return"):
            self._fill(points, view)
        elif key == "x":
            points.SetNumberOfPoints(max(points.GetNumberOfPoints() - 1, 0))
        elif not (event == "MouseMoveEvent" and outline.state == "drawing"):
            return False
        if outline.state == "drawing":
            position = view.sliceView().convertDeviceToXYZ(interactor.GetEventPosition())
            points.InsertNextPoint(view.sliceView().convertXYZToRAS(position))
        return True

    def _fill(self, points: Any, view: Any) -> None:
        count = points.GetNumberOfPoints()
        if count < 2:
            points.Reset()
            return
        node = view.mrmlSliceNode()
        toPixels = vtk.vtkTransform()
        toPixels.SetMatrix(node.GetXYToRAS())
        toPixels.Inverse()
        pixels, lines = vtk.vtkPoints(), vtk.vtkCellArray()
        toPixels.TransformPoints(points, pixels)
        for number in range(count):
            lines.InsertNextCell(2)
            lines.InsertCellPoint(number)
            lines.InsertCellPoint((number + 1) % count)
        points.Reset()
        outline = vtk.vtkPolyData()
        outline.SetPoints(pixels)
        outline.SetLines(lines)
        segmentation = self._editor.segmentationNode()
        self._editor.modify(
            lambda labelmap: slicer.vtkSlicerSegmentEditorLogic.AppendPolyMask(
                labelmap, outline, node, segmentation
            )
        )
