"""VGG-16 (Simonyan and Zisserman, ICLR 2015) without its head, as "U-Net transfer" uses it.

Tensors have the names that torchvision gives them (``features.0.weight``), without or with batch
normalization: weights of both kinds can be loaded, the first kind into the plain network.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from DeepIGeoSLib.networks.encoder import Encoder, FarSeeing

_WIDTHS = (64, 128, 256, 512, 512)
_LAYERS = (2, 2, 3, 3, 3)


class Vgg16(Encoder):
    """Five scales, at strides 1 to 16: the features before each pooling."""

    widths = _WIDTHS

    def __init__(self, in_channels: int, output_stride: int = 16) -> None:
        super().__init__()
        seen, strides = FarSeeing(), []
        layers: list[nn.Module] = []
        self._ends, dilation = [], 1
        for scale, (width, count) in enumerate(zip(_WIDTHS, _LAYERS, strict=True)):
            if scale > 0:
                halved = seen.stride < output_stride
                # A pooling that is not wanted leaves its place empty: names count the layers.
                layers.append(nn.MaxPool2d(2) if halved else nn.Identity())
                dilation *= 1 if halved else 2
                seen.add(1, 2 if halved else 1)
            for _ in range(count):
                convolution = nn.Conv2d(in_channels, width, 3, 1, dilation, dilation)
                nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
                if convolution.bias is not None:
                    nn.init.zeros_(convolution.bias)
                layers += [convolution, nn.ReLU(inplace=True)]
                seen.add(3, 1, dilation)
                in_channels = width
            self._ends.append(len(layers) - 1)
            strides.append(seen.stride)
        self.features = nn.Sequential(*layers)
        self.strides, self.reach = tuple(strides), seen.reach

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found, start = [], 0
        for end in self._ends:
            x = self.features[start : end + 1](x)
            found.append(x)
            start = end + 1
        return found

    def stages(self) -> list[list[nn.Module]]:
        bounds = [0, *(end + 1 for end in self._ends)]
        return [[*self.features.children()][a:b] for a, b in pairwise(bounds)]


def build(name: str, in_channels: int, *, output_stride: int, features: tuple[int, ...]) -> Vgg16:
    """Return the untrained encoder."""
    return Vgg16(in_channels, output_stride)
