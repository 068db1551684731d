"""Convolutions that are fast on small input, too."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn


class Conv3d(nn.Conv3d):
    """A 3D convolution that a CPU computes with oneDNN, whatever the size of its input.

    PyTorch leaves a single small input (channels x depth x height of at most 20480) to an algorithm
    of its own, which takes three times as long (``ConvParams::use_mkldnn`` of ATen).
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        plain = (
            torch.is_grad_enabled()
            or torch.jit.is_tracing()
            or x.device.type != "cpu"
            or x.dtype != torch.float32
            or not torch.backends.mkldnn.is_available()
        )
        if plain:
            return super().forward(x)
        sizes = cast("tuple[int, ...]", self.padding)  # never the name of a kind of padding
        return torch.mkldnn_convolution(
            x, self.weight, self.bias, sizes, self.stride, self.dilation, self.groups
        )
