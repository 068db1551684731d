"""Losses of two classes, and of several that make up targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import monai.losses
import torch
from torch import nn

from DeepIGeoSLib.targets import IGNORED, Target, class_count

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def make_loss(name: str, targets: Sequence[Target] = ()) -> Loss:
    """Return a loss of logits (B, classes, ...) and class numbers (B, 1, ...).

    Voxels whose class is ``IGNORED`` don't count.

    Args:
        name: "ce", "dice" or "dice_ce". The cross-entropy is that of the exclusive classes, the
            Dice that of the targets, of which some may lie in others: their mean.
        targets: of the network; a single one is class 1.
    """
    targets = targets or (Target(""),)
    # The Dice of the whole batch: a crop without lesion has no Dice of its own.
    of_targets = monai.losses.DiceLoss(batch=True)

    def dice(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        belongs = membership(targets, logits)
        counted = classes != IGNORED
        numbers = classes[:, 0].long().masked_fill(~counted[:, 0], 0)
        known = nn.functional.one_hot(numbers, logits.shape[1]).movedim(-1, 1)
        return of_targets(
            _joined(logits.softmax(dim=1), belongs) * counted,
            _joined(known.to(logits.dtype), belongs) * counted,
        )

    if name == "dice":
        return dice
    if name == "ce":
        return _cross_entropy
    return lambda logits, classes: dice(logits, classes) + _cross_entropy(logits, classes)


def _cross_entropy(logits: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the mean over the voxels that count; 0 when there are none."""
    entropy = nn.functional.cross_entropy(
        logits, classes[:, 0].long(), ignore_index=IGNORED, reduction="sum"
    )
    return entropy / (classes != IGNORED).sum().clamp(min=1)


def dice_of_targets(
    logits: torch.Tensor, classes: torch.Tensor, targets: Sequence[Target]
) -> torch.Tensor:
    """Return the Dice of each target in a batch: (targets,), NaN of those that nobody sees.

    Args:
        logits: (B, classes, ...).
        classes: the true class numbers (B, 1, ...); where one is ``IGNORED``, nothing counts.
        targets: of the network.
    """
    known = classes[:, 0].long()
    found = logits.argmax(dim=1).masked_fill(known == IGNORED, 0)
    dice = []
    for target in targets:
        own = torch.tensor(target.classes, device=logits.device)
        first, second = torch.isin(found, own), torch.isin(known, own)
        dice.append(2 * (first & second).sum() / (first.sum() + second.sum()))
    return torch.stack(dice)


def membership(targets: Sequence[Target], logits: torch.Tensor) -> torch.Tensor:
    """Return which class belongs to which target: (targets, classes), 1 and 0."""
    belongs = torch.zeros(
        len(targets), class_count(targets), device=logits.device, dtype=logits.dtype
    )
    for row, target in zip(belongs, targets, strict=True):
        row[list(target.classes)] = 1
    return belongs


def _joined(classes: torch.Tensor, belongs: torch.Tensor) -> torch.Tensor:
    """Return sums over the classes of each target: (B, targets, ...)."""
    return torch.einsum("bc...,tc->bt...", classes, belongs)
