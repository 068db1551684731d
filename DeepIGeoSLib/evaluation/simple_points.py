"""Pixels that can change sides without a change of topology ("simple points").

The foreground is connected by edges (4 neighbors), the background by edges and corners (8), as
cells and the membranes between them are. Whether a pixel is simple follows from its 8 neighbors:
there must be exactly one part of foreground that touches it by an edge, and exactly one part of
background that touches it at all (Bertrand and Malandain, 1994).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

# Clockwise from the upper left one: bit n of a code is neighbor n.
_PLACES = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))
_BY_EDGE = ((0, 1), (1, 2), (2, 1), (1, 0))
_EDGES, _ALL = ndimage.generate_binary_structure(2, 1), np.ones((3, 3), dtype=bool)


def eight_neighbors(width: int) -> tuple[int, ...]:
    """Return the steps to the neighbors of a pixel in a flat image of that width."""
    return tuple((row - 1) * width + column - 1 for row, column in _PLACES)


def code_at(flat: np.ndarray, place: int, around: Sequence[int]) -> int:
    """Return the neighborhood of a pixel as a number from 0 to 255, an index of ``IS_SIMPLE``.

    Args:
        flat: 0 and 1, an image by rows.
        place: of a pixel inside of it.
        around: from ``eight_neighbors``.
    """
    code = 0
    for bit, step in enumerate(around):
        code |= int(flat[place + step]) << bit
    return code


def _is_simple(code: int) -> bool:
    patch = np.zeros((3, 3), dtype=bool)
    for bit, place in enumerate(_PLACES):
        patch[place] = code >> bit & 1
    foreground = ndimage.label(patch, _EDGES)[0]
    touching = {foreground[place] for place in _BY_EDGE} - {0}
    patch[1, 1] = True  # neither side: the pixel itself is left out of both
    background = ndimage.label(~patch, _ALL)[1]
    return len(touching) == 1 and background == 1


IS_SIMPLE = tuple(_is_simple(code) for code in range(256))
