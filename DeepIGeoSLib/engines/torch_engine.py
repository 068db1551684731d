"""Run a network with torch."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import Cancelled
from DeepIGeoSLib.tensors import choose_device, to_array, to_tensor

if TYPE_CHECKING:
    from torch import nn

_SLICES_AT_ONCE = 8


class TorchEngine:
    """A network in evaluation mode on a device."""

    def __init__(self, network: nn.Module, device: str = "auto") -> None:
        """Take over ``network``; ``device`` is "auto", "cpu", "cuda", "mps", "cuda:1" and so on."""
        self.device = choose_device(device)
        self.network = network.to(self.device).eval()
        self.multiple_of = (1, *getattr(network, "multiple_of", (1, 1)))[-3:]

    def foreground_probability(
        self, channels: np.ndarray, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the probability of class 1 for every voxel.

        Args:
            channels: float32 network input, axes (channel, k, j, i), any size; 2D networks see its
                slices along k one after the other.
            cancel: checked between parts of the work.

        Returns:
            float32 in [0, 1], axes (k, j, i).

        Raises:
            Cancelled: ``cancel`` was set.
        """
        import torch

        padded, inside = _padded(channels, self.multiple_of)
        with torch.inference_mode():
            if self.network.dimension == 2:
                slices = np.moveaxis(padded, 1, 0)
                parts = [
                    self._run(slices[first : first + _SLICES_AT_ONCE], cancel)
                    for first in range(0, len(slices), _SLICES_AT_ONCE)
                ]
                probability = np.concatenate(parts)
            else:
                probability = self._run(padded[np.newaxis], cancel)[0]
        return np.ascontiguousarray(probability[inside])

    def _run(self, batch: np.ndarray, cancel: threading.Event | None) -> np.ndarray:
        if cancel is not None and cancel.is_set():
            raise Cancelled("The network run was cancelled.")
        logits = self.network(to_tensor(batch, self.device))
        return to_array(logits.float().softmax(dim=1)[:, 1])


def _padded(
    channels: np.ndarray, multiple_of: tuple[int, ...]
) -> tuple[np.ndarray, tuple[slice, ...]]:
    """Repeat the border up to sizes the network can halve; also return where the content lies."""
    missing = [-n % m for n, m in zip(channels.shape[1:], multiple_of, strict=True)]
    before = [m // 2 for m in missing]
    widths = [(0, 0), *((b, m - b) for b, m in zip(before, missing, strict=True))]
    inside = tuple(slice(b, b + n) for b, n in zip(before, channels.shape[1:], strict=True))
    return np.pad(channels, widths, mode="edge"), inside
