"""The layers that Mask R-CNN is made of, in two or three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.convolution import Conv3d


def convolution(
    dimension: int,
    in_channels: int,
    out_channels: int,
    *,
    kernel: int = 3,
    stride: Sequence[int] | int = 1,
    bias: bool = True,
) -> nn.Conv2d | nn.Conv3d:
    """Return a convolution that keeps the size of its input, divided by the stride."""
    kind: type[nn.Conv2d | nn.Conv3d] = Conv3d if dimension == 3 else nn.Conv2d
    steps: Any = stride if isinstance(stride, int) else tuple(stride)
    layer = kind(in_channels, out_channels, kernel, steps, kernel // 2, bias=bias)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def normalized(
    dimension: int, in_channels: int, out_channels: int, *, stride: Sequence[int] | int = 1
) -> nn.Sequential:
    """Return a convolution, a batch normalization and a rectifier."""
    norm = nn.BatchNorm3d if dimension == 3 else nn.BatchNorm2d
    return nn.Sequential(
        convolution(dimension, in_channels, out_channels, stride=stride, bias=False),
        norm(out_channels),
        nn.ReLU(inplace=True),
    )


class ResidualBlock(nn.Module):
    """Two convolutions around a shortcut."""

    def __init__(self, dimension: int, width: int) -> None:
        super().__init__()
        norm = nn.BatchNorm3d if dimension == 3 else nn.BatchNorm2d
        self.first = normalized(dimension, width, width)
        self.second = convolution(dimension, width, width, bias=False)
        self.norm = norm(width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(x + self.norm(self.second(self.first(x))))
