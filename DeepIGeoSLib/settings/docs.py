"""What the docstring of a dataclass says about it and its fields."""

from __future__ import annotations

import dataclasses
import inspect
import re

_ENTRY = re.compile(r"^    (?P<names>[a-z_0-9]+(, [a-z_0-9]+)*): (?P<text>.*)$")


def summary(kind: type) -> str:
    """Return the first paragraph of a class's docstring, on one line."""
    paragraph = (inspect.getdoc(kind) or "").split("\n\n")[0]
    return " ".join(paragraph.split())


def field_docs(kind: type) -> dict[str, str]:
    """Return the ``Attributes`` entries of a dataclass and of the classes it derives from.

    Returns:
        Field names and their texts, each on one line; an entry such as ``a, b: text`` is given to
        both names.
    """
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if dataclasses.is_dataclass(base) and base.__doc__:
            docs.update(_entries(inspect.cleandoc(base.__doc__)))
    return docs


def _entries(docstring: str) -> dict[str, str]:
    docs: dict[str, str] = {}
    names: list[str] = []
    _, _, section = docstring.partition("\nAttributes:\n")
    for line in section.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            names = entry["names"].split(", ")
            docs.update(dict.fromkeys(names, entry["text"]))
        elif line.startswith("     "):
            docs.update({name: f"{docs[name]} {line.strip()}" for name in names})
        else:
            break
    return docs
