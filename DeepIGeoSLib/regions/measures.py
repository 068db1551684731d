"""What tells a region that a user means from one that has leaked: its border and its inside.

All regions of a family are measured at once: a pair of voxels crosses the borders of the regions
from the first that holds one of them to the last that does not hold the other.
"""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.regions.growth import Family, Window

MEASURES = (
    "contrast",
    "one-sidedness",
    "separation",
    "spread",
    "overlap",
    "drift",
    "stability",
    "size",
    "share of the window",
    "pixels",
    "cut off",
    "shared border",
    "likeness",
    "size against ours",
    "lost contrast",
    "around",
    "lengths",
)

# Pixels between the voxels that are compared across a border: a border is blurred.
_ACROSS = 3

# Bins of intensities.
_BINS = 32


def measured(window: Window, family: Family, zoom: float) -> np.ndarray:
    """Return the measures of each region of a family: float64, axes (region, measure).

    Args:
        window: in which they have grown.
        family: the regions.
        zoom: pixels of the image along a pixel of the window.

    Returns:
        In the order of ``MEASURES``: mean difference of intensities across the border; share of it
        that has one sign; difference of the means inside and beside the border, in standard
        deviations; standard deviation inside; Bhattacharyya coefficient of the histograms inside
        and beside the border; difference of the mean inside from the seeds' median; how fast the
        distance rises with the size; logarithms of the size in the image's pixels, in voxels that
        are free, and in the window's pixels; shares of the border where the window ends and where
        the same class lies beyond; and 1 for distances with lengths.
    """
    count = len(family.reached)
    bins = np.minimum((window.intensities * _BINS).astype(np.int32), _BINS - 1)
    inside = _histograms(family.number, bins, count)
    outside, across, signed, shared, lost = _border(window, family, bins)
    ours = np.bincount(bins[window.ours], minlength=_BINS)[np.newaxis]
    levels = (np.arange(_BINS) + 0.5) / _BINS
    voxels = inside.sum(axis=1)
    mean, variance = _moments(inside, levels)
    beside, beside_variance = _moments(outside, levels)
    pairs = np.maximum(outside.sum(axis=1), 1e-9)
    difference = np.abs(mean - beside)
    overlap = np.sqrt(_shares(inside) * _shares(outside)).sum(axis=1)
    cell = float(np.prod(window.spacing))
    pixels = np.log(voxels * cell)
    dimensions = sum(size > 1 for size in window.free.shape)
    faces = _cut_off(window, family)
    border = pairs + shared + faces
    columns = (
        across / pairs,
        np.abs(signed) / np.maximum(across, 1e-9),
        difference / np.sqrt(variance + beside_variance + 1e-4),
        np.sqrt(variance),
        overlap,
        np.abs(mean - float(np.median(window.intensities[window.seeds]))),
        _stability(family.reached, voxels),
        pixels + dimensions * np.log(zoom),
        np.log(voxels / np.count_nonzero(window.free)),
        pixels,
        faces / border,
        shared / border,
        np.sqrt(_shares(inside) * _shares(ours)).sum(axis=1),
        np.log((voxels + 1) / (ours.sum() + 1)),
        lost / np.maximum(shared, 1e-9),
        np.full(count, float(family.around)),
        np.full(count, float(family.lengths)),
    )
    return np.stack(columns, axis=1)


def _border(window: Window, family: Family, bins: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return sums over the pairs across each region's border, weighted by the area between them.

    Returns:
        Histograms of the outer voxels (region, bin), sums of the differences without and with
        their sign (region); of the pairs towards voxels of the same class the number and the sum
        of the differences (region).
    """
    count, number = len(family.reached), family.number
    outer = np.zeros((count, _BINS))
    across, signed, shared, lost = np.zeros((4, count))
    for axis, step in enumerate(window.spacing):
        reach = _ACROSS if step <= 2 else 1
        if number.shape[axis] <= reach:
            continue
        area = float(np.prod(window.spacing)) / step
        ones = (slice(None),) * axis + (slice(None, -reach),)
        others = (slice(None),) * axis + (slice(reach, None),)
        crossing = number[ones] != number[others]
        pair = [array[part][crossing] for array in (number, bins) for part in (ones, others)]
        first, second, first_bin, second_bin = pair
        swapped = second < first
        low, high = np.where(swapped, second, first), np.where(swapped, first, second)
        inner_bin = np.where(swapped, second_bin, first_bin)
        outer_bin = np.where(swapped, first_bin, second_bin)
        same = np.where(swapped, window.ours[ones][crossing], window.ours[others][crossing])
        outer += area * (
            _histograms(low[~same], outer_bin[~same], count)
            - _histograms(high[~same], outer_bin[~same], count)
        )
        difference = (inner_bin - outer_bin) / _BINS
        for sums, chosen, values in (
            (across, ~same, np.abs(difference)),
            (signed, ~same, difference),
            (shared, same, np.ones(len(low))),
            (lost, same, np.abs(difference)),
        ):
            values = values[chosen]
            sums += area * (_sums(low[chosen], count, values) - _sums(high[chosen], count, values))
    return outer, across, signed, shared, lost


def _histograms(numbers: np.ndarray, bins: np.ndarray, count: int) -> np.ndarray:
    """Return the histogram of each region, from the number of the first that holds a voxel."""
    sums = np.bincount((numbers * _BINS + bins).ravel(), minlength=(count + 1) * _BINS)
    return sums.reshape(count + 1, _BINS)[:count].cumsum(axis=0)


def _sums(numbers: np.ndarray, count: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the sum of weights (1 when None) in each region, numbered in the same way."""
    return np.bincount(numbers.ravel(), weights, minlength=count + 1)[:count].cumsum()


def _cut_off(window: Window, family: Family) -> np.ndarray:
    """Return the area of each region where the window ends but the image does not."""
    count, total = len(family.reached), 0
    for axis, (before, behind) in enumerate(window.cut_off):
        area = float(np.prod(window.spacing)) / window.spacing[axis]
        for place, ends in ((0, before), (-1, behind)):
            if ends:
                total = total + area * _sums(family.number.take(place, axis=axis), count)
    return np.zeros(count) + total


def _stability(reached: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Return how steeply the logarithm of the distance rises with that of the size."""
    if len(reached) < 2:
        return np.zeros(len(reached))
    rise = np.gradient(reached) / np.maximum(np.gradient(np.log(voxels)), 1e-3)
    return rise / (reached + 1e-6)


def _shares(histograms: np.ndarray) -> np.ndarray:
    return histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1e-9)


def _moments(histograms: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    shares = _shares(histograms)
    mean = shares @ levels
    return mean, np.maximum(shares @ levels**2 - mean**2, 0)
