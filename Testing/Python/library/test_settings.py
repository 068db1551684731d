"""Configuration files are read strictly, and errors say what was meant."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.settings import from_mapping, to_mapping


@dataclass(frozen=True)
class Inner:
    spacing: tuple[float, float] = (1.0, 2.0)


@dataclass(frozen=True)
class Outer:
    name: str
    rate: float = 0.1
    steps: int = 5
    kind: Literal["a", "b"] = "a"
    on: bool = False
    limit: float | None = None
    words: tuple[str, ...] = ()
    inner: Inner = field(default_factory=Inner)
    table: dict[str, float] = field(default_factory=dict)


def test_round_trip() -> None:
    given = Outer("x", rate=2.0, words=("p", "q"), inner=Inner((3.0, 4.0)), table={"k": 1.5})
    assert from_mapping(Outer, to_mapping(given), "file") == given
    assert from_mapping(Outer, {"name": "x", "rate": 2, "limit": 3}, "file").limit == 3.0


BAD = {
    "misspelt": ({"name": "x", "stepps": 3}, "unknown key 'stepps'; did you mean 'steps'"),
    "unknown": ({"name": "x", "qqq": 3}, "valid keys are name, rate"),
    "missing": ({}, "lacks the key 'name'"),
    "no mapping": ([1], "must be a mapping, not list"),
    "wrong type": ({"name": "x", "steps": 1.5}, "file: steps is 1.5, expected .* int"),
    "bool for int": ({"name": "x", "steps": True}, "steps is True"),
    "wrong choice": ({"name": "x", "kind": "c"}, r"kind is 'c', expected one of \['a', 'b'\]"),
    "wrong length": ({"name": "x", "inner": {"spacing": [1]}}, "must have 2 entries, not 1"),
    "no list": ({"name": "x", "words": "pq"}, "words must be a list, not str"),
    "nested key": ({"name": "x", "inner": {"spacingg": 1}}, "file: inner has an unknown key"),
    "wrong table": ({"name": "x", "table": {"k": "v"}}, "table.k is 'v'"),
}


@pytest.mark.parametrize(("mapping", "sentence"), BAD.values(), ids=BAD.keys())
def test_errors_name_the_key(mapping: object, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        from_mapping(Outer, mapping, "file")
