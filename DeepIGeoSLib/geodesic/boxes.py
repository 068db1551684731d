"""Boxes of voxels: slices along the axes."""

from __future__ import annotations

import numpy as np

Box = tuple[slice, ...]


def bounds(mask: np.ndarray) -> Box:
    """Return the smallest box around the nonzero items; empty slices when there is none."""
    sides = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        places = np.flatnonzero(mask.any(axis=others))
        sides.append(slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 0))
    return tuple(sides)


def bounds_of_voxels(voxels: np.ndarray, shape: tuple[int, ...]) -> Box:
    """Return the smallest box around voxels, given by their flat numbers; at least one."""
    axes = np.unravel_index(voxels, shape)
    return tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in axes)


def is_empty(box: Box) -> bool:
    """Return whether no voxel is in the box."""
    return any(side.start >= side.stop for side in box)


def grown(box: Box, margin: int, shape: tuple[int, ...]) -> Box:
    """Return the box with a margin, as far as the volume reaches."""
    return tuple(
        slice(max(side.start - margin, 0), min(side.stop + margin, size))
        for side, size in zip(box, shape, strict=True)
    )


def within(inner: Box, outer: Box) -> Box:
    """Return where a box lies whose slices count from the corner of another one."""
    return tuple(
        slice(a.start + b.start, a.stop + b.start) for a, b in zip(inner, outer, strict=True)
    )
