"""Intensities of a window on a scale of their own."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

# Values that percentiles and the histogram are made of at least, and the histogram's bins.
_SAMPLE, _BINS = 20_000, 256

# Neighbors in the slice: of a corner of a right angle, most of them are inside, so it stays.
_CROSS = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], dtype=bool)


def scaled(image: np.ndarray) -> np.ndarray:
    """Return intensities from 0 to 1: half way between their own scale and their ranks.

    Where most of a window is air or soft tissue, ranks give the differences there their share of
    the scale, whatever bone or metal is brighter; the own scale keeps noise in flat places small.

    Args:
        image: float32, axes (k, j, i).
    """
    step = max(1, image.size // _SAMPLE)
    sample = image.ravel()[::step]
    low, high = np.percentile(sample, [1, 99])
    if high <= low:
        low, high = float(image.min()), float(image.max())
    if high <= low:
        return np.zeros(image.shape, dtype=np.float32)
    linear = np.clip((image - np.float32(low)) / np.float32(high - low), 0, 1)
    bins = np.minimum((linear * _BINS).astype(np.intp), _BINS - 1)
    counts = np.bincount(bins.ravel(), minlength=_BINS).cumsum()
    ranks = (counts - counts[0]) / max(1, counts[-1] - counts[0])
    centers = (np.arange(_BINS) + 0.5) / _BINS
    equalized = np.interp(linear, centers, ranks)
    return (0.5 * linear + 0.5 * equalized).astype(np.float32)


def without_noise(intensities: np.ndarray) -> np.ndarray:
    """Return the median of each voxel and its neighbors in the slice: edges stay where they are."""
    return ndimage.median_filter(intensities, footprint=_CROSS)
