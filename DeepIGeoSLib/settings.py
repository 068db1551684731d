"""Dataclasses read from JSON mappings, strictly: what is not known is refused by name.

Bundle manifests and training configurations use the same reader, so both answer a misspelt key in
the same way.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from DeepIGeoSLib.errors import InputError

T = TypeVar("T")


def from_mapping(kind: type[T], mapping: object, where: str) -> T:
    """Build the dataclass ``kind`` from ``mapping``.

    Args:
        kind: a dataclass; fields may be numbers, strings, booleans, tuples, mappings, optional
            values, ``Literal`` choices and other dataclasses.
        mapping: what a JSON reader returned.
        where: how to name the mapping in error messages, such as ``"train.json"``.

    Raises:
        InputError: an unknown key (the nearest valid name is given), a missing one, or a value of
            the wrong type.
    """
    if not isinstance(mapping, Mapping):
        raise InputError(f"{where} must be a mapping, not {type(mapping).__name__}.")
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind) if f.init}
    for key in mapping:
        if key not in fields:
            raise InputError(f"{where} has an unknown key {key!r}{_nearest(str(key), fields)}.")
    values = {}
    for name, field in fields.items():
        if name in mapping:
            values[name] = _convert(hints[name], mapping[name], f"{where}: {name}")
        elif _is_required(field):
            raise InputError(f"{where} lacks the key {name!r}.")
    return kind(**values)


def to_mapping(settings: object) -> dict[str, Any]:
    """Return a dataclass as plain mappings and lists, ready for ``json.dump``."""
    return _plain(dataclasses.asdict(settings))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _nearest(key: str, valid: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, valid, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; valid keys are {', '.join(valid)}"


def _convert(kind: Any, value: Any, where: str) -> Any:
    """Return ``value`` as ``kind``, or raise InputError naming ``where``."""
    if kind is Any:
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _convert_optional(arguments, value, where)
    if origin is typing.Literal:
        if value not in arguments:
            raise InputError(f"{where} is {value!r}, expected one of {list(arguments)}.")
        return value
    if origin is tuple:
        return _convert_tuple(arguments, value, where)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise InputError(f"{where} must be a mapping, not {type(value).__name__}.")
        return {str(k): _convert(arguments[1], v, f"{where}.{k}") for k, v in value.items()}
    if dataclasses.is_dataclass(kind):
        return value if isinstance(value, kind) else from_mapping(kind, value, where)
    return _convert_scalar(kind, value, where)


def _convert_optional(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in choices:
        return None
    return _convert(next(c for c in choices if c is not type(None)), value, where)


def _convert_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{where} must be a list, not {type(value).__name__}.")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_convert(arguments[0], item, where) for item in value)
    if len(value) != len(arguments):
        raise InputError(f"{where} must have {len(arguments)} entries, not {len(value)}.")
    return tuple(_convert(kind, item, where) for kind, item in zip(arguments, value, strict=True))


def _convert_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
        raise InputError(f"{where} is {value!r}, expected a value of type {kind.__name__}.")
    return value
