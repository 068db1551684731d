"""Which of several answers to a stroke is taken: the one that looks most like what the user means.

A stroke does not say how large its object is, nor which method sees it best. Each answer, of the
network at every zoom and of the method without a network, is looked at: how sure the method is, how
large the change is, alone and beside the segmentation, how much of it the window cuts off, whether
the next finer zoom found the same, how it stands out, whether the stroke lies in its middle, where
people draw, and whether the other method found the same. A small network over these signs is fitted
to known structures when a bundle is written, one for each purpose: what a large change is worth
depends on the other signs.
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

# Deviations from what was seen in the fitting up to which signs count.
_LIMIT = 4.0

# What a stroke does: begin where nothing has been found yet, add to it, or remove from it.
Purpose = Literal["begin", "add", "remove"]


@dataclass(frozen=True)
class SignRule:
    """A network of one hidden layer: ``weights @ tanh(hidden @ x + offsets)``.

    ``x`` are an answer's signs, shifted by ``mean``, divided by ``scale``, and limited.

    Attributes:
        mean, scale: a number for each of ``SIGNS``.
        hidden: for each unit, a number for each of ``SIGNS``.
        offsets, weights: a number for each unit.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    hidden: tuple[tuple[float, ...], ...]
    offsets: tuple[float, ...]
    weights: tuple[float, ...]

    def expected(self, signs: np.ndarray) -> np.ndarray:
        """Return what is expected of n answers: (n,) for signs (n, ``SIGNS``)."""
        units = np.tanh(self.scaled(signs) @ np.array(self.hidden).T + np.array(self.offsets))
        return units @ np.array(self.weights)

    def scaled(self, signs: np.ndarray) -> np.ndarray:
        """Return what the hidden layer is shown of signs (n, ``SIGNS``), the same shape."""
        values = (signs - np.array(self.mean)) / np.array(self.scale)
        return np.clip(values, -_LIMIT, _LIMIT)


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
