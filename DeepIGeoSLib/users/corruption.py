"""Poor segmentations, for users to correct: true masks that were distorted at random."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import box_around, grown_box, three


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


def nearly_right(
    truth: np.ndarray, spacing: tuple[float, float, float], random: np.random.Generator
) -> np.ndarray:
    """Return a mask with few local mistakes, as corrections meet it: a border that trembles, dents.

    One to three balls at the border, up to as thick as the target, are added or cut away.

    Args:
        truth: bool, axes (k, j, i), not empty.
        spacing: mm along (k, j, i), or any other unit.
        random: source of every choice.

    Returns:
        bool.
    """
    longest = max(part.stop - part.start for part in box_around(truth))
    box = grown_box(box_around(truth), 4 + longest // 2, truth.shape)
    wrong = np.zeros_like(truth)
    wrong[box] = _dented(truth[box], np.array(spacing), random)
    return wrong


def _dented(truth: np.ndarray, spacing: np.ndarray, random: np.random.Generator) -> np.ndarray:
    inside = ndimage.distance_transform_edt(truth, spacing)
    distance = inside - ndimage.distance_transform_edt(~truth, spacing)
    pixel = spacing.min()
    scale, trembling = random.uniform(4, 12) * pixel, random.uniform(0, 0.8) * pixel
    field = smooth_field(truth.shape, three(spacing), scale, random=random)
    wrong = distance + trembling * field > 0
    border = np.argwhere(np.abs(distance) <= spacing.max())
    places = np.indices(truth.shape).reshape(3, -1) * spacing[:, None]
    for _ in range(int(random.integers(1, 4)) if len(border) else 0):
        middle = border[random.integers(len(border))] * spacing
        radius = max(1.5 * pixel, random.uniform(0.2, 1.0) * inside.max())
        away = ((places - middle[:, None]) ** 2).sum(axis=0).reshape(truth.shape)
        wrong[away <= radius**2] = random.random() < 0.5
    return wrong


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
