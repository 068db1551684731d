"""Clicks: a place becomes a small stroke."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, three

# A click is a ball of this radius, in the finest voxel edge of the volume: a disk of 13 pixels in
# its slice where slices are thick, 33 voxels where they are not. It does not count millimeters,
# because a cell under a microscope is clicked at as well as a liver.
CLICK_RADIUS = 2.0

Place = tuple[int, int, int]


def clicked(shape: Sequence[int], spacing: Sequence[float], places: Sequence[Place]) -> np.ndarray:
    """Return the strokes of clicks: bool, axes (k, j, i).

    Args:
        shape: of the volume, (k, j, i).
        spacing: mm along (k, j, i).
        places: voxels (k, j, i).

    Raises:
        InputError: a place is not in the volume.
    """
    strokes = np.zeros(tuple(shape), dtype=bool)
    for place in places:
        if not all(0 <= index < size for index, size in zip(place, shape, strict=True)):
            raise InputError(
                f"The click at (k, j, i) = {tuple(place)} is not in the volume, which has "
                f"{tuple(shape)} voxels."
            )
        box, ball = ball_around(place, shape, spacing=spacing)
        strokes[box] |= ball
    return strokes


def ball_around(
    place: Place, shape: Sequence[int], *, spacing: Sequence[float], radius: float = CLICK_RADIUS
) -> tuple[Box, np.ndarray]:
    """Return the part of a ball that lies in a volume: its box, and bool voxels of that box.

    Args:
        place: the middle, a voxel (k, j, i).
        shape: of the volume.
        spacing: mm along (k, j, i).
        radius: in the finest voxel edge.
    """
    edges = [edge for edge, size in zip(spacing, shape, strict=True) if size > 1]
    reach = radius * min(edges or spacing)
    box = three(
        slice(max(0, index - int(reach / edge)), min(size, index + int(reach / edge) + 1))
        for index, edge, size in zip(place, spacing, shape, strict=True)
    )
    away = (
        (np.arange(part.start, part.stop) - index) * edge
        for part, index, edge in zip(box, place, spacing, strict=True)
    )
    k, j, i = np.ix_(*away)
    return box, k**2 + j**2 + i**2 <= reach**2 * (1 + 1e-6)
