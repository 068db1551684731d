"""What oneDNN, which computes convolutions on processors, wants and must be kept from."""

from __future__ import annotations

import os

import torch
from torch import nn


def channels_last(network: nn.Module) -> None:
    """Store weights as oneDNN wants them, above all in bfloat16: a step is faster then.

    3D networks have 2D convolutions, too, where their encoder sees slices.
    """
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weight in network.parameters():
        if weight.ndim in formats:
            weight.data = weight.data.to(memory_format=formats[weight.ndim])


def without_amx() -> None:
    """Let oneDNN compute with AVX-512 at most, unless the environment says otherwise.

    The gradient of the weights of a 3D convolution in bfloat16 writes beyond its memory where the
    processor has AMX and the images have some 96 x 96 pixels or more (oneDNN 3.12 of PyTorch 2.13):
    the process dies. oneDNN reads the variable when it computes for the first time.
    """
    os.environ.setdefault("ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16")
