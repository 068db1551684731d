"""``parameterNodeWrapper`` for the types that the module uses, bound to widgets both ways."""

from __future__ import annotations

import enum
import typing
from typing import Any

from PySide6 import QtCore, QtWidgets

_BOUND = "SlicerParameterName"


def parameterNodeWrapper(wrapped: type) -> type:
    """Keep values as text parameters, and nodes as references, of a vtkMRMLScriptedModuleNode."""
    hints = typing.get_type_hints(wrapped)

    def member(name: str, kind: type) -> property:
        default = getattr(wrapped, name, None)
        if kind in (str, bool, int, float) or _is_enum(kind):
            return property(
                lambda self: _read(kind, self.parameterNode.GetParameter(name), default),
                lambda self, value: self.parameterNode.SetParameter(name, _text(kind, value)),
            )
        return property(
            lambda self: self.parameterNode.GetNodeReference(name),
            lambda self, node: self.parameterNode.SetNodeReferenceID(name, node and node.GetID()),
        )

    members: dict[str, Any] = {name: member(name, kind) for name, kind in hints.items()}
    members.update(
        __init__=lambda self, node: self.__dict__.update(parameterNode=node, _tags={}),
        __getattr__=lambda self, name: getattr(self.__dict__["parameterNode"], name),
        connectGui=_connect_gui,
        disconnectGui=_disconnect_gui,
        _hints=hints,
    )
    return type(wrapped.__name__, (), members)


def _read(kind: type, text: str, default: Any) -> Any:
    if text == "":
        return default
    if kind is bool:
        return text == "True"
    return kind[text] if _is_enum(kind) else kind(text)


def _text(kind: type, value: Any) -> str:
    return value.name if _is_enum(kind) else str(value)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


def _connect_gui(self: Any, ui: Any) -> int:
    """Bind every widget that names a parameter."""
    bindings = []
    for widget in vars(ui).values():
        name = QtCore.QObject.property(widget, _BOUND)
        if not name:
            continue
        assert name in self._hints, f"{widget.objectName} names the unknown parameter {name}"
        bindings.append(_Binding(self, name, self._hints[name], widget))
    tag = len(self._tags) + 1

    def refresh(*_: Any) -> None:
        for binding in bindings:
            binding.show()

    observer = self.parameterNode.AddObserver("ModifiedEvent", refresh)
    self._tags[tag] = (observer, bindings)
    refresh()
    return tag


def _disconnect_gui(self: Any, tag: int) -> None:
    observer, bindings = self._tags.pop(tag)
    self.parameterNode.RemoveObserver(observer)
    for binding in bindings:
        binding.alive = False


class _Binding:
    def __init__(self, parameters: Any, name: str, kind: type, widget: Any) -> None:
        self.parameters, self.name, self.kind, self.widget = parameters, name, kind, widget
        self.alive = True
        if hasattr(type(widget), "currentNodeChanged"):
            # As Slicer's wrapper does: the annotation decides, not the .ui file.
            kinds = [t for t in typing.get_args(kind) or (kind,) if t is not type(None)]
            widget.nodeTypes = [t.__name__ for t in kinds]
            widget.currentNodeChanged.connect(self.store)
        elif isinstance(widget, QtWidgets.QAbstractButton):
            widget.toggled.connect(self.store)
        elif isinstance(widget, QtWidgets.QComboBox):
            assert _is_enum(kind)
            widget.clear()
            for member in kind:
                widget.addItem(member.label() if hasattr(member, "label") else member.name, member)
            widget.currentIndexChanged.connect(lambda index: self.store(widget.itemData(index)))
        else:
            raise TypeError(f"no binding for {type(widget).__name__}")

    def store(self, value: Any) -> None:
        if self.alive and getattr(self.parameters, self.name) != value:
            setattr(self.parameters, self.name, value)

    def show(self) -> None:
        value = getattr(self.parameters, self.name)
        if hasattr(type(self.widget), "currentNodeChanged"):
            self.widget.setCurrentNode(value)
        elif isinstance(self.widget, QtWidgets.QAbstractButton):
            self.widget.setChecked(value)
        else:
            self.widget.setCurrentIndex(list(self.kind).index(value))
