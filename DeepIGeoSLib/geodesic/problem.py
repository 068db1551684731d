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

    The step from a voxel p to its neighbor q costs ``lengths[|dk|, |dj|, |di|] + difference``: the
    difference is the l2 norm over the channels of ``weight * image[p] - weight * image[q]``. Every
    engine rounds each operation to float32, in the order ``distance[p] + (length + difference)``;
    rounding keeps the order of numbers, so that there is one smallest map and all engines find it,
    to the bit.

    Attributes:
        image: float32, C-contiguous, axes (c, k, j, i); finite.
        weight: of the intensities.
        lengths: the part of a step's cost that depends on its direction, (1 - weight) * mm,
            float32, axes (|dk|, |dj|, |di|), each 0 or 1.
        limit: the value of voxels that no shorter path reaches.
    """

    image: np.ndarray
    weight: np.float32
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
    *,
    weight: float,
    max_distance: float | None,
    check_intensities: bool = True,
) -> Problem:
    """Check the arguments of ``geodesic_distance`` and return the problem they pose.

    Args:
        image: axes (k, j, i) or (j, i), or with a channel axis before them.
        shape: of the seeds, (k, j, i) or (j, i).
        spacing: mm along each axis of ``shape``.
        weight: of intensity differences against mm.
        max_distance: where to cut, or None.
        check_intensities: whether to look for NaN and infinite values.

    Raises:
        InputError: an argument is unusable; the message says which and why.
    """
    if len(shape) not in (2, 3):
        raise InputError(
            f"The seeds must have the axes (k, j, i) or (j, i), but have the shape {shape}."
        )
    if not 0 <= _number(weight, "The weight") <= 1:
        raise InputError(f"The weight must lie in [0, 1], but is {weight}.")
    weight = float(weight)
    limit = np.float32(np.inf)
    if max_distance is not None:
        limit = _number(max_distance, "max_distance")
        if not 0 < limit < np.inf:
            raise InputError(
                f"max_distance must be positive and finite (float32), but is {max_distance}."
            )
    lengths = _lengths(spacing, len(shape), weight)
    channels = _channels(image, shape)
    if check_intensities and not _finite(channels):
        raise InputError("The image holds NaN or infinite values, but must be finite everywhere.")
    volume = channels.reshape((channels.shape[0],) + (1,) * (3 - len(shape)) + shape)
    return Problem(volume, np.float32(weight), lengths, limit)


def seed_mask(seeds: np.ndarray, name: str = "seeds") -> np.ndarray:
    """Return seeds as a bool array; ``seeds`` itself where it is one.

    Args:
        seeds: bool, or integers of which all are 0 or 1; any shape.
        name: what the message of an error calls them.

    Raises:
        InputError: another type, or another integer.
    """
    seeds = np.asarray(seeds)
    if seeds.dtype == bool:
        return seeds
    if seeds.dtype.kind not in "iu":
        raise InputError(
            f"The {name} must be a bool array or integers 0 and 1, but have the type {seeds.dtype}."
        )
    if seeds.size and not 0 <= seeds.min() <= seeds.max() <= 1:
        raise InputError(
            f"The {name} must be a bool array or integers 0 and 1, but hold integers from "
            f"{seeds.min()} to {seeds.max()}."
        )
    return seeds.astype(bool)


def _number(value: float, name: str) -> np.float32:
    try:
        with np.errstate(over="ignore"):  # too large becomes infinite
            return np.float32(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a number, but is {value!r}.") from None


def _channels(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype.kind not in "fiub":
        raise InputError(f"The image must hold real numbers, but has the type {image.dtype}.")
    channels = image[np.newaxis] if image.ndim == len(shape) else image
    if channels.shape[1:] != shape or channels.ndim != len(shape) + 1 or not channels.shape[0]:
        raise InputError(
            f"The image has the shape {image.shape}, but the seeds have {shape}; expected is the "
            "same shape, or the same with a channel axis before it."
        )
    with np.errstate(over="ignore"):  # too large for float32 is reported as infinite
        return np.ascontiguousarray(channels, dtype=np.float32)


def _finite(channels: np.ndarray) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):
        # One pass over the memory; only a sum that overflows needs a closer look.
        return bool(np.isfinite(channels.sum()) or np.isfinite(channels).all())


def _lengths(spacing: Sequence[float], dimensions: int, weight: float) -> np.ndarray:
    try:
        steps = np.asarray(spacing, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"The spacing must be numbers, but is {spacing!r}.") from None
    if steps.shape != (dimensions,):
        raise InputError(
            f"The spacing must have {dimensions} values, one for each axis of the seeds, but is "
            f"{spacing!r}."
        )
    largest = np.finfo(np.float32).max / 2
    if not ((steps > 0) & (steps < largest)).all():
        raise InputError(f"The spacing must be positive and finite (mm), but is {spacing!r}.")
    steps = np.concatenate([np.ones(3 - dimensions), steps])
    lengths = np.empty((2, 2, 2), dtype=np.float32)
    for moves in product((0, 1), repeat=3):
        lengths[moves] = (1 - weight) * math.hypot(*(steps * moves))
    return lengths
