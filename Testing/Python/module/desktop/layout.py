"""Slice views that come and go with the layout."""

from __future__ import annotations

from types import SimpleNamespace

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
        view = SimpleNamespace(interactor=lambda: self._interactors[name])
        return SimpleNamespace(sliceView=lambda: view)
