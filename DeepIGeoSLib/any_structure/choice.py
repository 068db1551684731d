"""Which of several answers to a stroke is taken: the one that looks most like what the user means.

A stroke does not say how large its object is, nor which method sees it best. Each answer, of the
network at every zoom and of the method without a network, is looked at: how sure the method is, how
large the change is, alone and beside the segmentation, how much of it the window cuts off, whether
the next finer zoom found the same, how it stands out, whether the stroke lies in its middle, where
people draw, and whether the other method found the same. A linear rule over these signs is fitted
to known structures when a bundle is written, one for each purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

SIGNS = (
    "confidence",
    "size",
    "size beside the target's",
    "size for its depth",
    "size for its depth, squared",
    "cut off",
    "agreement",
    "contrast",
    "zoom",
    "sure",
    "in the middle",
    "other method",
    "without a network",
)

# What a stroke does: begin where nothing has been found yet, add to it, or remove from it.
Purpose = Literal["begin", "add", "remove"]


@dataclass(frozen=True)
class SignRule:
    """The sum of ``weights`` times signs, which are shifted by ``mean`` and divided by ``scale``.

    Attributes:
        mean, scale, weights: a number for each of ``SIGNS``.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]

    def expected(self, signs: np.ndarray) -> np.ndarray:
        """Return what is expected of n answers: (n,) for signs (n, ``SIGNS``)."""
        return (signs - np.array(self.mean)) / np.array(self.scale) @ np.array(self.weights)


@dataclass(frozen=True)
class AnswerChoice:
    """The rules by which answers are chosen.

    Attributes:
        begin, add, remove: for each purpose of a stroke.
    """

    begin: SignRule
    add: SignRule
    remove: SignRule

    def best(self, signs: np.ndarray, purpose: Purpose) -> int:
        """Return which of n answers is expected to be best, by their signs (n, ``SIGNS``)."""
        rule: SignRule = getattr(self, purpose)
        return int(np.argmax(rule.expected(signs)))
