"""Seeds without a network: each voxel joins the class whose seeds are nearer.

It stands in for R-Net where no model or no PyTorch is installed, on the same input.
"""

from __future__ import annotations

import threading

import numpy as np

from DeepIGeoSLib.engines.protocols import Engine
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.inputs.channels import Channels


class GeodesicEngine(Engine):
    """The geodesic two-class rule of Bai and Sapiro, "Geodesic matting" (IJCV 82(2), 2009)."""

    def __init__(self, role: str) -> None:
        """Take the place of "rnet", or of "pnet", which can't be replaced by distances."""
        self._role = role

    def probabilities(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """See ``Engine``; there is one class beside the background."""
        return self.foreground_probability(channels, cancel)[np.newaxis]

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """See ``Engine``; nothing is needed."""

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the share of the background distance in the sum of both.

        Args:
            channels: R-Net's input: image channels, initial segmentation, background map,
                foreground map. Where both maps are 1 ("far") the initial segmentation stays.
            cancel: stops the work when it is set.

        Returns:
            float32 in [0, 1], axes (k, j, i). For "pnet", which has no seeds yet: 0 everywhere.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        stop_if(cancel)
        if self._role == "pnet":
            return np.zeros(channels.shape[1:], dtype=np.float32)
        everywhere = slice(None)
        last = channels[slice(-3, None), everywhere, everywhere, everywhere]
        initial, to_background, to_foreground = last
        total = to_background + to_foreground
        share = np.divide(to_background, total, out=np.zeros_like(total), where=total > 0)
        return np.where(total >= 2, initial, share).astype(np.float32, copy=False)
