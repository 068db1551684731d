"""The line that a stroke leaves in a view until it is answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import vtk


class StrokeLine:
    """A polyline in the pixels of a view."""

    def __init__(self, show: Callable[[Any], None], color: Sequence[float]) -> None:
        """Make an empty line of a color; ``show`` puts its actor into the view."""
        self._points = vtk.vtkPoints()
        self._cells = vtk.vtkCellArray()
        self._line = vtk.vtkPolyData()
        self._line.SetPoints(self._points)
        self._line.SetLines(self._cells)
        mapper = vtk.vtkPolyDataMapper2D()
        mapper.SetInputData(self._line)
        self.actor = vtk.vtkActor2D()
        self.actor.SetMapper(mapper)
        self.actor.GetProperty().SetLineWidth(3)
        self.actor.GetProperty().SetColor(*color)
        show(self.actor)

    def add(self, position: Sequence[float]) -> None:
        """Go on to a position (x, y)."""
        number = self._points.InsertNextPoint(position[0], position[1], 0)
        if number > 0:
            self._cells.InsertNextCell(2)
            self._cells.InsertCellPoint(number - 1)
            self._cells.InsertCellPoint(number)
        self._points.Modified()
        self._line.Modified()
