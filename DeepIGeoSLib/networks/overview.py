"""A look at a volume from the second scale: where does the finest one have something to decide?

A proposal has two levels. The coarser scales of P-Net see the whole volume; where they leave no
doubt that a cell of 4 x 4 pixels is background, or foreground, through and through, that is the
answer. The finest scale, which takes half of the time, is computed where a boundary may be.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

# Pixels along the side of a cell.
CELL = 4

# A logit below this leaves no doubt.
_NO_DOUBT = -5.0


class Overview(nn.Module):
    """Tells for each cell whether it holds any foreground, and whether any background.

    Input: features of the second scale (N, features, H/4, W/4); output: logits (N, 2, H/4, W/4).
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Conv2d(features, features, 1)
        self.classifier = nn.Conv2d(features, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(functional.leaky_relu(self.hidden(x), 0.01))


def doubtful(overview: torch.Tensor) -> torch.Tensor:
    """Return where the finest scale has to decide: bool (N, H/4, W/4)."""
    return (overview >= _NO_DOUBT).all(dim=1)


def logits_without_doubt(overview: torch.Tensor) -> torch.Tensor:
    """Return the logits (N, 2, H/4, W/4) of background and foreground where there is no doubt."""
    foreground, background = overview.unbind(dim=1)
    half = torch.where(foreground < background, foreground, -background) / 2
    return torch.stack([-half, half], dim=1)


def with_overview(logits: torch.Tensor, overview: torch.Tensor) -> torch.Tensor:
    """Return the finest scale's logits (N, 2, H, W) where there is doubt, and else the overview's.

    Args:
        logits: of the finest scale.
        overview: (N, 2, H/4, W/4), of the same pixels.
    """
    doubt = functional.interpolate(doubtful(overview)[:, None].float(), scale_factor=float(CELL))
    answers = functional.interpolate(logits_without_doubt(overview), scale_factor=float(CELL))
    return torch.where(doubt > 0, logits, answers)
