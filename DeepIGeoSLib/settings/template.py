"""Commented YAML templates: the comments are the docstrings, so that they can't drift."""

from __future__ import annotations

import dataclasses
import json
import textwrap
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from DeepIGeoSLib.settings.docs import field_docs, summary
from DeepIGeoSLib.settings.mapping import tag_of

_WIDTH = 92


def template(settings: Any, alternatives: Sequence[Any] = ()) -> str:
    """Return settings as YAML in which every key is explained.

    Read back, the text gives equal settings. What could be given instead is shown commented out.

    Args:
        settings: a dataclass.
        alternatives: other members of a union of dataclasses (see ``from_mapping``) that occurs in
            a list of the settings; they are shown below that list. And what lists of dataclasses
            that are empty could hold.
    """
    lines = _comment(summary(type(settings)))
    for entry in _entries(settings, alternatives):
        lines += ["", *entry]
    return "\n".join(lines) + "\n"


def _entries(
    settings: Any, alternatives: Sequence[Any] = (), known: Sequence[str] = ()
) -> Iterator[list[str]]:
    """Yield the lines of each key; the known keys at their defaults are left out."""
    docs = field_docs(type(settings))
    hints = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        value, hint = getattr(settings, field.name), hints[field.name]
        if field.name in known and value == field.default:
            continue
        explained = [] if field.name in known else _explanation(field, hint, value, docs)
        yield [
            *_comment(" ".join(explained)),
            *_entry(field.name, value, alternatives),
            *_when_given(field.name, value, hint, alternatives),
        ]


def _explanation(
    field: dataclasses.Field, hint: Any, value: Any, docs: dict[str, str]
) -> list[str]:
    parts = [docs[field.name].replace("``", "")] if field.name in docs else []
    if not parts and dataclasses.is_dataclass(value):
        parts.append(summary(type(value)).replace("``", ""))
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    if len(choices) > 1:
        parts.append(f"[{' | '.join(str(choice) for choice in choices)}]")
    if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
        parts.append("(required)")
    return parts


def _entry(name: str, value: Any, alternatives: Sequence[Any] = ()) -> list[str]:
    """Return the lines of one key."""
    if dataclasses.is_dataclass(value):
        return [f"{name}:", *_indented(_joined(_entries(value, alternatives)))]
    if isinstance(value, tuple) and value and dataclasses.is_dataclass(value[0]):
        items = [_item(_joined(_entries(item, alternatives))) for item in value]
        return [f"{name}:", *_indented(_joined(items) + _other_items(value[0], alternatives))]
    # JSON's way of writing scalars, lists and mappings is YAML's as well.
    return [f"{name}: {json.dumps(value, ensure_ascii=False)}"]


def _when_given(name: str, value: Any, hint: Any, alternatives: Sequence[Any] = ()) -> list[str]:
    """Return, commented out, the keys of a mapping that is null, if there is one to show.

    It is an alternative of its kind, or one with defaults alone. Of an empty list of mappings, it
    is a list of the alternatives of their kind.
    """
    kinds = [kind for kind in typing.get_args(hint) if dataclasses.is_dataclass(kind)]
    if value == () and kinds:
        return _commented_out(_entry(name, tuple(a for a in alternatives if type(a) in kinds)))
    if value is not None or len(kinds) != 1:
        return []
    given = [other for other in alternatives if type(other) is kinds[0]]
    if given:
        return _commented_out(_entry(name, given[0]))
    if any(f.default is f.default_factory for f in dataclasses.fields(kinds[0])):  # both missing
        return []
    return _commented_out(_entry(name, kinds[0]()))


def _other_items(shown: Any, alternatives: Sequence[Any]) -> list[str]:
    """Return, commented out, the alternatives that may stand where ``shown`` stands."""
    tag = tag_of(type(shown))
    if tag is None or not alternatives:
        return []
    lines = [
        "",
        *_comment(f"Other choices of {tag[0]}, with the keys that are not explained above:"),
    ]
    known = [field.name for field in dataclasses.fields(shown) if field.name != tag[0]]
    for other in alternatives:
        if tag_of(type(other)) is None:
            continue
        _, name = tag_of(type(other)) or tag
        keys = [f"{tag[0]}: {json.dumps(name)}"]
        keys += _joined(_entries(other, known=[*known, tag[0]]))
        lines += _commented_out(_item([*_comment(summary(type(other))), *keys]))
    return lines


def _item(keys: Sequence[str]) -> list[str]:
    return ["-", *_indented(keys)]


def _joined(blocks: Iterable[Sequence[str]]) -> list[str]:
    return [line for block in blocks for line in block]


def _commented_out(lines: Sequence[str]) -> list[str]:
    return [f"# {line}" for line in lines]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH)]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"  {line}".rstrip() for line in lines]
