"""Fitting a rule that chooses among answers, to strokes whose answers are all known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from DeepIGeoSLib.any_structure.choice import SIGNS, Purpose, SignRule
from DeepIGeoSLib.tensors import to_array, to_tensor

# Networks of a rule, from different beginnings, whose sum is less a matter of chance than one is;
# units of each, and steps that it is fitted in.
_NETWORKS, _UNITS, _STEPS, _RATE = 5, 16, 250, 0.02

# How decided a rule is between answers while it is fitted, and how much large weights cost.
_SHARPNESS, _COST = 3.0, 2e-3

# A stroke that makes things worse counts so many times: who corrects, does not forgive that.
_DAMAGE = 2.0


@dataclass(frozen=True)
class Seen:
    """The answers to one stroke.

    Attributes:
        purpose: of the stroke.
        signs: (answer, sign), see ``signs``.
        dice: (answer,) after the stroke.
        before: Dice before the stroke.
    """

    purpose: Purpose
    signs: np.ndarray
    dice: np.ndarray
    before: float

    @property
    def gains(self) -> np.ndarray:
        """What each answer gains, beside the mean of all; damage counts more."""
        gains = self.dice - self.before
        gains = np.where(gains < 0, _DAMAGE * gains, gains)
        return gains - gains.mean()


def rule_for(seen: Sequence[Seen]) -> SignRule:
    """Return the rule whose choices gain most; without any answer, one that prefers nothing.

    The choice is a softmax of the rule while it is fitted, so that it has a gradient.
    """
    count = len(SIGNS)
    if not seen:
        zeros = (0.0,) * count
        return SignRule(zeros, (1.0,) * count, (zeros,), (0.0,), (0.0,))
    every = np.concatenate([one.signs for one in seen])
    mean, scale = every.mean(axis=0), every.std(axis=0)
    scale[scale == 0] = 1
    plain = SignRule(_row(mean), _row(scale), (), (), ())
    signs, gains, there = _padded(seen, plain)
    gains /= gains[there].std().clamp(min=1e-6)  # first strokes gain far more than later ones
    networks = [_fitted(signs, gains, there, seed) for seed in range(_NETWORKS)]
    return SignRule(
        plain.mean,
        plain.scale,
        tuple(_row(row) for hidden, _, _ in networks for row in hidden),
        tuple(n for _, offsets, _ in networks for n in _row(offsets)),
        tuple(n for _, _, weights in networks for n in _row(weights)),
    )


def _row(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _padded(
    seen: Sequence[Seen], plain: SignRule
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return signs (stroke, answer, sign), gains (stroke, answer), and which answers there are."""
    most = max(len(one.dice) for one in seen)
    signs = np.zeros((len(seen), most, len(SIGNS)), dtype=np.float32)
    gains = np.zeros((len(seen), most), dtype=np.float32)
    there = np.zeros((len(seen), most), dtype=bool)
    for place, one in enumerate(seen):
        answers = slice(len(one.dice))
        signs[place, answers] = plain.scaled(one.signs)
        gains[place, answers] = one.gains
        there[place, answers] = True
    return to_tensor(signs), to_tensor(gains), to_tensor(there)


def _fitted(
    signs: torch.Tensor, gains: torch.Tensor, there: torch.Tensor, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hidden weights, offsets and weights of a network whose choices gain most."""
    random = torch.Generator().manual_seed(seed)
    hidden = torch.randn(_UNITS, len(SIGNS), generator=random) / len(SIGNS) ** 0.5
    weights = torch.randn(_UNITS, generator=random) / _UNITS**0.5
    parts = [hidden, torch.zeros(_UNITS), weights]
    for part in parts:
        part.requires_grad_(True)
    optimizer = torch.optim.Adam(parts, lr=_RATE)
    for _ in range(_STEPS):
        expected = torch.tanh(signs @ parts[0].T + parts[1]) @ parts[2]
        shares = (_SHARPNESS * expected).masked_fill(~there, -torch.inf).softmax(dim=1)
        gained = (shares * gains).sum(dim=1).mean()
        loss = _COST * torch.stack([(part**2).sum() for part in parts]).sum() - gained
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    first, offsets, last = (to_array(part.detach().double()) for part in parts)
    return first, offsets, last
