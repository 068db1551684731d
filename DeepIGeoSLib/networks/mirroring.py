"""Mirroring at the border of an image, however far beyond it."""

from __future__ import annotations

from collections.abc import Sequence

import torch

# Voxels before the first and after the last one.
Beyond = tuple[int, int]


def mirrored(x: torch.Tensor, beyond: Sequence[Beyond]) -> torch.Tensor:
    """Return an image continued by its own reflection; the border itself is not repeated.

    torch's padding refuses more than the image's size; this goes back and forth.

    Args:
        x: (B, C, [D,] H, W).
        beyond: voxels to add for each axis ([D,] H, W); negative ones take away.
    """
    for axis, (before, after) in enumerate(beyond, start=2):
        size = x.shape[axis]
        if before <= 0 and after <= 0:
            x = x.narrow(axis, -before, size + before + after)
            continue
        places = torch.arange(-before, size + after, device=x.device)
        period = max(1, 2 * (size - 1))
        places = places.remainder(period)
        x = x.index_select(axis, torch.minimum(places, period - places).clamp(0, size - 1))
    return x
