"""Teach the overview of a ``MultiScaleNet`` what its finest scale would answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from DeepIGeoSLib.networks.overview import CELL

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.multiscale_layers import FourScales

# A cell holds foreground when one of its probabilities exceeds this, background when one is below
# 1 minus this: somewhat less than a half, so that there is doubt near the decision.
_PRESENT = 0.4

# Cells whose largest probability is below the first number are many and alike: this share is used.
_CLEAR, _SHARE_OF_CLEAR = 0.02, 0.05

_STEPS, _BATCH, _RATE = 500, 8192, 1e-2


def fit_overview(network: FourScales, volumes: Iterable[torch.Tensor]) -> None:
    """Give a 3D P-Net an overview, or train the one it has anew; nothing else is changed.

    Args:
        network: trained, on the CPU; it is left in evaluation mode.
        volumes: normalized channels on working grids, float32 (1, C, D, H, W), as the network was
            trained on, of sizes that it takes.
    """
    network.eval()
    generator = torch.Generator().manual_seed(0)
    features, targets = [], []
    for volume in volumes:
        seen, wanted = _cells(network, volume, generator)
        features.append(seen)
        targets.append(wanted)
    _train(network, torch.cat(features), torch.cat(targets), generator)


def _cells(
    network: FourScales, volume: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the features of some cells (cells, features), and what they hold (cells, 2)."""
    with torch.inference_mode():
        slices = network.slices_of(volume)
        finest = network.encode_finest(slices)
        coarse = network.scales_from(1, network.stacked(network.shrink[0](finest), 1))
        coarse = network.slices_of(coarse)
        logits = network.decode_finest(slices, finest, coarse)
    foreground = logits.softmax(dim=1)[:, 1]
    most = functional.max_pool2d(foreground, CELL)
    least = -functional.max_pool2d(-foreground, CELL)
    chance = torch.where(most > _CLEAR, 1.0, _SHARE_OF_CLEAR)
    chosen = torch.rand(most.shape, generator=generator) < chance
    wanted = torch.stack([most[chosen] >= _PRESENT, least[chosen] <= 1 - _PRESENT], dim=1)
    return coarse.movedim(1, -1)[chosen].clone(), wanted.float()


def _train(
    network: FourScales,
    features: torch.Tensor,
    targets: torch.Tensor,
    generator: torch.Generator,
) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        overview = network.add_overview()
    optimizer = torch.optim.Adam(overview.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, _STEPS)
    for _ in range(_STEPS):
        batch = torch.randint(len(features), (_BATCH,), generator=generator)
        seen = features[batch][:, :, None, None]
        loss = functional.binary_cross_entropy_with_logits(
            overview(seen)[:, :, 0, 0], targets[batch]
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    overview.eval().requires_grad_(False)
