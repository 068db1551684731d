"""The free-form pairwise function's start: a fit to the contrast-sensitive one.

Wang et al., DeepIGeoS, TPAMI 2018: before CRF-Net(f) is trained end to end, its Pairwise-Net learns
f0 = omega / d * exp(-|difference|^2 / (2 channels sigma^2)) from synthetic pairs with a quadratic
loss. Here half of the pairs have differences of the size of sigma, because with the paper's spread
alone (2 units) nearly all potentials are 0, and Adam takes the place of plain gradient descent.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from DeepIGeoSLib.crf.pairwise import ContrastSensitive, PairwiseNet
from DeepIGeoSLib.crf.pretraining_settings import PretrainingSettings
from DeepIGeoSLib.crf.settings import CrfSettings
from DeepIGeoSLib.errors import Progress

_BATCH = 1000

# The function is fitted at this omega, whatever the wanted one: rectifiers are homogeneous, so the
# last layer can be scaled afterwards, and a small omega does not end up less accurate.
_FITTED_OMEGA = 0.5
_PROGRESS_EVERY = 100


@dataclass(frozen=True)
class Pretrained:
    """A fitted function.

    Attributes:
        pairwise: in evaluation mode.
        error: root mean square error on pairs that it was not fitted to.
        largest: largest potential of these pairs.
    """

    pairwise: PairwiseNet
    error: float
    largest: float


def pretrain(
    crf: CrfSettings,
    channels: int = 1,
    settings: PretrainingSettings | None = None,
    *,
    progress: Progress | None = None,
) -> Pretrained:
    """Fit a free-form function to the contrast-sensitive one.

    Args:
        crf: its ``hidden``, ``sigma`` and ``omega`` count.
        channels: of the images.
        settings: of the fit.
        progress: called with the share done and a text.
    """
    settings = settings or PretrainingSettings()
    scale = crf.omega / _FITTED_OMEGA
    crf = dataclasses.replace(crf, omega=_FITTED_OMEGA)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        pairwise = PairwiseNet(channels, crf.hidden)
        with torch.no_grad():
            # f0 is positive and small: from large values of either sign the fit overshoots to the
            # flat side of the last rectifier and stays there.
            pairwise.last.weight.abs_().mul_(0.1)
        pairs = _pairs(crf, channels, settings, settings.pairs)
        unseen = _pairs(crf, channels, settings, settings.pairs // 10 + 1)
        steps = settings.passes * math.ceil(settings.pairs / _BATCH)
        optimizer = torch.optim.Adam(pairwise.parameters(), lr=settings.learning_rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for step in range(steps):
            chosen = torch.randint(settings.pairs, (_BATCH,))
            optimizer.zero_grad()
            loss = _loss(pairwise, [part[chosen] for part in pairs])
            loss.backward()
            optimizer.step()
            schedule.step()
            if progress is not None and step % _PROGRESS_EVERY == 0:
                progress(step / steps, f"Step {step} of {steps}, loss {loss.item():.2e}")
        with torch.no_grad():
            error = math.sqrt(_loss(pairwise, unseen).item())
            pairwise.last.weight.mul_(scale)
            pairwise.last.bias.mul_(scale)
    return Pretrained(pairwise.eval(), scale * error, scale * unseen[2].max().item())


def _pairs(
    crf: CrfSettings, channels: int, settings: PretrainingSettings, count: int
) -> list[torch.Tensor]:
    """Return differences (count, channels), distances (count,) and potentials (count,)."""
    wide = torch.rand(count, 1) < 0.5
    spread = torch.where(wide, settings.deviation, 2 * crf.sigma)
    differences = torch.randn(count, channels) * spread
    low, high = settings.distances
    distances = low + (high - low) * torch.rand(count)
    wanted = ContrastSensitive(channels, crf.sigma, crf.omega)
    with torch.no_grad():
        potentials = wanted(differences[:, :, None], distances)[:, 0]
    return [differences, distances, potentials]


def _loss(pairwise: PairwiseNet, pairs: list[torch.Tensor]) -> torch.Tensor:
    differences, distances, potentials = pairs
    return functional.mse_loss(pairwise(differences[:, :, None], distances)[:, 0], potentials)
