"""Convolutions that are fast on small input, too, and learn rightly in bfloat16."""

from __future__ import annotations

from functools import partial
from typing import cast

import torch
from torch import nn

# Its name depends on the version: before 2.4 each kind of device had one of its own.
_in_autocast = (
    partial(torch.is_autocast_enabled, "cpu")
    if hasattr(torch, "get_autocast_dtype")
    else torch.is_autocast_cpu_enabled
)


class Conv3d(nn.Conv3d):
    """A 3D convolution that a CPU computes with oneDNN, whatever the size of its input.

    PyTorch leaves a single small input (channels x depth x height of at most 20480) to an algorithm
    of its own, which takes three times as long (``ConvParams::use_mkldnn`` of ATen).

    In bfloat16, oneDNN 3.12 takes a part of the gradient of the weights from memory that nobody has
    written where the input has two slices and the kernel three. Those are computed in float32.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if _reduced(x) and x.shape[2] == 2 < self.kernel_size[0]:
            with torch.autocast("cpu", enabled=False):
                return super().forward(x.float())
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


def _reduced(x: torch.Tensor) -> bool:
    """Return whether a processor learns from it in bfloat16."""
    return x.device.type == "cpu" and torch.is_grad_enabled() and _in_autocast()
