"""The region of influence: which part of a volume a stroke may change.

A stroke is answered inside a box around it; outside that box nothing is touched. The box has the
size that R-Net was trained on, and it grows where a change reaches its border.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.preprocessing import Box, bounding_box, voxel_count

# A region grows by this share of its size towards a border that a change has reached.
_GROWTH = 0.5

# A grown region has at most so many times the voxels, because a stroke is to be answered in time.
_GROWN_AT_MOST = 2.0


def stroke_groups(
    voxels: np.ndarray, shape: Sequence[int], size: Sequence[int]
) -> list[tuple[Box, np.ndarray]]:
    """Gather scribbled voxels into groups that fit into one region.

    Args:
        voxels: numbers of scribbled voxels of the flattened array.
        shape: of the array, (k, j, i).
        size: of a region, (k, j, i); a group is smaller than half of it.

    Returns:
        For each group the box around its voxels, and their numbers.
    """
    places = np.stack(np.unravel_index(voxels, shape), axis=1)
    groups = []
    while len(places):
        near = np.all(np.abs(places - places[0]) <= np.asarray(size) // 4, axis=1)
        group = places[near]
        box = tuple(
            slice(int(low), int(high) + 1)
            for low, high in zip(group.min(axis=0), group.max(axis=0), strict=True)
        )
        groups.append((box, voxels[near]))
        places, voxels = places[~near], voxels[~near]
    return groups


def region_around(box: Box, size: Sequence[int], shape: Sequence[int]) -> Box:
    """Return a box of at least ``size`` voxels with ``box`` in its middle, inside the volume."""
    region = []
    for part, wanted, available in zip(box, size, shape, strict=True):
        length = min(max(wanted, part.stop - part.start), available)
        start = (part.start + part.stop - length) // 2
        start = min(max(start, 0), available - length)
        region.append(slice(start, start + length))
    return tuple(region)


def grown_where_changed(region: Box, changed: np.ndarray, shape: Sequence[int]) -> Box:
    """Return the region grown towards each border that a change has reached.

    Args:
        region: the box that was computed.
        changed: bool, the box's shape: where the answer differs from the state before.
        shape: of the volume.

    Returns:
        A larger box, or the same one when no change lies at a border that can move.
    """
    reach = bounding_box(changed)
    if reach is None:
        return region
    for share in np.linspace(_GROWTH, 0, 9):
        grown = _grown(region, reach, shape, share)
        if voxel_count(grown) <= _GROWN_AT_MOST * voxel_count(region):
            return grown
    return region


def _grown(region: Box, reach: Box, shape: Sequence[int], share: float) -> Box:
    """Return the region with each touched border moved by a share of the region's size."""
    grown = []
    for part, touched, available in zip(region, reach, shape, strict=True):
        length = part.stop - part.start
        step = int(length * share)
        start = part.start - step if touched.start == 0 else part.start
        stop = part.stop + step if touched.stop == length else part.stop
        grown.append(slice(max(0, start), min(available, stop)))
    return tuple(grown)
