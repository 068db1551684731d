"""Poor segmentations, for users to correct: true masks that were distorted at random."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def corrupted(
    truth: np.ndarray, spacing: tuple[float, float, float], random: np.random.Generator
) -> np.ndarray:
    """Return a distorted version of a mask, as the probability of a poor segmentation.

    The signed distance to the mask's border gets a smooth random field added: the border wanders,
    parts go missing, and blobs appear.

    Args:
        truth: bool, axes (k, j, i).
        spacing: mm along (k, j, i).
        random: source of every choice.

    Returns:
        float32 in [0, 1]; hard (0 and 1) half of the time.
    """
    field = smooth_field(truth.shape, spacing, random.uniform(8, 30), random=random)
    # Often small: refinement mostly starts from a segmentation that is nearly right.
    amplitude = np.exp(random.uniform(np.log(0.7), np.log(10)))
    shift = random.normal(0, 0.3 * amplitude)
    if truth.any():
        inside = ndimage.distance_transform_edt(truth, spacing)
        distance = inside - ndimage.distance_transform_edt(~truth, spacing)
        distance = np.clip(distance, -3 * amplitude, 3 * amplitude)
    else:
        distance = np.full(truth.shape, -2.5 * amplitude)
    level = distance + amplitude * field + shift
    if random.random() < 0.5:
        return (level > 0).astype(np.float32)
    return (1 / (1 + np.exp(-np.clip(level / random.uniform(0.5, 2), -30, 30)))).astype(np.float32)


def smooth_field(
    shape: tuple[int, ...],
    spacing: tuple[float, float, float],
    scale: float,
    *,
    random: np.random.Generator,
) -> np.ndarray:
    """Return normal noise of unit spread that varies over about ``scale`` mm."""
    coarse = [max(2, round(n * s / scale) + 1) for n, s in zip(shape, spacing, strict=True)]
    noise = random.normal(size=coarse)
    zoom = [n / c for n, c in zip(shape, coarse, strict=True)]
    field = ndimage.zoom(noise, zoom, order=1, grid_mode=True, mode="nearest")
    return field / max(float(field.std()), 1e-6)
