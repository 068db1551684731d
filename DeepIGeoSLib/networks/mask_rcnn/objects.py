"""The objects of an image as Mask R-CNN learns them and finds them."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class TrueObjects:
    """The objects in a training crop.

    Attributes:
        boxes: (N, 2 D) in voxels, see ``boxes``.
        kinds: (N,), classes from 0 (the background does not count).
        numbers: (N,), of each object in ``labels``.
        labels: ([D,] H, W), the number of the object at each voxel, 0 where there is none.
    """

    boxes: torch.Tensor
    kinds: torch.Tensor
    numbers: torch.Tensor
    labels: torch.Tensor


@dataclass(frozen=True)
class FoundObjects:
    """The objects that a network has found in an image, the surest first.

    Attributes:
        boxes: (N, 2 D) in voxels.
        scores: (N,), from 0 to 1.
        kinds: (N,), classes from 0.
        masks: (N, *size), probability of the object on a grid of cells that fills its box; ones
            where the network draws no masks.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    kinds: torch.Tensor
    masks: torch.Tensor
