"""What decoders ask of an encoder, and which encoders there are.

An encoder is two-dimensional. Three-dimensional networks show it their slices one by one, so that
weights that were learned from pictures serve volumes too; the decoder joins the slices.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import cast

import torch
from torch import nn

from DeepIGeoSLib.networks.encoder_names import ENCODER_MODULES

# Slices that are computed together. 2, 4 and 8 take about as long as each other.
_SLICES = 4


class Encoder(nn.Module, ABC):
    """Finds features at several scales in pictures.

    Attributes:
        widths: of the features of each scale, the finest first.
        strides: by how much each scale is coarser than the picture.
        reach: how many pixels away the coarsest features depend on the picture, at most.
        unit: how large, in the pictures that the published weights were learned from, one spread of
            the intensities was; here it is 1 (see ``inputs.normalization``).
    """

    unit: float = 1.0

    widths: tuple[int, ...]
    strides: tuple[int, ...]
    reach: int

    @abstractmethod
    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the features (B, width, H / stride, W / stride) of each scale of (B, C, H, W)."""

    @abstractmethod
    def stages(self) -> list[list[nn.Module]]:
        """Return the layers by stage, the one nearest to the picture first."""

    @staticmethod
    def own_name(name: str) -> str:
        """Return what a tensor of the published weights is called here."""
        return name


def build_encoder(
    name: str, in_channels: int, *, output_stride: int = 32, features: Sequence[int] = ()
) -> Encoder:
    """Return an untrained encoder.

    Args:
        name: of ``ENCODER_MODULES``.
        in_channels: channels of the pictures.
        output_stride: scales that would be coarser keep this stride and dilate their convolutions.
        features: widths of the scales of "plain".
    """
    module = import_module(f"DeepIGeoSLib.networks.{ENCODER_MODULES[name]}")
    built = module.build(name, in_channels, output_stride=output_stride, features=tuple(features))
    return cast(Encoder, built)


def seen_in_slices(encoder: Encoder, x: torch.Tensor) -> list[torch.Tensor]:
    """Return an encoder's features of (B, C, [D,] H, W), each (B, width, [D,] h, w)."""
    if x.ndim == 4:
        return encoder(x)
    return by_slices(partial(_seen, encoder), [x], training=encoder.training)


def _seen(encoder: Encoder, x: torch.Tensor) -> list[torch.Tensor]:
    found = encoder(x.movedim(2, 1).flatten(0, 1))
    return [part.unflatten(0, (x.shape[0], -1)).movedim(1, 2) for part in found]


def by_slices(
    compute: Callable[..., list[torch.Tensor]], parts: Sequence[torch.Tensor], *, training: bool
) -> list[torch.Tensor]:
    """Return what layers that see each slice alone make of tensors (B, C, D, H, W).

    In training, all slices at once. A processor's answer is computed from a few of them at a time:
    what the layers take then stays in its caches, and so small that freed memory serves the next.

    Args:
        compute: from some slices of every part to a list of tensors of the same slices.
        parts: of D slices each.
        training: whether the layers learn.
    """
    whole = training or torch.jit.is_tracing() or parts[0].device.type != "cpu"
    if whole or parts[0].shape[2] <= _SLICES:
        return compute(*parts)
    groups = zip(*(part.split(_SLICES, dim=2) for part in parts), strict=True)
    found = [compute(*group) for group in groups]
    return [torch.cat(of_groups, dim=2) for of_groups in zip(*found, strict=True)]


class FarSeeing:
    """Adds up how far a chain of convolutions sees, at most."""

    def __init__(self) -> None:
        """Begin at the picture."""
        self.reach = 0
        self.stride = 1

    def add(self, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        """Go through a convolution, or a pooling, of such a kernel."""
        self.reach += (dilation * (kernel // 2) + stride - 1) * self.stride
        self.stride *= stride
