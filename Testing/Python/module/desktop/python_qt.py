"""The module ``qt``: PySide6 with PythonQt's manners.

In PythonQt a Qt property is an attribute that is read and set, signals are connected by their
C++ signature, and objects made in C++ take no new attributes.
"""

from __future__ import annotations

import ctypes
import functools
import os
import sys
from types import ModuleType
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6 import QtCore, QtGui, QtWidgets

_PLAIN = {"QTimer", "QApplication", "QThread", "QSettings"}


# Not empty while a .ui file is loaded: the loader makes attributes of the widgets inside.
loading: list[str] = []


class Manners:
    """Mixed into every QObject that ``qt`` hands out."""

    _fromCpp = False

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        if name == "name":
            name = "objectName"
        if name in ("connect", "disconnect"):
            return functools.partial(_connect if name == "connect" else _disconnect, self)
        if name in properties_of(type(self)):
            return QtCore.QObject.property(self, name)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "name":
            name = "objectName"
        if name in properties_of(type(self)):
            value = list(value) if isinstance(value, tuple) else value
            if not QtCore.QObject.setProperty(self, name, value):
                raise AttributeError(f"Qt refuses {name} = {value!r}")
        elif name.startswith("_") or loading or not _isCpp(type(self)):
            super().__setattr__(name, value)
        else:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def findChildren(self, kind: type, name: str = "", **options: Any) -> list[Any]:
        """With a name, only children of that name are looked into, as in Slicer 5.10."""
        found = QtCore.QObject.findChildren(self, kind, **options)
        return [child for child in found if not name or _allNamed(name, child, self)]

    def delete(self) -> None:
        self.deleteLater()


def _allNamed(name: str, child: Any, above: Any) -> bool:
    """Return whether a child, and everything between it and a widget above, has a name."""
    while child is not above:
        if QtCore.QObject.objectName(child) != name:
            return False
        child = QtCore.QObject.parent(child)
    return True


def _isCpp(kind: type) -> bool:
    return kind.__dict__.get("_fromCpp", False)


@functools.cache
def properties_of(kind: type) -> frozenset[str]:
    """Return the names of a class's Qt properties."""
    meta = kind.staticMetaObject
    names = {meta.property(n).name() for n in range(meta.propertyCount())}
    # Qt asks for these two by name itself, to see whether Python overrides them.
    return frozenset(names - {"sizeHint", "minimumSizeHint"})


def _signal(sender: Any, signature: str) -> Any:
    name = signature.partition("(")[0]
    found = object.__getattribute__(sender, name) if hasattr(type(sender), name) else None
    if found is None:
        raise AttributeError(f"{type(sender).__name__} has no signal {signature}")
    if "(" in signature:  # overloaded signals are told apart by their arguments
        try:
            return found[signature.partition("(")[2].rstrip(")")]
        except (KeyError, IndexError, TypeError):
            return found
    return found


def _connect(sender: Any, signature: str, slot: Any) -> bool:
    _signal(sender, signature).connect(slot)
    return True


def _disconnect(sender: Any, signature: str, slot: Any = None) -> bool:
    signal = _signal(sender, signature)
    signal.disconnect(slot) if slot else signal.disconnect()
    return True


@functools.cache
def with_manners(kind: type) -> type:
    """Return a QObject class as PythonQt shows it."""
    return type(kind.__name__, (Manners, kind), {"_fromCpp": True})


# Qt objects may only die on the main thread. Garbage is collected on any thread, the worker too, so
# nothing that a test has made is ever let go of.
KEPT: list[Any] = []


class SingleTimer(QtCore.QTimer):
    """A timer that can be connected by signature."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        KEPT.append(self)

    def connect(self, signature: str, slot: Any) -> bool:
        self.timeout.connect(slot)
        return True


class QtModule(ModuleType):
    """``import qt``."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        for module in (QtCore, QtGui, QtWidgets):
            found = getattr(module, name, None)
            if found is None:
                continue
            if name == "QTimer":
                found = SingleTimer
            elif (
                isinstance(found, type) and issubclass(found, QtCore.QObject) and name not in _PLAIN
            ):
                found = with_manners(found)
            setattr(self, name, found)
            return found
        raise AttributeError(f"module 'qt' has no attribute {name!r}")


def application() -> QtWidgets.QApplication:
    """Return the one application object."""
    if sys.version_info < (3, 12) and not KEPT:
        # PySide6 6.12 takes None for immortal, which it is since Python 3.12: each call that
        # returns None takes one of its references (measured), until the interpreter gives up.
        ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
        KEPT.append(None)
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["tests"])
