"""Which zoom a first stroke is answered at: the one whose answer looks most like a whole object.

A stroke alone does not say how large its object is. Each zoom has an answer of its own, and what
these look like tells which of them to trust: how sure the network is, how large the answer is, how
much of it the window cuts off, whether the next finer zoom found the same, and how it stands out.
A linear rule over these signs is fitted to known structures when a bundle is written.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIGNS = ("confidence", "size", "cut off", "agreement", "contrast")


@dataclass(frozen=True)
class ZoomChoice:
    """The rule: the sum of ``weights`` times signs, which are shifted by ``mean`` and scaled.

    Attributes:
        mean, scale, weights: a number for each of ``SIGNS``.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]

    def expected(self, signs: np.ndarray) -> np.ndarray:
        """Return what is expected of the answers at n zooms: (n,) for signs (n, ``SIGNS``)."""
        return (signs - np.array(self.mean)) / np.array(self.scale) @ np.array(self.weights)
