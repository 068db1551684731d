"""Crop, normalize and resample a volume for a network, and bring results back exactly.

Networks see a box of the volume on a working grid; everything they return is brought back to the
voxels of that box. A box and a working shape define the mapping completely (``WorkingGrid``), so
the same object serves both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.intensities import evenly_sampled, intensity_range, typical_values

Box = tuple[slice, slice, slice]

# Slices that are resampled together where an array is too large to hold twice.
_SLAB = 16

# Where voxels are so many times as large, or as small, as any that a network was trained for, the
# spacing says nothing of what it sees (a wrong unit, a microscope), and they are taken as they are.
_MOST_UPSAMPLING = 4.0
_MOST_DOWNSAMPLING = 32.0

# Grids finer than the volume's own have at most so many voxels (0.5 GB for each channel).
_MOST_VOXELS = 2**27

# mm: between an atom and what no patient fits into, a voxel can have any size.
_SMALLEST_VOXEL, _LARGEST_VOXEL = 1e-7, 1e3

# Half the interquartile range of a normal distribution, in standard deviations.
_HALF_IQR_OF_NORMAL = 0.6745


@dataclass(frozen=True)
class NormalizationSettings:
    """How intensities become network input.

    Attributes:
        threshold: voxels above ``low + threshold * (high - low)`` count as tissue, where low is
            the intensity of air and high the 99.5th percentile of what lies above it, both without
            padding and artifacts (see ``intensities``).
        clip: the normalized values are limited to this range.
    """

    threshold: float = 0.1
    clip: tuple[float, float] = (-4.0, 10.0)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.threshold < 1:
            raise InputError(f"threshold is {self.threshold:g}, expected a share from 0 to 1.")
        if not self.clip[0] < self.clip[1]:
            raise InputError(f"clip is {list(self.clip)}, expected a lower and a higher number.")


@dataclass(frozen=True)
class GridSettings:
    """The spacings a network was trained for.

    Attributes:
        minimum: mm along (k, j, i); finer axes are resampled to this.
        maximum: mm along (k, j, i); coarser axes are resampled to this.
        margin: mm of surroundings kept around the tissue.
    """

    minimum: tuple[float, float, float] = (2.0, 0.8, 0.8)
    maximum: tuple[float, float, float] = (8.0, 1.3, 1.3)
    margin: float = 5.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        pairs = zip(self.minimum, self.maximum, strict=True)
        if not all(0 < least <= most for least, most in pairs) or self.margin < 0:
            raise InputError(
                f"minimum is {list(self.minimum)}, maximum {list(self.maximum)} and margin "
                f"{self.margin:g}; spacings above 0 in this order, and a margin of 0 or more are "
                "expected."
            )


def tissue_mask(array: np.ndarray, settings: NormalizationSettings) -> np.ndarray:
    """Return where the volume holds tissue rather than air: bool, the shape of ``array``.

    Raises:
        InputError: the volume is constant.
    """
    low, high = intensity_range(array)
    if low == high:
        raise InputError(f"The volume is constant: every voxel is {low:g}.")
    return array > low + settings.threshold * (high - low)


@dataclass(frozen=True)
class Normalization:
    """Shifts and scales intensities by the median and the spread of the tissue.

    Median and interquartile range are used because a bright lesion or fat must not decide the
    scale of the brain around it.

    Attributes:
        median: intensity that becomes 0.
        spread: intensity difference that becomes 1.
        clip: the range of the results.
    """

    median: float
    spread: float
    clip: tuple[float, float]

    @classmethod
    def of(
        cls, array: np.ndarray, settings: NormalizationSettings, tissue: np.ndarray
    ) -> Normalization:
        """Measure a volume.

        Args:
            array: float32 voxels.
            settings: clipping range.
            tissue: bool, the shape of ``array``; see ``tissue_mask``.
        """
        values = typical_values(evenly_sampled(array, tissue), array)
        lower, median, upper = np.percentile(values, [25, 50, 75])
        spread = (upper - lower) / (2 * _HALF_IQR_OF_NORMAL)
        if spread <= 0:  # over half of the tissue has one value, as in a binary image
            limits = intensity_range(array)
            spread = float(values.clip(*limits).std()) or float(array.clip(*limits).std())
        return cls(float(median), float(spread), settings.clip)

    def apply(self, array: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return normalized float32 values of any part of the volume, in ``out`` if given."""
        out = np.subtract(array, np.float32(self.median), out=out)
        out *= np.float32(1 / self.spread)
        return np.clip(out, *self.clip, out=out)


def normalize(array: np.ndarray, settings: NormalizationSettings) -> np.ndarray:
    """Return a whole volume normalized: float32, the shape of ``array``.

    Raises:
        InputError: the volume is constant.
    """
    return Normalization.of(array, settings, tissue_mask(array, settings)).apply(array)


def bounding_box(mask: np.ndarray) -> Box | None:
    """Return the smallest box holding every true voxel, or None when there is none."""
    box = []
    for axis in range(mask.ndim):
        others = tuple(a for a in range(mask.ndim) if a != axis)
        hits = np.flatnonzero(mask.any(axis=others))
        if hits.size == 0:
            return None
        box.append(slice(int(hits[0]), int(hits[-1]) + 1))
    return tuple(box)


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
    return tuple(
        slice(min(a.start, b.start), max(a.stop, b.stop))
        for a, b in zip(first, second, strict=True)
    )


def grown_box(box: Box, margin: Sequence[int], shape: Sequence[int]) -> Box:
    """Return ``box`` grown by ``margin`` voxels on both sides of every axis, inside ``shape``."""
    return tuple(
        slice(max(0, s.start - m), min(n, s.stop + m))
        for s, m, n in zip(box, margin, shape, strict=True)
    )


def whole_box(shape: Sequence[int]) -> Box:
    """Return the box that holds a whole array."""
    return tuple(slice(0, n) for n in shape)


def working_spacing(spacing: Sequence[float], settings: GridSettings) -> tuple[float, float, float]:
    """Return the spacing a network works at: the volume's own, within what it was trained for.

    An axis that is far from anything it was trained for keeps its own.

    Raises:
        InputError: the spacing can't be true.
    """
    if not all(_SMALLEST_VOXEL <= s <= _LARGEST_VOXEL for s in spacing):
        raise InputError(
            f"The spacing {', '.join(f'{s:.4g}' for s in spacing)} mm (k, j, i) can't be true: "
            f"{_SMALLEST_VOXEL:g} to {_LARGEST_VOXEL:g} mm are expected. Correct it in the file, "
            "or in Slicer's Volumes module (image spacing)."
        )
    return tuple(
        min(max(s, low), high) if low / _MOST_DOWNSAMPLING <= s <= high * _MOST_UPSAMPLING else s
        for s, low, high in zip(spacing, settings.minimum, settings.maximum, strict=True)
    )


@dataclass(frozen=True)
class WorkingGrid:
    """A box of a volume and the shape it is resampled to.

    Attributes:
        box: slices (k, j, i) of the volume.
        shape: voxels (k, j, i) of the working grid.
        spacing: mm (k, j, i) between working voxels.
    """

    box: Box
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]

    @classmethod
    def of_box(cls, box: Box, spacing: Sequence[float], settings: GridSettings) -> WorkingGrid:
        """Return the working grid of a box in a volume with the given spacing (mm; k, j, i).

        However large the box, it is made finer by no more than memory allows.

        Raises:
            InputError: the spacing can't be true.
        """
        targets = working_spacing(spacing, settings)
        sizes = [part.stop - part.start for part in box]
        shape = [
            max(1, round(size * own / target))
            for size, own, target in zip(sizes, spacing, targets, strict=True)
        ]
        if prod(shape) > _MOST_VOXELS:
            shape = [min(count, size) for count, size in zip(shape, sizes, strict=True)]
        exact = [own * size / count for own, size, count in zip(spacing, sizes, shape, strict=True)]
        return cls(box=box, shape=tuple(shape), spacing=tuple(exact))

    @property
    def box_shape(self) -> tuple[int, int, int]:
        """Voxels (k, j, i) of the box on the volume's grid."""
        return tuple(s.stop - s.start for s in self.box)

    def to_working(self, array: np.ndarray) -> np.ndarray:
        """Resample real values from the voxels of the box to the working grid."""
        return resample(array, self.shape)

    def to_volume(self, array: np.ndarray) -> np.ndarray:
        """Resample real values from the working grid to the voxels of the box."""
        return resample(array, self.box_shape)

    def part_to_volume(self, array: np.ndarray, part: Box) -> np.ndarray:
        """Resample what ``to_volume`` would, in a part of the box alone (slices within it)."""
        for axis in sorted(range(3), key=lambda axis: self.box_shape[axis] / array.shape[axis]):
            wanted = part[axis]
            if array.shape[axis] == self.box_shape[axis]:
                array = array[tuple(wanted if a == axis else slice(None) for a in range(3))]
            else:
                weights = _interpolation_weights(array.shape[axis], self.box_shape[axis])
                array = _weighted_sums(array.astype(np.float32, copy=False), weights[wanted], axis)
        return np.ascontiguousarray(array)

    def part_around(self, working: Box, margin: int) -> Box:
        """Return the part of the box (slices within it) that holds working voxels and a margin."""
        return tuple(
            slice(
                max(0, (own.start - margin) * size // count),
                min(size, -(-(own.stop + margin) * size // count)),
            )
            for own, size, count in zip(working, self.box_shape, self.shape, strict=True)
        )

    def voxels_to_working(self, voxels: np.ndarray) -> np.ndarray:
        """Return the working voxels (n, 3) that hold voxels of the volume, without those outside.

        Args:
            voxels: (n, 3) indices (k, j, i) of the volume.
        """
        starts = np.array([part.start for part in self.box])
        inside = np.all((voxels >= starts) & (voxels < [part.stop for part in self.box]), axis=1)
        ratio = np.array(self.shape) / np.array(self.box_shape)
        return ((voxels[inside] - starts + 0.5) * ratio).astype(np.intp)

    def seeds_to_working(self, seeds: np.ndarray) -> np.ndarray:
        """Return the working voxels that hold at least one seed (bool, the box's shape).

        A thin stroke must not vanish where the working grid is coarser.
        """
        if self.shape == self.box_shape:
            return seeds
        working = np.zeros(self.shape, dtype=bool)
        indices = [
            ((index + 0.5) * n / size).astype(np.intp)
            for index, n, size in zip(np.nonzero(seeds), self.shape, self.box_shape, strict=True)
        ]
        working[tuple(indices)] = True
        return working


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
    total: np.ndarray | None = None
    for step in range(most):
        place = np.minimum(first + step, weights.shape[1] - 1)
        factor = np.where(place == first + step, weights[np.arange(len(place)), place], 0)
        part = array.take(place, axis=axis)
        part *= factor.astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        total = part if total is None else np.add(total, part, out=total)
    return total
