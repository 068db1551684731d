"""What the answers to a stroke look like, see ``choice``."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.any_structure.tries import GrownTry, NetworkTry, Try
from DeepIGeoSLib.grid.boxes import box_around

# Most that counts as cut off, in parts of the answer's surface.
_MOST_CUT = 3.0

# Pixels around an answer that it is to stand out from.
_RIM = 2


def signs(tries: Sequence[Try]) -> np.ndarray:
    """Return the signs of each answer: float64 (n, ``SIGNS``).

    Args:
        tries: the network's from the finest zoom to the coarsest, then others.
    """
    own = [one for one in tries if isinstance(one, NetworkTry)]
    grown = [one for one in tries if isinstance(one, GrownTry)]
    depth = np.log(_depth(own[0]))
    rows = []
    for one in tries:
        changed = one.changed
        looks: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
        if isinstance(one, NetworkTry):
            alike = [other for other in own if other.sure == one.sure]
            zoom = next(number for number, other in enumerate(alike) if other is one)
            looks = (_found_finer(alike, zoom), _contrast(one), zoom, one.sure)
        others = grown if isinstance(one, NetworkTry) else own
        size = np.log1p(changed.sum() * _cubic_pixels(one))
        for_its_depth = size - _dimensions(one) * depth
        rows.append(
            (
                one.confidence,
                size,
                np.log1p(changed.sum()) - np.log1p(np.count_nonzero(one.shown >= 0.5)),
                for_its_depth,
                for_its_depth**2,
                _cut_off(one, changed),
                *looks,
                _in_the_middle(one, changed),
                max((_agreement(other, one) for other in others), default=0.0),
                float(isinstance(one, GrownTry)),
            )
        )
    return np.array(rows)


def _found_finer(tries: Sequence[Try], zoom: int) -> float:
    """Return whether the next finer zoom found the same; of the finest, the next coarser one."""
    if len(tries) == 1:
        return 1.0
    coarse = max(zoom, 1)
    return _agreement(tries[coarse - 1], tries[coarse])


def _cubic_pixels(one: Try) -> float:
    """Return how many of the finest pixels of the volume a working voxel stands for."""
    return float(
        np.prod(one.grid.box_shape) / np.prod(one.grid.shape) * np.prod(one.lattice.spacing)
    )


def _dimensions(one: Try) -> int:
    return sum(size > 1 for size in one.lattice.shape)


def _depth(one: Try) -> float:
    """Return how far new strokes are from the border of the segmentation, in pixels.

    People mark a mistake where it is thickest, so it is about as thick as this: one at the border
    is thin, one deep in what is right, or far away from it, is large. Where the window shows no
    border, its width.
    """
    shown, seen = one.shown >= 0.5, one.seen
    if seen.new_foreground.any():
        marked, right = seen.new_foreground, shown & ~seen.new_foreground
    else:
        marked, right = seen.new_background, ~shown & ~seen.new_background
    if not right.any() or not marked.any():
        return float(max(one.grid.shape))
    away = ndimage.distance_transform_edt(~right, sampling=one.grid.spacing)
    return max(1.0, float(away[marked].max()))


def _in_the_middle(one: Try, changed: np.ndarray) -> float:
    """Return how deep the new strokes lie in the change they make, beside its deepest place.

    People draw where what they mean is thickest. 1 where they do, towards 0 at the border.
    """
    new = one.seen.new
    if not new.any():
        return 0.0
    part = box_around(changed | new)
    # Beyond the window is outside; a single slice has no border along its axis.
    around = [(int(size > 1),) * 2 for size in one.lattice.shape]
    inside = np.pad((changed | new)[part], around)
    depth = ndimage.distance_transform_edt(inside, sampling=one.grid.spacing)
    deepest = depth.max()
    return float(depth[np.pad(new[part], around)].max() / deepest) if deepest else 1.0


def _cut_off(one: Try, change: np.ndarray) -> float:
    """Return how much of a change lies at faces of the window, beside the surface it may have."""
    at_faces = one.lattice.at_cut_faces(change, one.grid)
    return min(at_faces / max(1.0, change.sum() ** (2 / 3)), _MOST_CUT)


def _agreement(fine: Try, coarse: Try) -> float:
    """Return the Dice of two changes, on the voxels of the second one's window."""
    fine_change, coarse_change = fine.changed, coarse.changed
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


def _contrast(one: NetworkTry) -> float:
    """Return how far an answer's mean intensity is from that of the rim around it."""
    after = one.after >= 0.5
    rim = ndimage.binary_dilation(after, iterations=_RIM) & ~after
    if not rim.any() or not after.any():
        return 0.0
    return abs(float(one.difference[after].mean() - one.difference[rim].mean()))
