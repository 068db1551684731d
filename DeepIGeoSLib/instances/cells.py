"""From a mask on a small grid in a box to voxels."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, three


def pasted(
    cells: np.ndarray, starts: Sequence[float], stops: Sequence[float], *, shape: Sequence[int]
) -> tuple[Box, np.ndarray] | None:
    """Return the values of a grid of cells that fills a box, read at the middle of each voxel.

    Args:
        cells: float32, axes (k, j, i).
        starts: of the box along (k, j, i); voxel n reaches from n to n + 1.
        stops: of the box.
        shape: of the volume.

    Returns:
        Slices (k, j, i) of the voxels whose middle lies in the box, and float32 values there; None
        when there is no such voxel.
    """
    box, values = [], cells
    for axis, (start, stop, size) in enumerate(zip(starts, stops, shape, strict=True)):
        first, last = max(0, math.ceil(start - 0.5)), min(size, math.ceil(stop - 0.5))
        if first >= last:
            return None
        box.append(slice(first, last))
        count = cells.shape[axis]
        place = (np.arange(first, last) + 0.5 - start) / (stop - start) * count - 0.5
        place = place.clip(0, count - 1)
        low = place.astype(int)
        high = np.minimum(low + 1, count - 1)
        share = (place - low).reshape([-1 if a == axis else 1 for a in range(3)])
        values = values.take(low, axis) * (1 - share) + values.take(high, axis) * share
    return three(box), values.astype(np.float32)
