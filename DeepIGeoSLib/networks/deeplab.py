"""DeepLabV3+ (Chen et al., ECCV 2018).

The encoder keeps a stride of 16 (or 8) by dilated convolutions; atrous spatial pyramid pooling
looks at its features with several dilations and at their mean; the decoder joins the result with
the features at stride 4. Convolutions of 3 x 3 are depthwise separable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.encoded import EncodedNetwork
from DeepIGeoSLib.networks.encoder import Encoder

_LOW_STRIDE = 4


class DeepLabV3Plus(EncodedNetwork):
    """Input (B, C, [D,] H, W), output logits (B, classes, [D,] H, W).

    In 3D the encoder sees slices; dilations are in plane, and separable convolutions join three
    slices. H and W must be multiples of the encoder's coarsest stride.
    """

    late_layers = ("pyramid", "low_level", "joined", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dimension: int,
        *,
        encoder: Encoder,
        rates: Sequence[int],
        width: int = 256,
        low_width: int = 48,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.classes = classes
        self.encoder = encoder
        self._low = max(n for n, stride in enumerate(encoder.strides) if stride <= _LOW_STRIDE)
        self._low_stride = encoder.strides[self._low]
        stride = encoder.strides[-1]
        self._factor = stride // self._low_stride
        self.pyramid = AtrousPyramid(dimension, encoder.widths[-1], width, rates=rates)
        self.low_level = nn.Sequential(
            *_normalized(dimension, _mixing(dimension, encoder.widths[self._low], low_width))
        )
        self.joined = nn.Sequential(
            separable(dimension, width + low_width, width), separable(dimension, width, width)
        )
        self.classifier = _mixing(dimension, width, classes, bias=True)
        in_plane = encoder.reach + stride * (max(rates) + 2) + self._low_stride * 4
        self.reach = (3, in_plane, in_plane)[-dimension:]
        self.multiple_of = (1, stride, stride)[-dimension:]
        self.bytes_per_voxel = 300 + 16 * width // self._low_stride**2 + 4 * 4 * classes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.encoded(x)
        context = self.enlarged(self.pyramid(features[-1]), self._factor, "linear")
        low = self.low_level(features[self._low])
        logits = self.classifier(self.joined(torch.cat([context, low], dim=1)))
        return self.enlarged(logits, self._low_stride, "linear")


class AtrousPyramid(nn.Module):
    """Looks at features voxel by voxel, with several dilations, and as a whole; mixes all of it."""

    def __init__(self, dimension: int, in_width: int, width: int, *, rates: Sequence[int]) -> None:
        super().__init__()
        first = nn.Sequential(*_normalized(dimension, _mixing(dimension, in_width, width)))
        self.branches = nn.ModuleList([first])
        for rate in rates:
            self.branches.append(separable(dimension, in_width, width, rate=rate))
        # One value a channel and image is left, which batch normalization can't normalize.
        self.whole = nn.Sequential(_mixing(dimension, in_width, width, bias=True), nn.ReLU())
        every = width * (len(rates) + 2)
        self.mix = nn.Sequential(*_normalized(dimension, _mixing(dimension, every, width)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        axes = tuple(range(2, x.ndim))
        whole = self.whole(x.mean(dim=axes, keepdim=True)).expand(-1, -1, *x.shape[2:])
        return self.mix(torch.cat([*(branch(x) for branch in self.branches), whole], dim=1))


def separable(dimension: int, in_width: int, width: int, *, rate: int = 1) -> nn.Sequential:
    """Return a depthwise separable convolution of 3 x 3 (x 3), normalized after both of its parts.

    Args:
        dimension: 2 or 3.
        in_width: width of the input.
        width: of the result.
        rate: dilation in plane; along k it is 1.
    """
    kind: Any = nn.Conv2d if dimension == 2 else Conv3d
    dilation = (1, rate, rate)[-dimension:]
    depthwise = kind(
        in_width,
        in_width,
        3,
        padding=dilation,
        dilation=dilation,
        groups=in_width,
        bias=False,
    )
    return nn.Sequential(
        *_normalized(dimension, depthwise),
        *_normalized(dimension, _mixing(dimension, in_width, width)),
    )


def _mixing(dimension: int, in_width: int, width: int, *, bias: bool = False) -> nn.Module:
    return (nn.Conv2d if dimension == 2 else Conv3d)(in_width, width, 1, bias=bias)


def _normalized(dimension: int, convolution: Any) -> tuple[nn.Module, ...]:
    norm = nn.BatchNorm2d if dimension == 2 else nn.BatchNorm3d
    nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
    return convolution, norm(convolution.out_channels), nn.ReLU(inplace=True)
