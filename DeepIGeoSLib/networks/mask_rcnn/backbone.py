"""What finds the features of an image at several scales: a backbone, and the pyramid on top of it.

A backbone is a module with the attributes of ``Backbone``; any encoder that gives features at
halved resolutions can be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.mask_rcnn.layers import ResidualBlock, convolution, normalized


class Backbone(Protocol):
    """An encoder: from (B, C, [D,] H, W) to features at each of its scales, finest first.

    Attributes:
        widths: channels of each scale.
        strides: voxels of the image from one feature to the next, for each scale and axis.
        steps: for each axis, by how much each scale is coarser than the one before.
    """

    widths: tuple[int, ...]
    strides: tuple[tuple[int, ...], ...]
    steps: tuple[tuple[int, ...], ...]

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
        self.steps = tuple(zip(*steps, strict=True))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


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
