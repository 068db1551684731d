"""Dataclasses read from mappings, strictly: what is not known is refused by name.

Bundle manifests and training configurations use the same reader, so both answer a misspelt key in
the same way.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from DeepIGeoSLib.errors import InputError

T = TypeVar("T")


def from_mapping(kind: type[T], mapping: object, where: str) -> T:
    """Build the dataclass ``kind`` from ``mapping``.

    Args:
        kind: a dataclass; fields may be numbers, strings, booleans, tuples, mappings, optional
            values, ``Literal`` choices, other dataclasses, and unions of dataclasses that are told
            apart by a field whose type is a ``Literal`` with one choice (the first member is meant
            when the mapping lacks that key).
        mapping: what a reader of JSON or YAML returned.
        where: how to name the mapping in error messages, such as ``"train.json"``.

    Raises:
        InputError: an unknown key (the nearest valid name is given), a missing one, a value of the
            wrong type, or one that the dataclass itself refuses.
    """
    if not isinstance(mapping, Mapping):
        raise InputError(f"{where} must be a mapping, not {type(mapping).__name__}.")
    hints = typing.get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(cast(Any, kind)) if f.init}
    for key in mapping:
        if key not in fields:
            raise InputError(f"{where} has an unknown key {key!r}{_nearest(str(key), fields)}.")
    values = {}
    for name, field in fields.items():
        if name in mapping:
            values[name] = _convert(hints[name], mapping[name], f"{where}: {name}")
        elif _is_required(field):
            raise InputError(f"{where} lacks the key {name!r}.")
    try:
        return kind(**values)
    except InputError as error:  # from the dataclass's own checks, which don't know where it stood
        raise InputError(f"{where}: {error}") from error


def to_mapping(settings: object) -> dict[str, Any]:
    """Return a dataclass as plain mappings and lists, ready for ``json.dump``."""
    return _plain(dataclasses.asdict(cast(Any, settings)))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _is_required(field: dataclasses.Field) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def nearest_name(name: str, valid: Iterable[str]) -> str | None:
    """Return which of the valid names was probably meant, or None when none is near."""
    close = difflib.get_close_matches(name, list(valid), n=1)
    return close[0] if close else None


def _nearest(key: str, valid: Iterable[str]) -> str:
    close = nearest_name(key, valid)
    if close is not None:
        return f"; did you mean {close!r}?"
    return f"; valid keys are {', '.join(valid)}"


def _convert(kind: Any, value: Any, where: str) -> Any:
    """Return ``value`` as ``kind``, or raise InputError naming ``where``."""
    if kind is Any:
        return value
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(arguments, value, where)
    if origin is typing.Literal:
        if not any(value == choice and type(value) is type(choice) for choice in arguments):
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


def _convert_union(choices: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in choices:
        return None
    kinds = [choice for choice in choices if choice is not type(None)]
    if len(kinds) == 1:
        return _convert(kinds[0], value, where)
    if type(value) in kinds:
        return value
    return from_mapping(_chosen_kind(kinds, value, where), value, where)


def _chosen_kind(kinds: list[type], value: Any, where: str) -> type:
    """Return the dataclass that the value of the distinguishing key names."""
    by_name: dict[str, type] = {}
    for kind in kinds:
        tag = tag_of(kind)
        if tag is None:
            raise TypeError(f"{kind.__name__} has no field that tells it apart.")
        key, by_name[tag[1]] = tag[0], kind
    if not isinstance(value, Mapping) or key not in value:
        return kinds[0]
    name = value[key]
    if not isinstance(name, str) or name not in by_name:
        close = nearest_name(str(name), by_name)
        meant = "." if close is None else f"; did you mean {close!r}?"
        raise InputError(f"{where}: {key} is {name!r}, expected one of {list(by_name)}{meant}")
    return by_name[name]


def tag_of(kind: type) -> tuple[str, str] | None:
    """Return the field that tells a dataclass apart in a union, and its only value, if any."""
    for name, hint in typing.get_type_hints(kind).items():
        choices = typing.get_args(hint)
        if typing.get_origin(hint) is typing.Literal and len(choices) == 1:
            return name, choices[0]
    return None


def _convert_tuple(arguments: tuple[Any, ...], value: Any, where: str) -> tuple:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{where} must be a list, not {type(value).__name__}.")
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(
            _convert(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value)
        )
    if len(value) != len(arguments):
        raise InputError(f"{where} must have {len(arguments)} entries, not {len(value)}.")
    return tuple(_convert(kind, item, where) for kind, item in zip(arguments, value, strict=True))


def _convert_scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise InputError(f"{where} is {value!r}, expected a finite number.")
        return float(value)
    if (isinstance(value, bool) and kind is not bool) or not isinstance(value, kind):
        raise InputError(f"{where} is {value!r}, expected a value of type {kind.__name__}.")
    return value
