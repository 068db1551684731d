"""What finds the features of an image at several scales: a backbone, and the pyramid on top of it.

A backbone is a module with the attributes of ``Backbone``; any encoder that gives features at
halved resolutions can be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.encoder import Encoder, seen_in_slices
from DeepIGeoSLib.networks.mask_rcnn.layers import ResidualBlock, convolution, normalized
from DeepIGeoSLib.networks.receptive_field import Scale, reach_of


class Backbone(Protocol):
    """An encoder: from (B, C, [D,] H, W) to features at each of its scales, finest first.

    Attributes:
        widths: channels of each scale.
        strides: voxels of the image from one feature to the next, for each scale and axis.
        reach: how many voxels away ([D,] H, W) what is told for a voxel depends on the image, when
            the heads of Mask R-CNN lie on top.
    """

    widths: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    reach: tuple[int, ...]

    def __call__(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features of an image whose sizes are multiples of the coarsest strides."""


class ResidualBackbone(nn.Module):
    """At each scale a halving and, but for the first one, a residual block."""

    def __init__(
        self, in_channels: int, dimension: int, widths: Sequence[int], *, flat: int = 0
    ) -> None:
        """Make an untrained backbone.

        Args:
            in_channels: of the image.
            dimension: 2 or 3.
            widths: channels of each scale; the first has half of the resolution.
            flat: in 3D, how many of the first halvings keep all slices.
        """
        super().__init__()
        self.widths = tuple(widths)
        steps = [
            (1, 2, 2) if dimension == 3 and scale < flat else (2,) * dimension
            for scale in range(len(widths))
        ]
        strides, stride = [], (1,) * dimension
        self.stages = nn.ModuleList()
        for scale, (step, width) in enumerate(zip(steps, widths, strict=True)):
            last = in_channels if scale == 0 else widths[scale - 1]
            second = ResidualBlock if scale else lambda dim, n: normalized(dim, n, n)
            self.stages.append(
                nn.Sequential(
                    normalized(dimension, last, width, stride=step), second(dimension, width)
                )
            )
            stride = tuple(a * b for a, b in zip(stride, step, strict=True))
            strides.append(stride)
        self.strides = tuple(strides)
        self.reach = tuple(map(_reach_along, zip(*steps, strict=True)))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


class EncodedBackbone(nn.Module):
    """An encoder of ``networks.encoder``; volumes are shown to it slice by slice."""

    def __init__(self, encoder: Encoder, dimension: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.widths = encoder.widths
        self.strides = tuple((1, stride, stride)[-dimension:] for stride in encoder.strides)
        # Two layers at the finest level and one at the first scale, both read between their
        # features, and what the coarsest feature stands for; along k three layers.
        first, finest, *_, coarsest = encoder.strides
        in_plane = encoder.reach + coarsest + 2 * finest + 2 * first
        self.reach = (3, in_plane, in_plane)[-dimension:]

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return seen_in_slices(self.encoder, x)


class Pyramid(nn.Module):
    """Features of one width on every level, which know the coarser levels (FPN, Lin et al. 2017).

    Args of ``forward``: the features of a backbone, finest first; the first scale is left out.
    """

    def __init__(self, dimension: int, widths: Sequence[int], width: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(
            convolution(dimension, own, width, kernel=1) for own in widths[1:]
        )
        self.smooth = nn.ModuleList(convolution(dimension, width, width) for _ in widths[1:])

    def forward(self, features: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        own = [layer(x) for layer, x in zip(self.lateral, features[1:], strict=True)]
        for level in range(len(own) - 2, -1, -1):
            coarse = functional.interpolate(own[level + 1], size=own[level].shape[2:])
            own[level] = own[level] + coarse
        return [layer(x) for layer, x in zip(self.smooth, own, strict=True)]


def _reach_along(steps: Sequence[int]) -> int:
    """Return how far the answer for a voxel depends on the image along an axis.

    Args:
        steps: by how much each scale of the backbone is coarser than the one before.
    """
    # Halvings see one voxel more on each side. The scales have one more layer, or two in a residual
    # block; on the way back there are one at the first scale, and two at the finest level.
    first, *others = (Scale(step, before=1, kernel=3, encoder=2) for step in steps)
    first = replace(first, encoder=1, decoder=1)
    others[0] = replace(others[0], decoder=2)
    # The answer is read between voxels of the first scale, where that is coarser.
    image = Scale(1, before=0, kernel=1, encoder=0, decoder=int(steps[0] > 1))
    return reach_of([image, first, *others])
