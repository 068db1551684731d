"""Boxes of objects as tensors: (N, 2 D) with the starts along each axis, then the stops.

Voxel n reaches from n to n + 1, so a box that holds the voxels 3 and 4 of an axis is [3, 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from DeepIGeoSLib.tensors import to_array, to_tensor

# No offset makes a box more than about 60 times as large as its anchor.
_LARGEST = math.log(1000 / 16)


def sizes_of(boxes: torch.Tensor) -> torch.Tensor:
    """Return how long boxes (N, 2 D) are along each axis: (N, D)."""
    starts, stops = boxes.chunk(2, dim=1)
    return (stops - starts).clamp(min=0)


def centers_of(boxes: torch.Tensor) -> torch.Tensor:
    """Return the centers (N, D) of boxes (N, 2 D)."""
    starts, stops = boxes.chunk(2, dim=1)
    return (starts + stops) / 2


def overlaps(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the intersection over union of each box (N, 2 D) with each other one (M, 2 D)."""
    dimension = first.shape[1] // 2
    shared = first.new_ones(len(first), len(second))
    for axis in range(dimension):  # axis by axis: a tenth of the time of all axes at once
        low = torch.maximum(first[:, axis, None], second[:, axis])
        high = torch.minimum(first[:, dimension + axis, None], second[:, dimension + axis])
        shared *= high.sub_(low).clamp_(min=0)
    total = sizes_of(first).prod(dim=1)[:, None] + sizes_of(second).prod(dim=1) - shared
    return shared / total.clamp_(min=1e-6)


def offsets(boxes: torch.Tensor, anchors: torch.Tensor) -> torch.Tensor:
    """Return what turns anchors into boxes (both (N, 2 D)): shifts in anchors, log factors."""
    sizes = sizes_of(anchors)
    shifts = (centers_of(boxes) - centers_of(anchors)) / sizes
    return torch.cat([shifts, (sizes_of(boxes) / sizes).log()], dim=1)


def moved(anchors: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
    """Return anchors (N, 2 D) changed by offsets (N, 2 D), the inverse of ``offsets``."""
    shifts, factors = by.chunk(2, dim=1)
    sizes = sizes_of(anchors)
    centers = centers_of(anchors) + shifts * sizes
    half = sizes * factors.clamp(max=_LARGEST).exp() / 2
    return torch.cat([centers - half, centers + half], dim=1)


def inside(boxes: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Return boxes (N, 2 D) cut to an image of so many voxels along each axis."""
    limits = boxes.new_tensor(list(shape)).repeat(2)
    return torch.minimum(boxes.clamp(min=0), limits)


def without_overlap(boxes: torch.Tensor, scores: torch.Tensor, most: float) -> torch.Tensor:
    """Return which boxes stay when each one removes those of lower score that overlap it too much.

    Args:
        boxes: (N, 2 D).
        scores: (N,).
        most: largest intersection over union of two boxes that both stay.

    Returns:
        Indices, the highest score first.
    """
    order = scores.argsort(descending=True, stable=True)
    rivals = to_array(overlaps(boxes[order], boxes[order]) > most)
    gone = np.zeros(len(rivals), dtype=bool)
    kept = []
    for place, removes in enumerate(rivals):
        if not gone[place]:
            kept.append(place)
            gone |= removes
    return order[to_tensor(np.array(kept, dtype=np.int64), order.device)]
