"""U-Net as it is built today: the input's size is kept, and borders need no cropping.

The layers are those of nnU-Net (Isensee et al., Nature Methods 2021), as MONAI's ``DynUNet`` builds
them: two convolutions, normalized, with leaky ReLU on each level; strides in the place of pooling;
up-convolutions. Two choices differ from nnU-Net's: batch normalization, because its answer for a
voxel does not depend on how much of the volume is shown, so that tiles are seamless; and in 3D the
finest levels see each slice alone, because clinical slices are several times thicker than their
pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.networks.receptive_field import Scale, reach_of

_SLOPE = 0.01


class UNet(SegmentationNetwork):
    """Encoder and decoder with skips.

    Input (B, C, [D,] H, W), output logits (B, classes, [D,] H, W). Sizes must be multiples of
    ``multiple_of``: 16 in plane for five levels.
    """

    late_layers = ("widen", "decoder", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        dimension: int = 3,
        *,
        features: Sequence[int] = (16, 32, 64, 128, 160),
        flat_levels: int = 2,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.classes = classes
        self.dropout = dropout
        # Estimated: skip, joined features and two results of the finest level at once.
        self.bytes_per_voxel = 28 * features[0] + 40
        flat = flat_levels if dimension == 3 else 0
        kernels = [_sizes(dimension, 3, level < flat) for level in range(len(features))]
        strides = [_sizes(dimension, 1, False)]
        strides += [_sizes(dimension, 2, level <= flat) for level in range(1, len(features))]
        self.multiple_of = tuple(prod(sizes) for sizes in zip(*strides, strict=True))
        self.reach = tuple(_reach(kernels, strides, axis) for axis in range(dimension))

        self.encoder = nn.ModuleList()
        self.widen = nn.ModuleList()
        self.decoder = nn.ModuleList()
        widths = [in_channels, *features]
        for level, (kernel, stride) in enumerate(zip(kernels, strides, strict=True)):
            self.encoder.append(
                two_convolutions(widths[level], features[level], kernel, stride=stride)
            )
            if level + 1 < len(features):
                self.widen.append(
                    up_convolution(features[level + 1], features[level], strides[level + 1])
                )
                self.decoder.append(two_convolutions(2 * features[level], features[level], kernel))
        self.classifier = _kinds(dimension)[0](features[0], classes, 1)
        self.apply(_initialize)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for block in self.encoder:
            x = block(x)
            skips.append(x)
        x = functional.dropout(skips.pop(), self.dropout, self.training)
        for level in reversed(range(len(self.decoder))):
            x = self.decoder[level](torch.cat([self.widen[level](x), skips.pop()], dim=1))
        return self.classifier(x)


def two_convolutions(
    in_channels: int,
    out_channels: int,
    kernel: Sequence[int],
    *,
    stride: Sequence[int] | None = None,
) -> nn.Sequential:
    """Return two normalized convolutions with leaky ReLU; the first one has the stride.

    Args:
        in_channels: width of the input.
        out_channels: width of the result.
        kernel: odd sizes along ([k,] j, i); their number decides the dimension.
        stride: along the same axes; 1 when None.
    """
    convolution, norm, _ = _kinds(len(kernel))
    padding = tuple(size // 2 for size in kernel)
    layers: list[nn.Module] = []
    for width, step in ((in_channels, stride or (1,) * len(kernel)), (out_channels, 1)):
        layers.append(
            convolution(width, out_channels, tuple(kernel), step, padding=padding, bias=False)
        )
        layers.append(norm(out_channels))
        layers.append(nn.LeakyReLU(_SLOPE, inplace=True))
    return nn.Sequential(*layers)


def up_convolution(in_channels: int, out_channels: int, stride: Sequence[int]) -> nn.Module:
    """Return an up-convolution whose kernel is its stride, along ([k,] j, i)."""
    kind = _kinds(len(stride))[2]
    return kind(in_channels, out_channels, tuple(stride), tuple(stride), bias=False)


def _kinds(dimension: int) -> tuple[type[nn.Module], type[nn.Module], type[nn.Module]]:
    """Return convolution, normalization and up-convolution."""
    if dimension == 2:
        return nn.Conv2d, nn.BatchNorm2d, nn.ConvTranspose2d
    return Conv3d, nn.BatchNorm3d, nn.ConvTranspose3d


def _sizes(dimension: int, size: int, flat: bool) -> tuple[int, ...]:
    return (*((1 if flat else size,) if dimension == 3 else ()), size, size)


def _reach(kernels: Sequence[Sequence[int]], strides: Sequence[Sequence[int]], axis: int) -> int:
    scales = []
    for level, (kernel, stride) in enumerate(zip(kernels, strides, strict=True)):
        side = kernel[axis] // 2
        last = level + 1 == len(kernels)
        scales.append(Scale(stride[axis], side, kernel[axis], side, 0 if last else 2 * side))
    return reach_of(scales)


def _initialize(module: nn.Module) -> None:
    if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        nn.init.kaiming_normal_(module.weight, a=_SLOPE)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
