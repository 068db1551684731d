"""The paper's simulated user: random points in every region that is labeled wrongly.

The rule in 2D is the paper's, as its re-implementation restates it; what the paper does in 3D is
not known, and is taken from that re-implementation.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

# Pixels: smaller regions get no point, larger ones a point for each so many.
_SMALLEST, _PIXELS_A_POINT = 30, 100


def paper_points(
    labels: np.ndarray, truth: np.ndarray, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return the points that the paper's user would set.

    For each class, in the slice with the most wrong voxels along each axis (along k alone where
    there is but one slice), each face-connected wrong region of N >= 30 pixels gets ceil(N / 100)
    different random pixels.

    Args:
        labels: the segmentation, bool, axes (k, j, i).
        truth: the same.
        random: source of every choice.

    Returns:
        bool masks by class: "foreground" where the segmentation misses something, "background"
        where it has too much.
    """
    wrong = {"foreground": truth & ~labels, "background": labels & ~truth}
    return {name: _points_in(mask, random) for name, mask in wrong.items()}


def _points_in(wrong: np.ndarray, random: np.random.Generator) -> np.ndarray:
    points = np.zeros(wrong.shape, dtype=bool)
    for axis in range(3 if wrong.shape[0] > 1 else 1):
        others = tuple(a for a in range(3) if a != axis)
        number = int(wrong.sum(axis=others).argmax())
        # Views: what is set in them is set in the volume.
        area, painted = np.moveaxis(wrong, axis, 0)[number], np.moveaxis(points, axis, 0)[number]
        regions, count = ndimage.label(area)
        for region in range(1, count + 1):
            pixels = np.flatnonzero(regions == region)
            if pixels.size >= _SMALLEST:
                chosen = random.choice(
                    pixels, math.ceil(pixels.size / _PIXELS_A_POINT), replace=False
                )
                painted[np.unravel_index(chosen, area.shape)] = True
    return points
