"""Arrays on a finer or coarser grid of the same box."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from DeepIGeoSLib.grid.boxes import Box

# Slices that are resampled together where an array is too large to hold twice.
_SLAB = 16


def resample(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Resample to ``shape`` with linear interpolation along each axis, averaging where it shrinks.

    Both grids cover the same box; voxels are cells, so the first and last voxel centers move with
    the size of a cell. Constant and (away from the borders) linear arrays are kept exactly, and an
    array that has the shape already is returned as it is.

    Args:
        array: real values, axes (k, j, i).
        shape: wanted number of voxels along (k, j, i).

    Returns:
        float32 (or ``array`` itself).
    """
    # Axes that shrink come first, so that as little as possible is left for the others.
    for axis in sorted(range(3), key=lambda axis: shape[axis] / array.shape[axis]):
        if array.shape[axis] == shape[axis]:
            continue
        weights = _interpolation_weights(array.shape[axis], shape[axis])
        array = _weighted_sums(array.astype(np.float32, copy=False), weights, axis)
    return np.ascontiguousarray(array)


def resample_part(array: np.ndarray, shape: Sequence[int], part: Box) -> np.ndarray:
    """Return ``resample(array, shape)[part]`` without computing the rest.

    Args:
        array: real values, axes (k, j, i).
        shape: number of voxels along (k, j, i) that the whole result would have.
        part: slices of the result.
    """
    for axis in sorted(range(3), key=lambda axis: shape[axis] / array.shape[axis]):
        wanted = part[axis]
        if array.shape[axis] == shape[axis]:
            array = array[tuple(wanted if a == axis else slice(None) for a in range(3))]
        else:
            weights = _interpolation_weights(array.shape[axis], shape[axis])
            array = _weighted_sums(array.astype(np.float32, copy=False), weights[wanted], axis)
    return np.ascontiguousarray(array)


def resample_in_slabs(
    read: Callable[[slice], np.ndarray], source: Sequence[int], out: np.ndarray
) -> None:
    """Resample as ``resample`` does, a few slices at a time, for arrays too large to hold twice.

    Args:
        read: returns slices of the array, float32, axes (k, j, i).
        source: the array's shape.
        out: float32 array to fill; its shape is the wanted one.
    """
    weights = _interpolation_weights(source[0], len(out))
    for start in range(0, len(out), _SLAB):
        rows = weights[start : start + _SLAB]
        used = np.flatnonzero(rows.any(axis=0))
        part = slice(int(used[0]), int(used[-1]) + 1)
        in_plane = resample(read(part), (part.stop - part.start, *out.shape[1:]))
        out[start : start + _SLAB] = _weighted_sums(in_plane, rows[:, part], axis=0)


def _interpolation_weights(source: int, target: int) -> np.ndarray:
    """Return the (target, source) matrix of a triangle filter as wide as the coarser voxel."""
    ratio = source / target
    width = max(1.0, ratio)
    centers = (np.arange(target) + 0.5) * ratio - 0.5
    distance = np.abs(centers[:, np.newaxis] - np.arange(source)[np.newaxis, :])
    # Beyond the border the border voxel is repeated: its weight is what the others leave.
    weights = np.maximum(0.0, 1.0 - distance / width)
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _weighted_sums(array: np.ndarray, weights: np.ndarray, axis: int) -> np.ndarray:
    """Return the product of weights (target, source) with an axis of an array.

    Not as a product of matrices: few weights of a row differ from 0, and the threads that NumPy
    uses for it stay busy for a while, so that a network that runs next takes up to twice as long.
    """
    first = (weights > 0).argmax(axis=1)
    most = int(np.count_nonzero(weights, axis=1).max())
    total = np.zeros(0, dtype=np.float32)
    for step in range(most):
        place = np.minimum(first + step, weights.shape[1] - 1)
        factor = np.where(place == first + step, weights[np.arange(len(place)), place], 0)
        part = array.take(place, axis=axis)
        part *= factor.astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        total = part if step == 0 else np.add(total, part, out=total)
    return total
