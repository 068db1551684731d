"""Commented YAML templates: the comments are the docstrings, so that they can't drift."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import typing
from collections.abc import Sequence
from typing import Any

from DeepIGeoSLib.settings.docs import field_docs, summary
from DeepIGeoSLib.settings.mapping import tag_of

_WIDTH = 92


def template(settings: Any, alternatives: Sequence[Any] = ()) -> str:
    """Return settings as YAML in which every key is explained.

    Read back, the text gives equal settings.

    Args:
        settings: a dataclass.
        alternatives: other members of a union of dataclasses (see ``from_mapping``) that occurs in
            a list of the settings; they are shown below that list, commented out.
    """
    lines = [*_comment(summary(type(settings))), ""]
    lines += _fields(settings, alternatives)
    return "\n".join(lines) + "\n"


def _fields(settings: Any, alternatives: Sequence[Any]) -> list[str]:
    lines: list[str] = []
    docs = field_docs(type(settings))
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        lines += _comment(_explanation(field, hints[field.name], value, docs))
        lines += _entry(field.name, value, alternatives)
    return lines


def _explanation(field: dataclasses.Field, hint: Any, value: Any, docs: dict[str, str]) -> str:
    text = docs.get(field.name, "")
    if not text and dataclasses.is_dataclass(value):
        text = summary(type(value))
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    if len(choices) > 1:
        text += f" [{' | '.join(str(choice) for choice in choices)}]"
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        text += " (required)"
    return text


def _entry(name: str, value: Any, alternatives: Sequence[Any]) -> list[str]:
    """Return the lines of one key."""
    if dataclasses.is_dataclass(value):
        return [f"{name}:", *_indented(_fields(value, alternatives))]
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        lines = [f"{name}:"]
        for item in value:
            lines += _indented(_item(item, alternatives))
        return lines + _indented(_other_items(value[0], alternatives))
    # JSON's way of writing scalars, lists and mappings is YAML's as well.
    return [f"{name}: {json.dumps(value, ensure_ascii=False)}"]


def _item(item: Any, alternatives: Sequence[Any]) -> list[str]:
    """Return the lines of a list item; its keys start behind the dash."""
    return ["-", *_indented(_fields(item, alternatives))]


def _other_items(shown: Any, alternatives: Sequence[Any]) -> list[str]:
    """Return, commented out, the alternatives that may stand where ``shown`` stands."""
    tag = tag_of(type(shown))
    if tag is None:
        return []
    key = tag[0]
    lines = _comment(f"Other choices of {key}, without the keys that are explained above:")
    known = {field.name for field in dataclasses.fields(shown)}
    for other in alternatives:
        lines += _comment(summary(type(other)))
        lines += [f"# {line}" for line in _short_item(other, key, known)]
    return lines


def _short_item(item: Any, key: str, known: set[str]) -> list[str]:
    """Return a list item without comments and without known keys at their defaults."""
    lines = []
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if field.name == key or field.name not in known or value != field.default:
            lines += _entry(field.name, value, ())
    return [f"- {lines[0]}", *_indented(lines[1:])]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}" for line in lines]
