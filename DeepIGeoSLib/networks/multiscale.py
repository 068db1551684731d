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
        fine_voxels_at_once: of 3D input, how many go through the layers of the finest scale
            together in evaluation mode, which are flat. The answer is the same; less memory is
            taken.
        late_layers: names of the parts nearest to the answer, which learn first in fine-tuning.
    """

    bytes_per_voxel = 170
    fine_voxels_at_once = 500_000
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
        groups = self._groups(x)
        skipped = [self.encoder[0](self.stem(_space_to_depth(group))) for group in groups]
        features = self._coarse(torch.cat([self.shrink[0](fine) for fine in skipped], dim=2))
        coarse = self.widen[0](features)
        coarse = [coarse] if len(groups) == 1 else coarse.split(groups[0].shape[2], dim=2)
        parts = zip(groups, skipped, coarse, strict=True)
        return torch.cat([self._fine(*part) for part in parts], dim=2)

    def _groups(self, x: torch.Tensor) -> Sequence[torch.Tensor]:
        """Return the slices that go through the layers of the finest scale together."""
        if self.dimension == 2 or self.training or torch.jit.is_tracing():
            return [x]  # a traced network has to suit input of any size
        slices = max(1, self.fine_voxels_at_once // (x.shape[3] * x.shape[4]))
        return [x] if slices >= x.shape[2] else x.split(slices, dim=2)

    def _coarse(self, features: torch.Tensor) -> torch.Tensor:
        """Return the features of the scales below the finest one, at the finest of them."""
        skipped = []
        for level in range(1, len(self.encoder)):
            features = self.encoder[level](features)
            if level < len(self.shrink):
                skipped.append(features)
                features = self.shrink[level](features)
        for level in reversed(range(1, len(self.decoder))):
            features = self.decoder[level](_joined(skipped.pop(), self.widen[level](features)))
        return features

    def _fine(self, x: torch.Tensor, skipped: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        """Return the logits of some slices."""
        features = self.decoder[0](_joined(skipped, coarse))
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


def _joined(fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    return fine + functional.interpolate(coarse, size=fine.shape[2:], mode="nearest")


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
