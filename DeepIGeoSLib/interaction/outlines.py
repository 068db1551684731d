"""Outlines: a closed stroke in a slice counts as its area.

Who follows a wall, or the rim of a cell, draws a closed stroke as well, and means the ring. The
image tells them apart: inside of a ring it looks different.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.users.stroke_shape import ends_of, strokes_in

# Ends that are nearer to each other than this share of the stroke's length meet.
_GAP = 0.2

# An outline encloses more than it covers, times this; less is the inside of a scribble.
_ENCLOSES = 1.0

# How surely intensities must tell a ring from what it encloses, 0.5 (not at all) to 1. Of the
# closed foreground strokes of MedScribble the 11 that meant their area had up to .85, the 6 rings
# from .87.
_APART = 0.86

# Intensities of each kind that are compared at most.
_MOST = 500


def outlined(
    strokes: np.ndarray, image: np.ndarray | None = None, axis: int | None = None
) -> np.ndarray:
    """Return strokes with the areas of those that are outlines.

    A stroke is an outline where its ends meet, or it crosses itself, and it encloses more than it
    covers. With an image, it stays a line where it looks different from what it encloses.

    Args:
        strokes: bool, axes (k, j, i), painted at one time: strokes of different rounds that touch
            each other may enclose what nobody meant.
        image: intensities, the same shape; not looked at when None.
        axis: across the slices that were painted in; when None, for each stroke the one in which it
            is one voxel thick, and k for those that are thick everywhere.

    Returns:
        A new bool array, which holds all the strokes.
    """
    result = strokes.copy()
    numbered, _ = ndimage.label(strokes, np.ones((3, 3, 3)))
    for number, around in enumerate(ndimage.find_objects(numbered), start=1):
        across = _flat_axis(around) if axis is None else axis
        stroke = numbered[around] == number
        for place in np.flatnonzero(stroke.any(axis=_others(across))):
            part = tuple(int(place) if one == across else slice(None) for one in range(3))
            pixels = None if image is None else image[around][part]
            for line in strokes_in(stroke[part]):
                area = _area(line, pixels)
                if area is not None:
                    result[around][part] |= area
    return result


def _flat_axis(box: Box) -> int:
    """Return the first axis along which a box is one voxel thick, or k."""
    flat = [axis for axis, part in enumerate(box) if part.stop - part.start == 1]
    return flat[0] if flat else 0


def _others(axis: int) -> tuple[int, ...]:
    return tuple(other for other in range(3) if other != axis)


def _area(stroke: np.ndarray, image: np.ndarray | None) -> np.ndarray | None:
    """Return the area of a stroke in a slice, bool (row, column); None when it is a line."""
    closed = stroke.copy()
    first, last, length = ends_of(stroke)
    if np.linalg.norm(first - last) <= _GAP * length:
        closed[_line(first, last)] = True
    area = ndimage.binary_fill_holes(closed)
    enclosed = area & ~stroke
    if np.count_nonzero(enclosed) <= _ENCLOSES * np.count_nonzero(stroke):
        return None
    ring = image is not None and _told_apart(image[stroke], image[enclosed]) > _APART
    return None if ring else area


def _told_apart(first: np.ndarray, second: np.ndarray) -> float:
    """Return how surely values tell two groups apart: the area under the ROC curve, 0.5 to 1."""
    first, second = (values[:: -(-values.size // _MOST)] for values in (first, second))
    larger = (first[:, np.newaxis] > second).mean() + (first[:, np.newaxis] == second).mean() / 2
    return float(max(larger, 1 - larger))


def _line(first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the pixels of the straight line between two."""
    count = int(np.abs(last - first).max()) + 1
    return tuple(np.rint(np.linspace(first, last, count)).astype(int).T)
