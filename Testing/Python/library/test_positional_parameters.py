"""At most three arguments of a public function go by position; the rest say what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MOST = 3

# Numba compiles these files, and takes what it calls by position.
COMPILED = {
    "DeepIGeoSLib/crf/kernels.py",
    *(
        f"DeepIGeoSLib/geodesic/{name}.py"
        for name in ("lanes", "pointers", "rows", "schedule", "visits")
    ),
}

# PyTorch, Lightning and Slicer call these methods, with the parameters that they declare.
HOOKS = {"forward", "on_train_batch_start", "on_train_batch_end", "loadNodes"}

# Scripts of others call these by position; the two methods are published that way.
PUBLISHED = {"SegmentationLogic.refine", "SegmentationLogic.startRefine", "writeMaskToSegment"}


def public_functions(tree: ast.AST, owner: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield name and definition of the public functions and methods of a module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef) and (
            not node.name.startswith("_") or node.name in ("__init__", "__call__")
        ):
            yield f"{owner}{node.name}", node


def by_position(name: str, function: ast.FunctionDef) -> int:
    """Return how many arguments a caller may give without their names."""
    own = [*function.args.posonlyargs, *function.args.args]
    static = any(getattr(mark, "id", "") == "staticmethod" for mark in function.decorator_list)
    return len(own) - ("." in name and not static)


def too_many(code: str) -> list[str]:
    """Return the public functions of a module that take more than three by position."""
    return [
        name
        for name, function in public_functions(ast.parse(code))
        if by_position(name, function) > MOST
        and name.rpartition(".")[2] not in HOOKS
        and name not in PUBLISHED
    ]


@pytest.mark.parametrize("place", ["DeepIGeoSLib", "DeepIGeoS"])
def test_at_most_three_arguments_go_by_position(place: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / place).rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in COMPILED
        for name in too_many(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("def f(a, b, c): ...", []),
        ("def f(a, b, c, d): ...", ["f"]),
        ("def f(a, b, c, *, d): ...", []),
        ("def _f(a, b, c, d): ...", []),
        ("class A:\n    def f(self, a, b, c): ...", []),
        ("class A:\n    def __init__(self, a, b, c, d=1): ...", ["A.__init__"]),
        ("class A:\n    @staticmethod\n    def f(a, b, c, d): ...", ["A.f"]),
        ("class _A:\n    def f(self, a, b, c, d): ...", []),
    ],
)
def test_what_counts(code: str, found: list[str]) -> None:
    assert too_many(code) == found
