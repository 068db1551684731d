"""Anchors: the boxes of typical size that are looked at in every place of an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def anchor_shapes(
    size: float, ratios: Sequence[float], dimension: int, *, depth: float = 1.0
) -> torch.Tensor:
    """Return the sizes ([k,] j, i) of the anchors of a level, one for each ratio: (A, D).

    Args:
        size: square root of their area in plane.
        ratios: height by width.
        dimension: 2 or 3.
        depth: in 3D, size along k as a share of ``size``.
    """
    shapes = [[size * ratio**0.5, size / ratio**0.5] for ratio in ratios]
    if dimension == 3:
        shapes = [[size * depth, *shape] for shape in shapes]
    return torch.tensor(shapes)


def anchors_of_level(
    shapes: torch.Tensor, places: Sequence[int], strides: Sequence[int]
) -> torch.Tensor:
    """Return the anchors of a level: (places * A, 2 D), the anchors of a place side by side.

    Args:
        shapes: (A, D), see ``anchor_shapes``.
        places: how many the level has along each axis.
        strides: voxels from one to the next.
    """
    axes = [
        (torch.arange(count, device=shapes.device) + 0.5) * stride
        for count, stride in zip(places, strides, strict=True)
    ]
    centers = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)
    starts = centers[:, None] - shapes / 2
    stops = centers[:, None] + shapes / 2
    return torch.cat([starts, stops], dim=2).flatten(0, 1)
