"""The network that the paper uses as P-Net and as R-Net (Wang et al., TPAMI 2018, Fig. 3).

In both roles it is the same: five blocks of dilated convolutions that keep the resolution, whose
last features feed a small classifier. R-Net has three more input channels: the initial segmentation
and the geodesic distance maps of the two classes of scribbles.

The figure concatenates the five block outputs before a 1x1 convolution. That convolution is linear,
so each block's share is added to a sum as soon as the block is done: the same numbers, at well
under half of the memory, because no block's output has to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import mul

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.network import SegmentationNetwork

_LAYERS_PER_BLOCK = (2, 2, 3, 3, 3)


class DilatedNet2d(SegmentationNetwork):
    """The 2D network (Fig. 3a).

    Input (B, C, H, W), output logits (B, classes, H, W), any H and W.
    """

    dimension = 2
    multiple_of = (1, 1)
    bytes_per_voxel = 1800
    late_layers = ("hidden", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        *,
        features: int = 64,
        dilations: Sequence[int] = (1, 2, 4, 8, 16),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.blocks = nn.ModuleList()
        for index, (layers, dilation) in enumerate(zip(_LAYERS_PER_BLOCK, dilations, strict=True)):
            first = in_channels if index == 0 else features
            self.blocks.append(_block2d(first, features, layers, dilation))
        self.features = features
        self.dropout = dropout
        self.reach = (sum(map(mul, _LAYERS_PER_BLOCK, dilations)),) * 2
        self.hidden = nn.Conv2d(5 * features, 2 * features, 1)
        self.classifier = nn.Conv2d(2 * features, classes, 1)
        self.apply(_initialize)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = self.hidden.bias[:, None, None]
        for index, block in enumerate(self.blocks):
            x = block(x)
            share = slice(index * self.features, (index + 1) * self.features)
            kept = functional.dropout(x, self.dropout, self.training)
            total = total + functional.conv2d(kept, self.hidden.weight[:, share])
        hidden = functional.dropout(functional.relu(total), self.dropout, self.training)
        return self.classifier(hidden)


class DilatedNet3d(SegmentationNetwork):
    """The 3D network (Fig. 3b); the axis with kernel size 1 is the through-plane one.

    Input (B, C, D, H, W), output logits (B, classes, D, H, W), any size.
    """

    dimension = 3
    multiple_of = (1, 1, 1)
    bytes_per_voxel = 420
    late_layers = ("compressions", "hidden", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        *,
        features: int = 16,
        dilations: Sequence[int] = (1, 2, 3, 4, 5),
    ) -> None:
        super().__init__()
        self.classes = classes
        self.blocks = nn.ModuleList()
        self.compressions = nn.ModuleList()
        compressed = features // 4
        for index, (layers, dilation) in enumerate(zip(_LAYERS_PER_BLOCK, dilations, strict=True)):
            first = in_channels if index == 0 else features
            self.blocks.append(_block3d(first, features, layers, dilation))
            self.compressions.append(nn.Conv3d(features, compressed, 1))
        self.compressed = compressed
        in_plane = sum(map(mul, _LAYERS_PER_BLOCK, dilations)) + 1
        self.reach = (sum(dilations) + 1, in_plane, in_plane)
        self.hidden = nn.Conv3d(5 * compressed, features, 1)
        self.classifier = Conv3d(features, classes, 3, padding=1)
        self.apply(_initialize)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = self.hidden.bias[:, None, None, None]
        for index, (block, compression) in enumerate(
            zip(self.blocks, self.compressions, strict=True)
        ):
            x = block(x)
            share = slice(index * self.compressed, (index + 1) * self.compressed)
            small = functional.relu(compression(x))
            total = total + functional.conv3d(small, self.hidden.weight[:, share])
        return self.classifier(functional.relu(total))


def _initialize(module: nn.Module) -> None:
    """Start with He's weights: with torch's default, signals fade over thirteen plain layers."""
    if isinstance(module, (nn.Conv2d, nn.Conv3d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _block2d(in_channels: int, features: int, layers: int, dilation: int) -> nn.Sequential:
    modules: list[nn.Module] = []
    for layer in range(layers):
        first = in_channels if layer == 0 else features
        modules.append(nn.Conv2d(first, features, 3, padding=dilation, dilation=dilation))
        modules.append(nn.ReLU(inplace=True))
    return nn.Sequential(*modules)


def _block3d(in_channels: int, features: int, layers: int, dilation: int) -> nn.Sequential:
    """One 3x3x3 layer, then layers of 3x3 in plane."""
    modules: list[nn.Module] = []
    for layer in range(layers):
        first = in_channels if layer == 0 else features
        depth = 3 if layer == 0 else 1
        modules.append(
            Conv3d(
                first,
                features,
                (depth, 3, 3),
                padding=(dilation * (depth // 2), dilation, dilation),
                dilation=dilation,
            )
        )
        modules.append(nn.ReLU(inplace=True))
    return nn.Sequential(*modules)
