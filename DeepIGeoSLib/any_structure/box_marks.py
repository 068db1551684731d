"""What a box says: the target lies in it, and its faces are background."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, three

# The probability that a box stands for before it is answered.
PERHAPS = 0.5


def in_box(shape: Sequence[int], box: Box) -> np.ndarray:
    """Return the voxels of a box: bool, axes (k, j, i)."""
    inside = np.zeros(shape, dtype=bool)
    inside[box] = True
    return inside


def faces(shape: Sequence[int], box: Box) -> np.ndarray:
    """Return the voxels that touch a box from outside, one layer: bool, axes (k, j, i)."""
    around = three(
        slice(max(0, part.start - 1), min(size, part.stop + 1))
        for part, size in zip(box, shape, strict=True)
    )
    shell = in_box(shape, around)
    shell[box] = False
    return shell
