"""Slice views that come and go with the layout."""

from __future__ import annotations

from types import SimpleNamespace

import slicer
import vtk
from PySide6 import QtCore

from .python_qt import with_manners


class LayoutManager(with_manners(QtCore.QObject)):
    """Has the slice views of the layout that is shown; another layout brings other ones."""

    layoutChanged = QtCore.Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._interactors: dict[str, vtk.vtkRenderWindowInteractor] = {}

    def show(self, *names: str) -> None:
        """Change to a layout with these slice views; views that are in both stay."""
        known = self._interactors
        self._interactors = {
            name: known.get(name) or vtk.vtkGenericRenderWindowInteractor() for name in names
        }
        self.layoutChanged.emit(len(names))

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._interactors)

    def sliceWidget(self, name: str) -> SimpleNamespace:
        """A view whose pixels are millimeters, with the slice node of its name."""

        def node() -> slicer.vtkMRMLSliceNode:
            return slicer.util.getFirstNodeByClassByName("vtkMRMLSliceNode", name)

        def toRas(position: list[float]) -> list[float]:
            matrix = slicer.util.arrayFromVTKMatrix(node().GetSliceToRAS())
            return [float(value) for value in (matrix @ [*position, 1])[:3]]

        view = SimpleNamespace(
            interactor=lambda: self._interactors[name],
            convertDeviceToXYZ=lambda position: [*position, 0],
            convertXYZToRAS=toRas,
        )
        return SimpleNamespace(sliceView=lambda: view, mrmlSliceNode=node)
