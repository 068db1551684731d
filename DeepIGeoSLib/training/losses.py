"""Losses of two classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import monai.losses
import torch
from torch import nn


def make_loss(name: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """Return a loss of logits (B, 2, ...) and labels (B, 1, ...): "ce", "dice" or "dice_ce"."""
    if name == "ce":
        cross_entropy = nn.CrossEntropyLoss()
        return lambda logits, target: cross_entropy(logits, target[:, 0].long())
    # The Dice of the whole batch: a crop without lesion has no Dice of its own.
    options: dict[str, Any] = {
        "softmax": True,
        "to_onehot_y": True,
        "include_background": False,
        "batch": True,
    }
    if name == "dice":
        return monai.losses.DiceLoss(**options)
    return monai.losses.DiceCELoss(**options)
