"""The region of influence: which part of a volume a stroke may change.

A stroke is answered inside a box around it; outside that box nothing is touched. The box has the
size that R-Net was trained on, and it grows where a change reaches its border.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, bounding_box, three

# A grown region has so many times the voxels: enough for most changes, and still answered in time.
_GROWN_TO = 2.0


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
        box = three(
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
    return three(region)


def grown_where_changed(region: Box, changed: np.ndarray, shape: Sequence[int]) -> Box:
    """Return the region grown towards each border that a change has reached.

    How large it becomes depends only on which axes it grows along: networks are fastest with input
    of few sizes.

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
    touched = [
        (seen.start == 0 and part.start > 0, seen.stop == length and part.stop < size)
        for part, seen, length, size in zip(region, reach, changed.shape, shape, strict=True)
    ]
    size = [part.stop - part.start for part in region]
    grown = _grown_size(size, [any(sides) for sides in touched], shape)
    return three(
        _grown_part(part, sides, wanted, available)
        for part, sides, wanted, available in zip(region, touched, grown, shape, strict=True)
    )


def sizes_of_regions(size: Sequence[int], shape: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the sizes that regions around short strokes have, before and after they have grown.

    Args:
        size: of a region that has not grown, (k, j, i).
        shape: of the volume.

    Returns:
        Different sizes, the one before growing first.
    """
    first = [min(own, available) for own, available in zip(size, shape, strict=True)]
    choices = product((False, True), repeat=len(first))
    return list(dict.fromkeys(_grown_size(first, axes, shape) for axes in choices))


def _grown_size(
    size: Sequence[int], grows: Sequence[bool], shape: Sequence[int]
) -> tuple[int, ...]:
    factor = _GROWN_TO ** (1 / max(1, sum(grows)))
    return tuple(
        min(int(own * factor), available) if moves else own
        for own, moves, available in zip(size, grows, shape, strict=True)
    )


def _grown_part(part: slice, sides: tuple[bool, bool], wanted: int, available: int) -> slice:
    """Return a part of an axis with the wanted length, grown to the sides that are to move."""
    if not any(sides):
        return part
    extra = wanted - (part.stop - part.start)
    before = {(True, False): extra, (False, True): 0, (True, True): extra // 2}[sides]
    start = min(max(part.start - before, 0), available - wanted)
    return slice(start, start + wanted)
