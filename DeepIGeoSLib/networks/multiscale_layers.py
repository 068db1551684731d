"""The layers of ``MultiScaleNet`` and how an input goes through them, scale by scale."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.networks.overview import Overview, with_overview


class FourScales(SegmentationNetwork):
    """A residual encoder and decoder over four scales, for 2D or 3D.

    Input (B, C, [D,] H, W), output logits (B, classes, [D,] H, W). H and W must be multiples of
    16, D of 4 (``multiple_of`` gives them per axis).

    Attributes:
        overview: where the finest scale has to decide; None where it does everywhere.
    """

    overview: Overview | None
    bytes_per_voxel = 300
    takes_any_size = True
    late_layers = ("widen", "decoder", "unfold", "sharpen", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        *,
        dimension: int = 3,
        features: Sequence[int] = (24, 48, 72, 96),
        fine_features: int = 8,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.classes = classes
        self.multiple_of = (4, 16, 16)[-dimension:]
        self.reach = (13, 107, 107)[-dimension:]
        finest, coarser = features[0], features[1:]

        # The finest scale sees slices one by one: its layers are two-dimensional.
        self.stem = _convolution(2, 4 * in_channels, finest)
        self.encoder = nn.ModuleList([_ResidualBlock(2, finest)])
        self.shrink = nn.ModuleList([_shrinking(2, finest, coarser[0])])
        self.widen = nn.ModuleList([_mixing(2, coarser[0], finest)])
        self.decoder = nn.ModuleList([_ResidualBlock(2, finest)])
        for fine, coarse in pairwise(coarser):
            self.encoder.append(_ResidualBlock(dimension, fine))
            self.shrink.append(_shrinking(dimension, fine, coarse))
            self.widen.append(_mixing(dimension, coarse, fine))
            self.decoder.append(_ResidualBlock(dimension, fine))
        self.encoder.append(_ResidualBlock(dimension, coarser[-1]))
        self.unfold = _mixing(2, finest, 4 * fine_features)
        self.sharpen = _normalized(2, fine_features + in_channels, fine_features)
        self.classifier = _convolution(2, fine_features, classes)
        self.register_module("overview", None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        slices = self.slices_of(x)
        finest = self.encode_finest(slices)
        coarse = self.scales_from(1, self.stacked(self.shrink[0](finest), x.shape[0]))
        coarse = self.slices_of(coarse)
        logits = self.decode_finest(slices, finest, coarse)
        if self.overview is not None and not self.training:
            logits = with_overview(logits, self.overview(coarse))
        return self.stacked(logits, x.shape[0])

    def add_overview(self) -> Overview:
        """Give the network an overview, for two classes; it is to be trained (or loaded) next."""
        self.overview = Overview(self.shrink[0][0].out_channels)
        return self.overview

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *arguments: Any) -> None:
        if self.overview is None and f"{prefix}overview.hidden.weight" in state_dict:
            self.add_overview()
        super()._load_from_state_dict(state_dict, prefix, *arguments)

    def slices_of(self, x: torch.Tensor) -> torch.Tensor:
        """(B, C, [D,] H, W) -> (B [D], C, H, W): the finest scale sees slices one by one."""
        return x if self.dimension == 2 else x.movedim(2, 1).flatten(0, 1)

    def stacked(self, slices: torch.Tensor, batch: int) -> torch.Tensor:
        """(B [D], C, H, W) -> (B, C, [D,] H, W), the inverse of ``slices_of``."""
        if self.dimension == 2:
            return slices
        return slices.unflatten(0, (batch, -1)).movedim(1, 2)

    def encode_finest(self, slices: torch.Tensor) -> torch.Tensor:
        """Return the features of the finest scale, at half the resolution."""
        return self.encoder[0](self.stem(_space_to_depth(slices)))

    def scales_from(self, level: int, features: torch.Tensor) -> torch.Tensor:
        """Return the features of a scale after it and all coarser ones were computed."""
        features = self.encoder[level](features)
        if level == len(self.shrink):
            return features
        coarser = self.scales_from(level + 1, self.shrink[level](features))
        return self.decoder[level](_joined(features, self.widen[level](coarser)))

    def decode_finest(
        self, slices: torch.Tensor, finest: torch.Tensor, coarse: torch.Tensor
    ) -> torch.Tensor:
        """Return the logits of slices.

        Args:
            slices: the input (N, C, H, W).
            finest: its features from ``encode_finest``, (N, F, H/2, W/2).
            coarse: features of the scales below, (N, G, H/4, W/4).
        """
        features = self.decoder[0](_joined(finest, self.widen[0](coarse)))
        sharp = self.sharpen(torch.cat([_depth_to_space(self.unfold(features)), slices], dim=1))
        return self.classifier(sharp)


class _ResidualBlock(nn.Module):
    """Two normalized convolutions around a shortcut; the first one is flat."""

    def __init__(self, dimension: int, width: int) -> None:
        super().__init__()
        self.first = _normalized(dimension, width, width)
        self.second = _convolution(dimension, width, width, deep=True, bias=False)
        self.norm = _batch_norm(dimension, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.leaky_relu(x + self.norm(self.second(self.first(x))), 0.01)


def _joined(fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
    return fine + functional.interpolate(coarse, size=fine.shape[2:], mode="nearest")


def _convolution(
    dimension: int, in_channels: int, out_channels: int, *, deep: bool = False, bias: bool = True
) -> nn.Module:
    """Return a convolution of 3 x 3 voxels in plane, in 3D of three slices if it is deep."""
    if dimension == 2:
        return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)
    kernel = (3 if deep else 1, 3, 3)
    padding = (kernel[0] // 2, 1, 1)
    return Conv3d(in_channels, out_channels, kernel, padding=padding, bias=bias)


def _mixing(dimension: int, in_channels: int, out_channels: int) -> nn.Module:
    """Return a convolution that sees single voxels."""
    return (Conv3d if dimension == 3 else nn.Conv2d)(in_channels, out_channels, 1)


def _shrinking(dimension: int, in_channels: int, out_channels: int) -> nn.Sequential:
    """Return layers that fold two by two (by two) voxels into one; they need no border."""
    kind = Conv3d if dimension == 3 else nn.Conv2d
    fold = kind(in_channels, out_channels, 2, stride=2, bias=False)
    return nn.Sequential(fold, *_normalization(dimension, out_channels))


def _normalized(dimension: int, in_channels: int, out_channels: int) -> nn.Sequential:
    convolution = _convolution(dimension, in_channels, out_channels, bias=False)
    return nn.Sequential(convolution, *_normalization(dimension, out_channels))


def _normalization(dimension: int, channels: int) -> tuple[nn.Module, nn.Module]:
    return _batch_norm(dimension, channels), nn.LeakyReLU(0.01, inplace=True)


def _batch_norm(dimension: int, channels: int) -> nn.Module:
    return (nn.BatchNorm3d if dimension == 3 else nn.BatchNorm2d)(channels)


def _space_to_depth(x: torch.Tensor) -> torch.Tensor:
    """(B, C, H, W) -> (B, 4C, H/2, W/2)."""
    parts = [x[..., row::2, column::2] for row in (0, 1) for column in (0, 1)]
    return torch.cat(parts, dim=1)


def _depth_to_space(x: torch.Tensor) -> torch.Tensor:
    """(B, 4C, ..., H, W) -> (B, C, ..., 2H, 2W), the inverse of ``_space_to_depth``."""
    upper_left, upper_right, lower_left, lower_right = x.chunk(4, dim=1)
    upper = torch.stack([upper_left, upper_right], dim=-1).flatten(-2)
    lower = torch.stack([lower_left, lower_right], dim=-1).flatten(-2)
    return torch.stack([upper, lower], dim=-2).flatten(-3, -2)
