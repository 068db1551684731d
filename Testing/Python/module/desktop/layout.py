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
        self._views: dict[str, _View] = {}

    def show(self, *names: str) -> None:
        """Change to a layout with these slice views; views that are in both stay."""
        self._views = {name: self._views.get(name) or _View(name) for name in names}
        self.layoutChanged.emit(len(names))

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._views)

    def sliceWidget(self, name: str) -> _View:
        return self._views[name]

    def mrmlSliceLogics(self) -> vtk.vtkCollection:
        """Nothing to fit: these views draw no images."""
        return vtk.vtkCollection()


class _View:
    """A slice widget whose pixels are millimeters, with the slice node of its name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._interactor = vtk.vtkGenericRenderWindowInteractor()

    def mrmlSliceNode(self) -> slicer.vtkMRMLSliceNode:
        return slicer.util.getFirstNodeByClassByName("vtkMRMLSliceNode", self._name)

    def sliceView(self) -> SimpleNamespace:
        return SimpleNamespace(
            interactor=lambda: self._interactor,
            convertDeviceToXYZ=lambda position: [*position, 0],
            convertXYZToRAS=self._toRas,
        )

    def _toRas(self, position: list[float]) -> list[float]:
        matrix = slicer.util.arrayFromVTKMatrix(self.mrmlSliceNode().GetSliceToRAS())
        return [float(value) for value in (matrix @ [*position, 1])[:3]]
