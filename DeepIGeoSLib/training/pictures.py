"""Pictures of validation cases, for TensorBoard and Weights & Biases."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_TRUTH, _PREDICTION = (255, 215, 0), (255, 60, 60)

# Small slices are enlarged to about so many pixels, so that outlines can be told apart.
_SIZE = 192


def outlined(image: np.ndarray, truth: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Draw the slice with most of the target, the truth's outline (gold) and the labels' (red).

    Where the target is empty, it is the slice with most of the labels, or the middle one.

    Args:
        image: real values, axes (k, j, i).
        truth: bool, or the number of the target of each voxel; the same shape.
        labels: the same.

    Returns:
        uint8, axes (row, column, color); rows are j.
    """
    shown = truth if truth.any() else labels
    k = int(np.count_nonzero(shown, axis=(1, 2)).argmax()) if shown.any() else len(image) // 2
    low, high = np.percentile(image[k], [0.5, 99.5])
    gray = np.clip((image[k] - low) / max(float(high - low), 1e-6), 0, 1)
    factor = max(1, round(_SIZE / max(gray.shape)))
    picture = np.repeat(
        (255 * _enlarged(gray, factor)).astype(np.uint8)[..., np.newaxis], 3, axis=2
    )
    for numbers, color in ((truth[k], _TRUTH), (labels[k], _PREDICTION)):
        for number in np.unique(numbers[numbers > 0]):
            large = _enlarged(numbers == number, factor)
            picture[large & ~ndimage.binary_erosion(large)] = color
    return picture


def _enlarged(array: np.ndarray, factor: int) -> np.ndarray:
    return np.repeat(np.repeat(array, factor, axis=0), factor, axis=1)
