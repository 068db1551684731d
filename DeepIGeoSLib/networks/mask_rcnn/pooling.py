"""Features of a box on a small grid of fixed size: RoIAlign, and RoIPool for comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch.nn import functional

# Points along each axis of a cell whose values are averaged.
_SAMPLES = 2


def roi_align(
    features: torch.Tensor, boxes: torch.Tensor, size: Sequence[int], *, strides: Sequence[int]
) -> torch.Tensor:
    """Return features in the cells of each box, read between voxels; nothing is rounded.

    Each cell is the mean of two regular points along each axis (four in 2D, eight in 3D), read by
    linear interpolation; outside of the image, its border goes on.

    Args:
        features: (C, [D,] H, W) of one image.
        boxes: (N, 2 D), in voxels of the image.
        size: cells along each axis.
        strides: voxels of the image from one feature to the next.

    Returns:
        (N, C, *size).
    """
    dimension, extent = len(size), features.shape[1:]
    if not len(boxes):
        return features.new_zeros(0, len(features), *size)
    starts, stops = boxes.chunk(2, dim=1)
    axes = []
    for axis, cells in enumerate(size):
        count = cells * _SAMPLES
        share = (torch.arange(count, dtype=boxes.dtype, device=boxes.device) + 0.5) / count
        places = starts[:, axis, None] + share * (stops - starts)[:, axis, None]
        # grid_sample counts from -1 at one border of the image to 1 at the other.
        axes.append(2 * places / (extent[axis] * strides[axis]) - 1)
    grid = torch.stack(
        [
            places.view(
                len(boxes), *(-1 if other == axis else 1 for other in range(dimension))
            ).expand(-1, *(cells * _SAMPLES for cells in size))
            for axis, places in enumerate(axes)
        ][::-1],
        dim=-1,
    )
    # All boxes lie behind each other along the first axis: the features are shared, not repeated.
    sampled = functional.grid_sample(
        features[None],
        grid.flatten(0, 1)[None].to(features.dtype),
        padding_mode="border",
        align_corners=False,
    )[0]
    sampled = sampled.unflatten(1, (len(boxes), size[0] * _SAMPLES)).transpose(0, 1)
    pool = functional.avg_pool3d if dimension == 3 else functional.avg_pool2d
    return pool(sampled, _SAMPLES)


def roi_pool(
    features: torch.Tensor, boxes: torch.Tensor, size: Sequence[int], *, strides: Sequence[int]
) -> torch.Tensor:
    """Return the largest features in the cells of each box, after rounding box and cells to voxels.

    The arguments and the result are those of ``roi_align``.
    """
    dimension, extent = len(size), features.shape[1:]
    pool = functional.adaptive_max_pool3d if dimension == 3 else functional.adaptive_max_pool2d
    found = []
    for box in boxes.tolist():
        part: list[slice] = [slice(None)]
        for start, stop, stride, limit in zip(
            box[:dimension], box[dimension:], strides, extent, strict=True
        ):
            first = min(max(math.floor(start / stride + 0.5), 0), limit - 1)
            last = min(max(math.floor(stop / stride + 0.5), first + 1), limit)
            part.append(slice(first, last))
        found.append(pool(features[tuple(part)], tuple(size)))
    return torch.stack(found) if found else features.new_zeros(0, len(features), *size)
