"""Run a network with torch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.engines.memory import free_memory
from DeepIGeoSLib.engines.tiling import SmallestTileError, tiles_of
from DeepIGeoSLib.errors import Cancelled, InputError
from DeepIGeoSLib.tensors import choose_device, to_array, to_tensor

if TYPE_CHECKING:
    from torch import nn

_SLICES_AT_ONCE = 8

# How much smaller tiles become when a device has run out of memory.
_SMALLER = 0.9


class TorchEngine:
    """A network in evaluation mode on a device."""

    def __init__(
        self, network: nn.Module, device: str = "auto", memory_budget: int | None = None
    ) -> None:
        """Take over ``network``.

        Args:
            network: from ``build_network``.
            device: "auto", "cpu", "cuda", "mps", "cuda:1" and so on.
            memory_budget: bytes that the network's intermediate results may take; half of what is
                free at the time when None.
        """
        self.device = choose_device(device)
        self.network = network.to(self.device).eval()
        self._budget = memory_budget

    def foreground_probability(
        self, channels: np.ndarray, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the probability of class 1 for every voxel.

        Args:
            channels: float32 network input, axes (channel, k, j, i), any size; 2D networks see its
                slices along k one after the other.
            cancel: checked before each layer.

        Returns:
            float32 in [0, 1], axes (k, j, i).

        Raises:
            InputError: the memory budget is too small for any tile.
            Cancelled: ``cancel`` was set.
        """
        import torch

        dimension = self.network.dimension
        padded, inside = _padded(channels, (1, *self.network.multiple_of)[-3:])
        batch = np.moveaxis(padded, 1, 0) if dimension == 2 else padded[np.newaxis]
        with torch.inference_mode(), _cancelling(self.network, cancel):
            probability = self._in_tiles(batch, self._voxels_at_once())
        if dimension == 3:
            probability = probability[0]
        return np.ascontiguousarray(probability[inside])

    def _voxels_at_once(self) -> int:
        import torch

        budget = self._budget
        if budget is None and self.device.type == "cuda":
            budget = torch.cuda.mem_get_info(self.device)[0] // 2
        elif budget is None:
            budget = free_memory() // 2
        return int(budget // self.network.bytes_per_voxel)

    def _in_tiles(self, batch: np.ndarray, most: int) -> np.ndarray:
        """Return the probabilities (B, ...) of a batch (B, C, ...), at most so many voxels at once.

        Where the device runs out of memory all the same, smaller tiles are tried, then the CPU.
        """
        import torch

        try:
            tiles = tiles_of(batch.shape[2:], self.network.reach, self.network.multiple_of, most)
            slices = max(1, min(_SLICES_AT_ONCE, most // max(1, batch[0, 0].size)))
            probability = np.empty((len(batch), *batch.shape[2:]), dtype=np.float32)
            for first in range(0, len(batch), slices):
                group = slice(first, first + slices)
                for tile in tiles:
                    answer = self._run(batch[(group, slice(None), *tile.outer)])
                    probability[(group, *tile.inner)] = answer[(slice(None), *tile.kept)]
        except SmallestTileError as error:
            raise InputError(
                f"The memory budget of {most * self.network.bytes_per_voxel / 1e6:.0f} MB is too "
                "small for this network; the smallest that works here is "
                f"{error.voxels * self.network.bytes_per_voxel / 1e6:.0f} MB."
            ) from error
        except torch.OutOfMemoryError:
            return self._with_less_memory(batch, most)
        return probability

    def _with_less_memory(self, batch: np.ndarray, most: int) -> np.ndarray:
        """Go on in smaller tiles after the device ran out of memory, or on the CPU."""
        import torch

        torch.cuda.empty_cache()
        less = int(_SMALLER * min(most, batch[0, 0].size))
        try:
            tiles_of(batch.shape[2:], self.network.reach, self.network.multiple_of, less)
        except SmallestTileError:
            if self.device.type == "cpu":
                raise
            logging.warning("%s is out of memory; going on with the CPU.", self.device)
            self.device = torch.device("cpu")
            self.network.to(self.device)
            less = self._voxels_at_once()
        else:
            logging.warning("%s is out of memory; going on in smaller parts.", self.device)
        return self._in_tiles(batch, less)

    def _run(self, batch: np.ndarray) -> np.ndarray:
        logits = self.network(to_tensor(batch, self.device))
        return to_array(logits.float().softmax(dim=1)[:, 1])


@contextmanager
def _cancelling(network: nn.Module, cancel: threading.Event | None) -> Iterator[None]:
    """Let ``cancel`` stop the network before each of its layers."""

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise Cancelled("The network run was cancelled.")

    layers = [] if cancel is None else [m for m in network.modules() if not list(m.children())]
    hooks = [layer.register_forward_pre_hook(stop) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _padded(
    channels: np.ndarray, multiple_of: tuple[int, ...]
) -> tuple[np.ndarray, tuple[slice, ...]]:
    """Repeat the border up to sizes the network can halve; also return where the content lies."""
    missing = [-n % m for n, m in zip(channels.shape[1:], multiple_of, strict=True)]
    before = [m // 2 for m in missing]
    widths = [(0, 0), *((b, m - b) for b, m in zip(before, missing, strict=True))]
    inside = tuple(slice(b, b + n) for b, n in zip(before, channels.shape[1:], strict=True))
    return np.pad(channels, widths, mode="edge"), inside
