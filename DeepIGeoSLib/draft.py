"""A result in the making: boxes that will replace parts of an array that stays untouched."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np

from DeepIGeoSLib.preprocessing import Box, hull


class Draft:
    """Changes of an array, kept beside it, so that their cost is that of the boxes alone."""

    def __init__(self, base: np.ndarray) -> None:
        """Begin without changes; ``base`` is never written to."""
        self.base = base
        self._boxes: list[tuple[Box, np.ndarray]] = []

    def read(self, box: Box) -> np.ndarray:
        """Return a copy of a box with every change in it."""
        return patched(self.base, self._boxes, box)

    def write(self, box: Box, values: np.ndarray) -> None:
        """Replace a box by ``values`` (its shape), which are taken over."""
        self._boxes.append((box, values))

    def restrict(self, editable: np.ndarray) -> None:
        """Take back every change outside the voxels (bool, the array's shape) that may change."""
        self._boxes = [
            (box, np.where(editable[box], values, self.base[box])) for box, values in self._boxes
        ]

    @property
    def box(self) -> Box | None:
        """The smallest box around everything written; None when nothing is."""
        return functools.reduce(hull, (box for box, _ in self._boxes), None)


def patched(base: np.ndarray, patches: Iterable[tuple[Box, np.ndarray]], box: Box) -> np.ndarray:
    """Return a copy of a box of ``base`` with patches (box, values) laid over it, the last on top.

    ``base`` and ``patches`` are left as they are.
    """
    values = base[box].copy()
    for written, new in patches:
        shared = tuple(
            slice(max(a.start, b.start), min(a.stop, b.stop))
            for a, b in zip(box, written, strict=True)
        )
        if all(part.start < part.stop for part in shared):
            values[_within(shared, box)] = new[_within(shared, written)]
    return values


def _within(box: Box, outer: Box) -> Box:
    """Return the slices of ``box`` in the array of the box ``outer`` around it."""
    return tuple(
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(box, outer, strict=True)
    )
