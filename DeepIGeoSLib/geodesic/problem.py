"""What a solver gets: checked arrays in one layout, and the cost of a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True)
class Problem:
    """A geodesic distance problem in three dimensions; two-dimensional ones have one slice.

    The step from a voxel p to its neighbor q costs ``lengths[|dk|, |dj|, |di|] + |p - q|`` where
    ``|p - q|`` is the l2 norm over the channels of ``image``; sums are rounded to float32 in that
    order, ``distance[p] + (length + difference)``, by every engine, so that all agree to the bit.

    Attributes:
        image: the intensities times the weight, float32, C-contiguous, axes (c, k, j, i).
        lengths: the part of a step's cost that depends on its direction, (1 - weight) * mm,
            float32, axes (|dk|, |dj|, |di|), each 0 or 1.
        limit: float32; the value of voxels that no path up to this length reaches.
    """

    image: np.ndarray
    lengths: np.ndarray
    limit: np.float32

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of the volume, (k, j, i)."""
        return self.image.shape[1:]


def pose(
    image: np.ndarray,
    shape: tuple[int, ...],
    spacing: Sequence[float],
    weight: float,
    max_distance: float | None,
) -> Problem:
    """Check the arguments of ``geodesic_distance`` and return the problem they pose.

    Args:
        image: axes (k, j, i) or (j, i), or with a channel axis before them.
        shape: of the seeds, (k, j, i) or (j, i).
        spacing: mm along each axis of ``shape``.
        weight: of intensity differences against mm.
        max_distance: where to cut, or None.

    Raises:
        InputError: an argument is unusable; the message says which and why.
    """
    if not 0 <= weight <= 1:
        raise InputError(f"The weight must lie in [0, 1], but is {weight}.")
    if max_distance is not None and not 0 < max_distance < math.inf:
        raise InputError(f"max_distance must be positive and finite, but is {max_distance}.")
    limit = np.float32(np.inf if max_distance is None else max_distance)
    return Problem(_weighted(image, shape, weight), _lengths(spacing, len(shape), weight), limit)


def _weighted(image: np.ndarray, shape: tuple[int, ...], weight: float) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype.kind not in "fiub":
        raise InputError(f"The image must hold real numbers, but has the type {image.dtype}.")
    channels = image[np.newaxis] if image.ndim == len(shape) else image
    if channels.shape[1:] != shape or channels.ndim != len(shape) + 1:
        raise InputError(
            f"The image has the shape {image.shape}, but the seeds have {shape}; expected is the "
            "same shape, or one with a channel axis before it."
        )
    if not channels.shape[0]:
        raise InputError("The image has no channel.")
    weighted = np.multiply(channels, weight, dtype=np.float32, order="C", casting="unsafe")
    if weighted.size and not (np.isfinite(weighted.min()) and np.isfinite(weighted.max())):
        raise InputError("The image holds NaN or infinite values; expected are finite ones.")
    return weighted.reshape((channels.shape[0],) + (1,) * (3 - len(shape)) + shape)


def _lengths(spacing: Sequence[float], dimensions: int, weight: float) -> np.ndarray:
    steps = np.asarray(spacing, dtype=np.float64)
    if steps.shape != (dimensions,):
        raise InputError(f"The spacing {spacing} must have {dimensions} values, one for each axis.")
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(f"The spacing must be positive and finite (mm), but is {spacing}.")
    steps = np.concatenate([np.ones(3 - dimensions), steps])
    lengths = np.empty((2, 2, 2), dtype=np.float32)
    for moves in product((0, 1), repeat=3):
        lengths[moves] = (1 - weight) * math.hypot(*(steps * moves))
    return lengths
