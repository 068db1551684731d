"""Boxes and outlines as users draw them: about right."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import Box, bounding_box

# A box is drawn larger than the target, on each side by up to this share of its length, and so many
# voxels; one that fills more of the window than this says nothing.
_LOOSE, _VOXELS, _MOST = 0.25, 2, 0.6

# Pixels by which an outline is smoothed, and the level it is drawn at: inside of the border or out.
_SMOOTHED, _LEVELS = 1.0, (0.35, 0.65)


def random_box(target: np.ndarray, random: np.random.Generator) -> Box | None:
    """Return a box around a target, bool (k, j, i); None where it fills most of the window."""
    box = []
    for part, size in zip(bounding_box(target), target.shape, strict=True):
        room = _LOOSE * (part.stop - part.start) + _VOXELS
        before, after = (int(random.uniform(0, room)) for _ in range(2))
        box.append(slice(max(0, part.start - before), min(size, part.stop + after)))
    share = np.prod([(part.stop - part.start) for part in box]) / target.size
    return tuple(box) if share <= _MOST else None


def random_outline(target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the area that a user outlines in a slice where much of the target is: bool (k, j, i).

    Half of the time only one of the target's parts in the slice.
    """
    sizes = target.sum(axis=(1, 2))
    number = int(random.choice(np.flatnonzero(sizes >= 0.5 * sizes.max())))
    area = target[number]
    if random.random() < 0.5:
        numbered, count = ndimage.label(area)
        area = numbered == 1 + int(random.integers(count))
    smooth = ndimage.gaussian_filter(area.astype(np.float32), _SMOOTHED)
    drawn = smooth >= random.uniform(*_LEVELS)
    outline = np.zeros(target.shape, dtype=bool)
    outline[number] = drawn if drawn.any() else area
    return outline
