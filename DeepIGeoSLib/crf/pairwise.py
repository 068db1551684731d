"""Pairwise functions of a CRF-Net: how strongly two voxels want the same label.

All take the signed differences of the image channels and the distance between the two voxels, and
return one number for each pair. Sources: Wang et al., DeepIGeoS, TPAMI 2018 (the free-form
function, and the contrast-sensitive one it is pretrained on); Zheng et al., Conditional Random
Fields as Recurrent Neural Networks, ICCV 2015 (bilateral).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.crf.settings import CrfSettings

_SLOPE = 0.01
_PAIRS_AT_ONCE = 1 << 16


class PairwiseNet(nn.Module):
    """The free-form function: a fully connected network of differences and distance.

    Leaky rectifiers follow every layer, the last one too, so that potentials are hardly ever
    negative.
    """

    def __init__(self, channels: int, hidden: Sequence[int] = (32, 16)) -> None:
        super().__init__()
        widths = [channels + 1, *hidden, 1]
        self.layers = nn.ModuleList(
            nn.Linear(first, second) for first, second in itertools.pairwise(widths)
        )
        for layer in self._linear():
            nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.in_features))
            nn.init.zeros_(layer.bias)

    def forward(self, differences: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        """Return the potentials of pairs.

        Args:
            differences: (B, channels, ...), own value minus the neighbor's.
            distance: (B,) mm, the same for all pairs of a sample.

        Returns:
            (B, ...).
        """
        space = differences.shape[2:]
        pairs = differences.flatten(2)
        if torch.is_grad_enabled():
            return self._of_pairs(pairs, distance).unflatten(1, space)
        # The widest hidden layer of all pairs at once would be most of the memory.
        parts = [self._of_pairs(part, distance) for part in pairs.split(_PAIRS_AT_ONCE, dim=2)]
        return torch.cat(parts, dim=1).unflatten(1, space)

    @property
    def last(self) -> nn.Linear:
        """The layer whose output is the potential."""
        return self._linear()[-1]

    def _linear(self) -> list[nn.Linear]:
        return cast("list[nn.Linear]", list(self.layers))

    def _of_pairs(self, pairs: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        first, *others = self._linear()
        # The distance is one number a sample: its share is a bias.
        bias = first.bias + distance[:, None] * first.weight[:, -1]
        x = bias[:, :, None] + first.weight[:, :-1] @ pairs
        x = functional.leaky_relu(x, _SLOPE)
        for layer in others:
            x = functional.leaky_relu(layer.weight @ x + layer.bias[:, None], _SLOPE)
        return x[:, 0]


class ContrastSensitive(nn.Module):
    """omega / d * exp(-|difference|^2 / (2 channels sigma^2)), both numbers trainable."""

    def __init__(self, channels: int, sigma: float = 0.08, omega: float = 0.5) -> None:
        super().__init__()
        self.channels = channels
        self.sigma = nn.Parameter(torch.tensor(sigma))
        self.omega = nn.Parameter(torch.tensor(omega))

    def forward(self, differences: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        """See ``PairwiseNet.forward``."""
        squares = differences.square().sum(dim=1)
        near = torch.exp(squares / (-2 * self.channels * self.sigma.square()))
        return near * _to_pairs(self.omega / distance, near)


class Bilateral(nn.Module):
    """The sum of an appearance and a smoothness Gaussian, all five numbers trainable."""

    appearance: nn.Parameter
    smoothness: nn.Parameter
    appearance_distance: nn.Parameter
    appearance_intensity: nn.Parameter
    smoothness_distance: nn.Parameter

    def __init__(self, settings: CrfSettings) -> None:
        super().__init__()
        for name in (
            "appearance",
            "smoothness",
            "appearance_distance",
            "appearance_intensity",
            "smoothness_distance",
        ):
            setattr(self, name, nn.Parameter(torch.tensor(float(getattr(settings, name)))))

    def forward(self, differences: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        """See ``PairwiseNet.forward``."""
        squares = differences.square().sum(dim=1)
        near = torch.exp(squares / (-2 * self.appearance_intensity.square()))
        appearance = self.appearance * _gaussian(distance, self.appearance_distance)
        smoothness = self.smoothness * _gaussian(distance, self.smoothness_distance)
        return near * _to_pairs(appearance, near) + _to_pairs(smoothness, near)


def pairwise_function(settings: CrfSettings, channels: int) -> nn.Module:
    """Return the pairwise function that the settings name, for images of so many channels."""
    if settings.pairwise == "contrast":
        return ContrastSensitive(channels, settings.sigma, settings.omega)
    if settings.pairwise == "bilateral":
        return Bilateral(settings)
    return PairwiseNet(channels, settings.hidden)


def _gaussian(distance: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
    return torch.exp(distance.square() / (-2 * width.square()))


def _to_pairs(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return one value a sample (B,) in a shape that multiplies (B, ...)."""
    return values.reshape(-1, *[1] * (like.ndim - 1))
