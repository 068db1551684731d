"""``slicer.util.loadUI`` and its kin."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from .python_qt import KEPT, loading, with_manners
from .widgets import CUSTOM


class Loader(QtUiTools.QUiLoader):
    """Makes widgets with PythonQt's manners."""

    def createWidget(self, className: str, parent: Any = None, name: str = "") -> Any:
        kind = CUSTOM.get(className)
        if kind is None:
            kind = with_manners(getattr(QtWidgets, className))
        made = kind(parent)
        QtCore.QObject.setProperty(made, "objectName", name)
        KEPT.append(made)
        return made


def load_ui(path: str) -> Any:
    """Return the top widget of a .ui file."""
    loading.append(path)
    try:
        made = Loader().load(path)
    finally:
        loading.pop()
    assert made is not None, f"{path} could not be loaded"
    return made


def child_widgets(widget: Any) -> SimpleNamespace:
    """Return every named widget and action inside, as attributes."""
    children = widget.findChildren(QtCore.QObject)
    names = [QtCore.QObject.objectName(child) for child in children]
    return SimpleNamespace(
        **{name: child for name, child in zip(names, children, strict=True) if name.isidentifier()}
    )
