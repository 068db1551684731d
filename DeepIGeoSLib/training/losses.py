"""Losses of two classes, and of several that make up targets."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import monai.losses
import torch
from torch import nn

from DeepIGeoSLib.targets import IGNORED, Target, class_count

# The third argument may say how much each voxel counts in the cross-entropy, (B, ...).
Loss = Callable[..., torch.Tensor]


def make_loss(name: str, targets: Sequence[Target] = ()) -> Loss:
    """Return a loss of logits (B, classes, ...), class numbers (B, 1, ...) and, perhaps, weights.

    Voxels whose class is ``IGNORED`` don't count. The weights (B, ...) are those of the voxels in
    the cross-entropy; all are 1 without them.

    Args:
        name: "ce", "dice" or "dice_ce". The cross-entropy is that of the exclusive classes, the
            Dice that of the targets, of which some may lie in others: their mean.
        targets: of the network; a single one is class 1.
    """
    targets = targets or (Target(""),)
    # The Dice of the whole batch: a crop without lesion has no Dice of its own.
    of_targets = monai.losses.DiceLoss(batch=True)

    def dice(
        logits: torch.Tensor, classes: torch.Tensor, weight: torch.Tensor | None = None
    ) -> torch.Tensor:
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

    def both(
        logits: torch.Tensor, classes: torch.Tensor, weight: torch.Tensor | None = None
    ) -> torch.Tensor:
        return dice(logits, classes) + _cross_entropy(logits, classes, weight)

    return both


def _cross_entropy(
    logits: torch.Tensor, classes: torch.Tensor, weight: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the weighted mean over the voxels that count; 0 when there are none."""
    counted = (classes[:, 0] != IGNORED).to(logits.dtype)
    if weight is not None:
        counted = counted * weight
    entropy = nn.functional.cross_entropy(
        logits, classes[:, 0].long(), ignore_index=IGNORED, reduction="none"
    )
    return (entropy * counted).sum() / counted.sum().clamp(min=1e-6)


def near_strokes(maps: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
    """Return how near each voxel is to the strokes that ask for a change: 1 on them, to 0.

    Args:
        maps: the network's distance channels (B, 2, ...) of background and foreground, see
            ``inputs.distance_channels``; a quarter of the largest distance away, a voxel has 0.3.
        asked: bool (B, 2), whether the newest strokes add and whether they remove.
    """
    unasked = ~asked.flip(1)[(..., *(None,) * (maps.ndim - 2))]
    distance = maps.masked_fill(unasked, 1.0).amin(dim=1)
    return (1 - distance) ** 4


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
