"""The encoder that has learned nothing elsewhere: two convolutions on each of a few scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from DeepIGeoSLib.networks.encoder import Encoder, FarSeeing

_SLOPE = 0.01


class PlainEncoder(Encoder):
    """Scales at strides 2, 4, 8 and so on, up to the output stride; then dilated convolutions."""

    def __init__(self, in_channels: int, features: Sequence[int], output_stride: int) -> None:
        super().__init__()
        self.widths = tuple(features)
        seen, strides = FarSeeing(), []
        self.scales = nn.ModuleList()
        dilation = 1
        for width in features:
            stride = 2 if seen.stride < output_stride else 1
            dilation *= 2 // stride
            first = nn.Conv2d(in_channels, width, 3, stride, dilation, dilation, bias=False)
            second = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
            self.scales.append(nn.Sequential(*_normalized(first), *_normalized(second)))
            seen.add(3, stride, dilation)
            seen.add(3, 1, dilation)
            strides.append(seen.stride)
            in_channels = width
        self.strides, self.reach = tuple(strides), seen.reach

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for scale in self.scales:
            x = scale(x)
            found.append(x)
        return found

    def stages(self) -> list[list[nn.Module]]:
        return [[scale] for scale in self.scales]


def build(
    name: str, in_channels: int, *, output_stride: int, features: tuple[int, ...]
) -> PlainEncoder:
    """Return the untrained encoder."""
    return PlainEncoder(in_channels, features, output_stride)


def _normalized(convolution: nn.Conv2d) -> tuple[nn.Module, ...]:
    nn.init.kaiming_normal_(convolution.weight, a=_SLOPE)
    norm = nn.BatchNorm2d(convolution.out_channels)
    return convolution, norm, nn.LeakyReLU(_SLOPE, inplace=True)
