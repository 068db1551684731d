"""Boxes of voxels: slices (k, j, i) of an array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar, cast

import numpy as np

T = TypeVar("T")

Box = tuple[slice, slice, slice]


def three(values: Iterable[T]) -> tuple[T, T, T]:
    """Return one value for each of the axes k, j and i."""
    k, j, i = values
    return k, j, i


def bounding_box(mask: np.ndarray) -> Box | None:
    """Return the smallest box holding every true voxel, or None when there is none."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        if hits.size == 0:
            return None
        box.append(slice(int(hits[0]), int(hits[-1]) + 1))
    return _box(box)


def box_around(mask: np.ndarray) -> Box:
    """Return the smallest box holding every true voxel, of which there is at least one."""
    box = bounding_box(mask)
    if box is None:
        raise ValueError("The mask is empty.")
    return box


def box_of_voxels(voxels: np.ndarray, shape: Sequence[int]) -> Box | None:
    """Return the smallest box around voxels of an array of the shape, given by their flat numbers.

    None when there is no voxel.
    """
    if not voxels.size:
        return None
    axes = np.unravel_index(voxels, shape)
    return _box(slice(int(axis.min()), int(axis.max()) + 1) for axis in axes)


def voxels_in(voxels: np.ndarray, box: Box, shape: Sequence[int]) -> np.ndarray:
    """Return which voxels, given by their numbers in the flattened array, lie in a box: bool."""
    inside = np.ones(len(voxels), dtype=bool)
    for places, part in zip(np.unravel_index(voxels, shape), box, strict=True):
        inside &= (places >= part.start) & (places < part.stop)
    return inside


def hull(first: Box | None, second: Box | None) -> Box | None:
    """Return the smallest box around two boxes; None stands for no box."""
    if first is None or second is None:
        return first or second
    return hull_of(first, second)


def hull_of(first: Box, second: Box) -> Box:
    """Return the smallest box around two boxes."""
    return _box(
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )


def grown_box(box: Box, margin: int | Sequence[int], shape: Sequence[int]) -> Box:
    """Return ``box`` grown on both sides of every axis, inside ``shape``.

    Args:
        box: slices along the axes.
        margin: voxels for all axes, or for each of them.
        shape: of the array.
    """
    margins = [margin] * len(shape) if isinstance(margin, int) else margin
    return _box(
        slice(max(0, s.start - m), min(n, s.stop + m))
        for s, m, n in zip(box, margins, shape, strict=True)
    )


def whole_box(shape: Sequence[int]) -> Box:
    """Return the box that holds a whole array."""
    return _box(slice(0, n) for n in shape)


def shared_box(first: Box, second: Box) -> Box | None:
    """Return the box that lies in both, or None."""
    shared = _box(
        slice(max(a.start, b.start), min(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )
    return shared if all(part.start < part.stop for part in shared) else None


def relative_box(box: Box, outer: Box) -> Box:
    """Return the slices of ``box`` in the array of the box ``outer`` around it."""
    return _box(
        slice(part.start - around.start, part.stop - around.start)
        for part, around in zip(box, outer, strict=True)
    )


def absolute_box(outer: Box, inner: Box) -> Box:
    """Return the slices of the whole array for a box given in the array of the box ``outer``."""
    return _box(
        slice(around.start + part.start, around.start + part.stop)
        for around, part in zip(outer, inner, strict=True)
    )


def _box(parts: Iterable[slice]) -> Box:
    """Return slices as a box; boxes of slices have two of them, which the type leaves out."""
    return cast(Box, tuple(parts))
