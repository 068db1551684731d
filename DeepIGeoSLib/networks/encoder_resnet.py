"""ResNet-18 and ResNet-34 (He et al., CVPR 2016) without their heads.

Tensors have the names that torchvision gives them (``layer1.0.conv1.weight``).
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.encoder import Encoder, FarSeeing

_BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
_WIDTHS = (64, 128, 256, 512)


class ResNet(Encoder):
    """Five scales, at strides 2 to 32."""

    widths = (64, *_WIDTHS)

    def __init__(self, blocks: tuple[int, ...], in_channels: int, output_stride: int = 32) -> None:
        super().__init__()
        seen = FarSeeing()
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        seen.add(7, 2)
        strides = [seen.stride]
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        seen.add(3, 2)
        width, dilation = 64, 1
        for scale, (count, out_width) in enumerate(zip(blocks, _WIDTHS, strict=True), start=1):
            layers = []
            for number in range(count):
                stride = 2 if number == 0 and scale > 1 else 1
                if seen.stride * stride > output_stride:
                    stride, dilation = 1, 2 * dilation
                layers.append(_BasicBlock(width, out_width, stride, dilation))
                seen.add(3, stride, dilation)
                seen.add(3, 1, dilation)
                width = out_width
            self.add_module(f"layer{scale}", nn.Sequential(*layers))
            strides.append(seen.stride)
        self.strides, self.reach = tuple(strides), seen.reach
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        found = [functional.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(found[0])
        for layer in self._layers():
            x = layer(x)
            found.append(x)
        return found

    def stages(self) -> list[list[nn.Module]]:
        return [[self.conv1, self.bn1], *[[layer] for layer in self._layers()]]

    def _layers(self) -> list[nn.Module]:
        return [getattr(self, f"layer{scale}") for scale in range(1, 5)]


def build(name: str, in_channels: int, *, output_stride: int, features: tuple[int, ...]) -> ResNet:
    """Return the untrained encoder."""
    return ResNet(_BLOCKS[name], in_channels, output_stride)


class _BasicBlock(nn.Module):
    """Two convolutions around a shortcut."""

    def __init__(self, in_width: int, width: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_width, width, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample: nn.Module | None = None
        if stride > 1 or in_width != width:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_width, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
        kept = x if self.downsample is None else self.downsample(x)
        return functional.relu(found + kept)
