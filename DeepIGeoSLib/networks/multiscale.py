"""The network of the "recommended" preset, in the roles of P-Net and R-Net.

The paper's networks keep the full resolution through all thirteen layers, which costs most of their
time on large, smooth structures. This one works at half the in-plane resolution and below, and ends
with two thin layers at full resolution, where the image itself sharpens the boundary. Its choices:

- The input is folded two by two in plane (space to depth) instead of being pooled: nothing is lost.
- Kernels and strides are flat at the fine levels and three-dimensional at the coarse ones, because
  clinical slices are several times thicker than their pixels.
- Residual blocks; batch normalization, because its answer for a voxel does not depend on how much
  of the volume is shown (instance normalization's does), and because it folds into convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional


class MultiScaleNet(nn.Module):
    """A residual encoder and decoder over four scales, for 2D or 3D.

    Input (B, C, [D,] H, W), output logits (B, classes, [D,] H, W). H and W must be multiples of
    16, D of 4 (``multiple_of`` gives them per axis).

    Attributes:
        multiple_of: what sizes must be multiples of, for each axis.
        reach: how many voxels away (D, H, W) an answer depends on the input.
        bytes_per_voxel: of memory at work, measured on a CPU.
        late_layers: names of the parts nearest to the answer, which learn first in fine-tuning.
    """

    bytes_per_voxel = 270
    late_layers = ("widen", "decoder", "unfold", "sharpen", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        dimension: int = 3,
        features: Sequence[int] = (24, 48, 72, 96),
        fine_features: int = 8,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.multiple_of = (4, 16, 16)[-dimension:]
        self.reach = (13, 107, 107)[-dimension:]
        flat, deep = (1, 3, 3)[-dimension:], (3, 3, 3)[-dimension:]
        strides = [stride[-dimension:] for stride in ((1, 2, 2), (2, 2, 2), (2, 2, 2))]
        convolution = _convolution(dimension)

        self.stem = convolution(4 * in_channels, features[0], flat)
        self.encoder = nn.ModuleList(
            _ResidualBlock(dimension, width, flat, deep if level else flat)
            for level, width in enumerate(features)
        )
        self.shrink = nn.ModuleList(
            _normalized(dimension, fine, coarse, stride, stride)
            for fine, coarse, stride in zip(features, features[1:], strides, strict=False)
        )
        self.widen = nn.ModuleList(
            convolution(coarse, fine, (1,) * dimension) for fine, coarse in pairwise(features)
        )
        self.decoder = nn.ModuleList(
            _ResidualBlock(dimension, width, flat, deep if level else flat)
            for level, width in enumerate(features[:-1])
        )
        self.unfold = convolution(features[0], 4 * fine_features, (1,) * dimension)
        self.sharpen = _normalized(dimension, fine_features + in_channels, fine_features, flat)
        self.classifier = convolution(fine_features, classes, flat)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.stem(_space_to_depth(x))
        skipped = []
        for level, block in enumerate(self.encoder):
            features = block(features)
            if level < len(self.shrink):
                skipped.append(features)
                features = self.shrink[level](features)
        for level in reversed(range(len(self.decoder))):
            fine = skipped.pop()
            coarse = self.widen[level](features)
            features = fine + functional.interpolate(coarse, size=fine.shape[2:], mode="nearest")
            features = self.decoder[level](features)
        sharp = self.sharpen(torch.cat([_depth_to_space(self.unfold(features)), x], dim=1))
        return self.classifier(sharp)


class _ResidualBlock(nn.Module):
    """Two normalized convolutions around a shortcut."""

    def __init__(
        self, dimension: int, width: int, first: Sequence[int], second: Sequence[int]
    ) -> None:
        super().__init__()
        self.first = _normalized(dimension, width, width, first)
        self.second = _convolution(dimension)(width, width, second, bias=False)
        self.norm = _batch_norm(dimension)(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.leaky_relu(x + self.norm(self.second(self.first(x))), 0.01)


def _convolution(dimension: int):
    """Return a maker of same-size convolutions of a dimension."""
    kind = nn.Conv3d if dimension == 3 else nn.Conv2d

    def make(
        in_channels: int,
        out_channels: int,
        kernel: Sequence[int],
        stride: Sequence[int] | int = 1,
        bias: bool = True,
    ) -> nn.Module:
        # A strided convolution here is a non-overlapping fold, which needs no border.
        padding = tuple(size // 2 for size in kernel) if stride == 1 else 0
        return kind(in_channels, out_channels, tuple(kernel), stride, padding, bias=bias)

    return make


def _batch_norm(dimension: int) -> type[nn.Module]:
    return nn.BatchNorm3d if dimension == 3 else nn.BatchNorm2d


def _normalized(
    dimension: int,
    in_channels: int,
    out_channels: int,
    kernel: Sequence[int],
    stride: Sequence[int] | int = 1,
) -> nn.Sequential:
    return nn.Sequential(
        _convolution(dimension)(in_channels, out_channels, kernel, stride, bias=False),
        _batch_norm(dimension)(out_channels),
        nn.LeakyReLU(0.01, inplace=True),
    )


def _space_to_depth(x: torch.Tensor) -> torch.Tensor:
    """(B, C, ..., H, W) -> (B, 4C, ..., H/2, W/2)."""
    parts = [x[..., row::2, column::2] for row in (0, 1) for column in (0, 1)]
    return torch.cat(parts, dim=1)


def _depth_to_space(x: torch.Tensor) -> torch.Tensor:
    """(B, 4C, ..., H, W) -> (B, C, ..., 2H, 2W), the inverse of ``_space_to_depth``."""
    upper_left, upper_right, lower_left, lower_right = x.chunk(4, dim=1)
    upper = torch.stack([upper_left, upper_right], dim=-1).flatten(-2)
    lower = torch.stack([lower_left, lower_right], dim=-1).flatten(-2)
    return torch.stack([upper, lower], dim=-2).flatten(-3, -2)
