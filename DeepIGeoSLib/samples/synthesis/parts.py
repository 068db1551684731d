"""Parts of a target that are targets, too: half of an organ, or one of three lesions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.samples.synthesis.fields import coordinates, rotated, smooth_noise


def part_of(
    mask: np.ndarray,
    spacing: Sequence[float],
    anchor: Sequence[int],
    *,
    random: np.random.Generator,
) -> np.ndarray:
    """Return a part of a mask that holds a voxel: mostly the mask's connected piece there.

    Args:
        mask: bool, axes (k, j, i), true at ``anchor``.
        spacing: of the voxels, in pixels.
        anchor: voxel (k, j, i).
        random: source of every choice.

    Returns:
        bool, the same shape, true at ``anchor``.
    """
    place = tuple(int(a) for a in anchor)
    chance = random.random()
    if chance < 0.82:
        return _piece(mask, place)
    if chance < 0.89:
        return mask.copy()
    if chance < 0.94:  # what lies on the anchor's side of a plane
        side = rotated(coordinates(mask.shape, spacing, place), random, mask.shape[0] == 1)[1]
        size = np.sqrt(np.count_nonzero(mask) / np.pi) * random.uniform(0.2, 1)
        return _piece(mask & (side < size), place)
    if chance < 0.97:  # what lies on the anchor's side of a curved surface
        field = smooth_noise(mask.shape, spacing, 0.4 * max(mask.shape[1:]), random=random)
        return _piece(mask & (field > field[place] - random.uniform(0.2, 1)), place)
    return ndimage.binary_fill_holes(_piece(mask, place))


def _piece(mask: np.ndarray, place: tuple[int, ...]) -> np.ndarray:
    numbered, count = ndimage.label(mask)
    return mask.copy() if count <= 1 else numbered == numbered[place]
