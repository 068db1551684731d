"""Pairwise functions as tables.

For an image of one channel the potential of all pairs at one place of the window is a function of
one number, the difference of their intensities. A window has few different distances, so a table
for each of them replaces the network.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.tensors import to_array, to_tensor

if TYPE_CHECKING:
    from torch import nn

    from DeepIGeoSLib.crf.crfnet import CRFNet

TOLERANCE = 5e-5
"""Largest error of a potential, relative to the largest potential where that is above 1."""

_FEWEST, _MOST = 1 << 9, 1 << 16


@dataclass(frozen=True)
class Tables:
    """Potentials at evenly spaced differences.

    Attributes:
        values: float32 (distances, steps + 2), from the difference ``-reach`` to ``reach``; the
            last entry is there twice, so that the one after any step exists.
        reach: largest difference, in intensity units.
        offsets: int64 (offsets, 3), the neighbors (k, j, i).
        distances: float64 (distances,), mm.
        table_of: which distance each offset has.
        error: bound of the error between entries where the function has one kink at most in a step.
    """

    values: np.ndarray
    reach: float
    offsets: np.ndarray
    distances: np.ndarray
    table_of: np.ndarray
    error: float

    @property
    def steps_per_unit(self) -> float:
        """Steps of the tables in one intensity unit."""
        return (self.values.shape[1] - 2) / (2 * self.reach)


def tabulate(network: CRFNet, spacing: Sequence[float], reach: float) -> Tables:
    """Return the tables of a CRF-Net for images of one channel.

    The number of steps is doubled until the error is below ``TOLERANCE``.

    Args:
        network: for three axes and one channel.
        spacing: mm along (k, j, i).
        reach: largest difference of two intensities, above 0.
    """
    offsets, distances, table_of = neighbors(network, spacing)
    # In double precision, so that rounding is not taken for an error of the table.
    pairwise = copy.deepcopy(network.pairwise).double().cpu()
    steps = _FEWEST
    values = _potentials(pairwise, np.linspace(-reach, reach, steps + 1), distances)
    while True:
        step = reach / steps
        between = _potentials(pairwise, np.linspace(-reach + step, reach - step, steps), distances)
        # A function with one kink in a step is at most twice as wrong there as in the middle.
        error = 2 * np.abs(between - (values[:, 1:] + values[:, :-1]) / 2).max()
        finer = np.empty((len(distances), 2 * steps + 1))
        finer[:, ::2], finer[:, 1::2] = values, between
        values, steps = finer, 2 * steps
        if error <= TOLERANCE * max(1.0, np.abs(values).max()) or steps >= _MOST:
            break
    padded = np.concatenate([values, values[:, -1:]], axis=1).astype(np.float32)
    return Tables(padded, reach, offsets, distances, table_of, float(error))


def neighbors(
    network: CRFNet, spacing: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the offsets of a window, their different distances, and which each offset has."""
    offsets = np.array(list(network.offsets()))
    lengths = np.linalg.norm(offsets * np.asarray(spacing, dtype=float), axis=1)
    distances, table_of = np.unique(lengths.round(9), return_inverse=True)
    return offsets, distances, table_of.astype(np.int64)


def _potentials(pairwise: nn.Module, differences: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Return the function's values (distances, differences) in double precision."""
    import torch

    with torch.no_grad():
        samples = to_tensor(differences).expand(len(distances), 1, -1)
        return to_array(pairwise(samples, to_tensor(distances)))
