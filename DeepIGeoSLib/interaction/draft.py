"""A result in the making: boxes that will replace parts of an array that stays untouched."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, hull, relative_box, shared_box


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


def overlaid(
    read: Callable[[Box], np.ndarray], box: Box, *, where: np.ndarray, values: np.ndarray
) -> Callable[[Box], np.ndarray]:
    """Return a reader of boxes that answers as ``read`` does, but for some voxels of one box.

    Args:
        read: returns a box of an array as an array of its own.
        box: the box with other values.
        where: bool, the box's shape: which of its voxels have them.
        values: the box's shape.
    """

    def read_overlaid(part: Box) -> np.ndarray:
        answer = read(part)
        shared = shared_box(part, box)
        if shared is not None:
            inside = relative_box(shared, box)
            np.copyto(answer[relative_box(shared, part)], values[inside], where=where[inside])
        return answer

    return read_overlaid


def patched(base: np.ndarray, patches: Iterable[tuple[Box, np.ndarray]], box: Box) -> np.ndarray:
    """Return a copy of a box of ``base`` with patches (box, values) laid over it, the last on top.

    ``base`` and ``patches`` are left as they are.
    """
    values = base[box].copy()
    for written, new in patches:
        shared = shared_box(box, written)
        if shared is not None:
            values[relative_box(shared, box)] = new[relative_box(shared, written)]
    return values
