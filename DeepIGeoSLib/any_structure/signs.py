"""What the answers to a first stroke look like at each zoom, see ``zoom_choice``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.any_structure.tries import Try

# Most that counts as cut off, in parts of the answer's surface.
_MOST_CUT = 3.0

# Pixels around an answer that it is to stand out from.
_RIM = 2


def signs(tries: Sequence[Try]) -> np.ndarray:
    """Return the signs of each try, the finest zoom first: float64 (n, ``SIGNS``)."""
    changes = [one.changed for one in tries]
    agreements = [
        _agreement(tries[number], changes[number], tries[number + 1], changes[number + 1])
        for number in range(len(tries) - 1)
    ]
    # The finest has no finer one: whether the next coarser found the same.
    agreements = [*agreements[:1], *agreements] if agreements else [1.0]
    return np.array(
        [
            (one.confidence, np.log1p(change.sum()), _cut_off(one, change), agrees, _contrast(one))
            for one, change, agrees in zip(tries, changes, agreements, strict=True)
        ]
    )


def _cut_off(one: Try, change: np.ndarray) -> float:
    """Return how much of a change lies at faces of the window, beside the surface it may have."""
    at_faces = sum(
        np.count_nonzero(change.take(end, axis))
        for axis, part in enumerate(one.grid.box)
        for end, inside in ((0, part.start > 0), (-1, part.stop < one.whole[axis]))
        if inside
    )
    return min(at_faces / max(1.0, change.sum() ** (2 / 3)), _MOST_CUT)


def _agreement(fine: Try, fine_change: np.ndarray, coarse: Try, coarse_change: np.ndarray) -> float:
    """Return the Dice of two changes, on the voxels of the coarser window."""
    places = [
        _places(fine.grid.box[axis], fine.grid.shape[axis], part, coarse.grid.shape[axis])
        for axis, part in enumerate(coarse.grid.box)
    ]
    seen = np.zeros(coarse.grid.shape, dtype=bool)
    inside = [place >= 0 for place in places]
    seen[np.ix_(*inside)] = fine_change[
        np.ix_(*(p[i] for p, i in zip(places, inside, strict=True)))
    ]
    total = seen.sum() + coarse_change.sum()
    return float(2 * (seen & coarse_change).sum() / total) if total else 1.0


def _places(fine: slice, fine_count: int, coarse: slice, coarse_count: int) -> np.ndarray:
    """Return the fine working voxel at the middle of each coarse one along an axis, -1 outside."""
    middles = coarse.start + (np.arange(coarse_count) + 0.5) / coarse_count * (
        coarse.stop - coarse.start
    )
    found = np.floor((middles - fine.start) / (fine.stop - fine.start) * fine_count).astype(int)
    return np.where((found >= 0) & (found < fine_count), found, -1)


def _contrast(one: Try) -> float:
    """Return how far an answer's mean intensity is from that of the rim around it."""
    after = one.after >= 0.5
    rim = ndimage.binary_dilation(after, iterations=_RIM) & ~after
    if not rim.any() or not after.any():
        return 0.0
    return abs(float(one.difference[after].mean() - one.difference[rim].mean()))
