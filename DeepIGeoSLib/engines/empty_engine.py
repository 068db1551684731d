"""What proposes where nothing knows a class: nothing."""

from __future__ import annotations

import threading

import numpy as np

from DeepIGeoSLib.engines.protocols import Engine
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.inputs.channels import Channels


class EmptyEngine(Engine):
    """Stands in for P-Net: strokes are what begins a segmentation."""

    def probabilities(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """See ``Engine``; there is one class beside the background, and it is nowhere."""
        return self.foreground_probability(channels, cancel)[np.newaxis]

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return zeros: float32, axes (k, j, i).

        Raises:
            Cancelled: ``cancel`` was set.
        """
        stop_if(cancel)
        return np.zeros(channels.shape[1:], dtype=np.float32)

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """See ``Engine``; nothing is needed."""
