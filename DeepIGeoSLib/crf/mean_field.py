"""Mean-field iterations of a CRF-Net on the arrays of a volume."""

from __future__ import annotations

import copy
import functools
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.crf.pairwise_tables import Tables, tabulate
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.geodesic import thread_count
from DeepIGeoSLib.tensors import choose_device, to_array, to_tensor

if TYPE_CHECKING:
    from DeepIGeoSLib.crf.crfnet import CRFNet

_logger = logging.getLogger(__name__)

# Scores of probabilities are limited to this: float32 knows no number between 1 - 6e-8 and 1.
_HIGHEST_SCORE = 16.0

_NO_SCRIBBLE = -1


class MeanField:
    """A CRF-Net in evaluation mode.

    Images of one channel use tables of the pairwise function (see ``pairwise_tables``): compiled
    by numba on the processor, else with torch. For several channels the pairwise function itself is
    evaluated, neighbor by neighbor, which takes far longer where it is a network.
    """

    def __init__(self, network: CRFNet, device: str = "auto", engine: str = "auto") -> None:
        """Take over ``network``, which must have been built for three axes.

        Args:
            network: a CRF-Net.
            device: as for ``TorchEngine``.
            engine: "numba", "torch", "network" (torch, without tables), or "auto" for the first of
                them that can be used.
        """
        self.device = choose_device(device)
        self.network = network.to(self.device).eval()
        self._engine = engine
        self._tables: dict[tuple, Tables] = {}

    @property
    def tables(self) -> list[Tables]:
        """The tables made so far, one for each spacing and reach of intensities."""
        return list(self._tables.values())

    def foreground_probability(
        self,
        probability: np.ndarray,
        image: np.ndarray,
        spacing: Sequence[float],
        *,
        foreground: np.ndarray | None = None,
        background: np.ndarray | None = None,
        cancel: threading.Event | None = None,
    ) -> np.ndarray:
        """Return the probability of class 1 after the iterations, for a CRF of two classes.

        Args:
            probability: a network's, float32 in [0, 1], axes (k, j, i).
            image: normalized float32, axes (channel, k, j, i).
            spacing: mm along (k, j, i).
            foreground: bool scribbles, (k, j, i): they stay 1; none when None.
            background: the same for 0.
            cancel: checked before each iteration.

        Returns:
            float32 in [0, 1], axes (k, j, i).

        Raises:
            Cancelled: ``cancel`` was set.
        """
        scribbles = None
        if foreground is not None and background is not None:
            scribbles = np.full(probability.shape, _NO_SCRIBBLE, dtype=np.int8)
            scribbles[background], scribbles[foreground] = 0, 1
        with np.errstate(divide="ignore"):
            odds = np.log(probability) - np.log1p(-probability)
        odds = np.clip(odds, -_HIGHEST_SCORE, _HIGHEST_SCORE)
        scores = np.stack([np.zeros_like(odds), odds])
        return self.probabilities(scores, image, spacing, scribbles=scribbles, cancel=cancel)[1]

    def probabilities(
        self,
        scores: np.ndarray,
        image: np.ndarray,
        spacing: Sequence[float],
        *,
        scribbles: np.ndarray | None = None,
        cancel: threading.Event | None = None,
    ) -> np.ndarray:
        """Return the probabilities of all classes after the iterations.

        Args:
            scores: a network's logits, float32 (classes, k, j, i).
            image: normalized float32, axes (channel, k, j, i).
            spacing: mm along (k, j, i).
            scribbles: int8 (k, j, i), the class of scribbled voxels and -1 elsewhere, or None.
            cancel: checked before each iteration (by numba; before the first one by torch).

        Returns:
            float32 (classes, k, j, i).

        Raises:
            Cancelled: ``cancel`` was set.
        """
        stop_if(cancel)
        if len(image) > 1 or self._engine == "network":
            return self._by_torch(self.network, scores, image, spacing, scribbles)
        tables = self._tables_for(image, spacing)
        kernels = None if self._engine == "torch" else compiled_kernels()
        if kernels is None or self.device.type != "cpu":
            return self._by_torch(self._tabulated(tables), scores, image, spacing, scribbles)
        return self._compiled(kernels, tables, scores, image[0], scribbles, cancel)

    def _tables_for(self, image: np.ndarray, spacing: Sequence[float]) -> Tables:
        """Return the tables for an image; few reaches, so that the next image finds its own."""
        widest = float(image.max() - image.min())
        reach = 2.0 ** np.ceil(np.log2(max(widest, 1e-3)))
        key = (reach, *spacing)
        if key not in self._tables:
            self._tables[key] = tabulate(self.network, spacing, reach)
        return self._tables[key]

    def _tabulated(self, tables: Tables) -> CRFNet:
        from DeepIGeoSLib.crf.lookup import TabulatedPairwise

        network = copy.copy(self.network)
        # A copy of its own, so that the network itself keeps its pairwise function.
        network._modules = {"pairwise": TabulatedPairwise(tables).to(self.device)}
        return network

    def _by_torch(
        self,
        network: CRFNet,
        scores: np.ndarray,
        image: np.ndarray,
        spacing: Sequence[float],
        scribbles: np.ndarray | None,
    ) -> np.ndarray:
        import torch

        with torch.inference_mode():
            marks = None
            if scribbles is not None:
                marks = to_tensor(scribbles[np.newaxis], self.device)
            result = network(
                to_tensor(scores[np.newaxis], self.device),
                to_tensor(image[np.newaxis], self.device),
                torch.tensor(spacing),
                marks,
            )
            return to_array(result[0].softmax(dim=0))

    def _compiled(
        self,
        kernels: ModuleType,
        tables: Tables,
        scores: np.ndarray,
        image: np.ndarray,
        scribbles: np.ndarray | None,
        cancel: threading.Event | None,
    ) -> np.ndarray:
        margin = [size // 2 for size in self.network.window]
        inside = tuple(slice(m, m + n) for m, n in zip(margin, image.shape, strict=True))
        around = [(m, m) for m in margin]
        scaled = np.pad(image * np.float32(tables.steps_per_unit), around, mode="edge")
        costs = self.network.strength * to_array(self.network.compatibility)
        scores, fixed = _constrained(scores, scribbles)
        old = np.zeros((len(scores), *scaled.shape), dtype=np.float32)
        new = np.zeros_like(old)
        old[(slice(None), *inside)] = _softmax(scores)
        fields = (scaled, tables.values, tables.table_of, tables.offsets, scores, fixed)
        threads = thread_count()
        with ThreadPoolExecutor(threads) as pool:
            for _ in range(self.network.iterations):
                stop_if(cancel)
                jobs = [
                    pool.submit(
                        kernels.iterate, *fields, costs.astype(np.float32), old, new, part, threads
                    )
                    for part in range(threads)
                ]
                for job in jobs:
                    job.result()
                old, new = new, old
        return np.ascontiguousarray(old[(slice(None), *inside)])


def _constrained(scores: np.ndarray, scribbles: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that fix scribbled voxels, and where these are."""
    from DeepIGeoSLib.crf.crfnet import SCRIBBLE_SCORE

    scores = np.ascontiguousarray(scores, dtype=np.float32)
    if scribbles is None:
        return scores, np.zeros(scores.shape[1:], dtype=bool)
    fixed = scribbles != _NO_SCRIBBLE
    scores = scores.copy()
    for label, channel in enumerate(scores):
        channel[fixed] = np.where(scribbles[fixed] == label, SCRIBBLE_SCORE, -SCRIBBLE_SCORE)
    return scores, fixed


def _softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=0))
    return weights / weights.sum(axis=0)


@functools.cache
def compiled_kernels() -> ModuleType | None:
    """Return the module ``kernels``, or None where numba does not load."""
    try:
        from DeepIGeoSLib.crf import kernels
    except ImportError as error:
        _logger.warning("The CRF runs without numba, which does not load: %s", error)
        return None
    return kernels
