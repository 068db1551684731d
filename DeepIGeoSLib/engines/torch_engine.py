"""Run a network with torch."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.allocator import keep_freed_memory, return_freed_memory
from DeepIGeoSLib.engines.free_memory import free_memory
from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.engines.protocols import Engine
from DeepIGeoSLib.engines.tiling import SmallestTileError, Tile, tiles_of
from DeepIGeoSLib.errors import InputError, stop_if
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.inputs.channels import Channels
from DeepIGeoSLib.tensors import choose_device, to_array, to_tensor

if TYPE_CHECKING:
    import torch
    from torch import nn

    from DeepIGeoSLib.networks.network import Part, SegmentationNetwork

_logger = logging.getLogger(__name__)

# How many slices a 2D network sees together: on a CPU, more take longer than one after the other.
_SLICES_AT_ONCE = 8

# From so many voxels on, a run leaves so much freed memory between what is in use that it is given
# back; smaller runs keep it for the next one.
_LARGE = 10_000_000

# How much smaller tiles become when a device has run out of memory.
_SMALLER = 0.9


class TorchEngine(Engine):
    """A network in evaluation mode on a device."""

    def __init__(
        self, network: SegmentationNetwork, device: str = "auto", memory_budget: int | None = None
    ) -> None:
        """Take over ``network``.

        Args:
            network: from ``build_network``.
            device: "auto", "cpu", "cuda", "mps", "cuda:1" and so on.
            memory_budget: bytes that the network's intermediate results may take; half of what is
                free at the time when None.
        """
        self.device = choose_device(device)
        if self.device.type == "cpu":
            keep_freed_memory()
        self.network = network.to(self.device).eval()
        self._budget = memory_budget

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the probability of class 1 for every voxel, axes (k, j, i); else as below."""
        return self.probabilities(channels, cancel)[0]

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """See ``Engine``; torch needs nothing."""

    def probabilities(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the probability of each class but the background for every voxel.

        Args:
            channels: float32 network input, axes (channel, k, j, i), any size, read tile by tile;
                2D networks see its slices along k one after the other.
            cancel: checked before each layer.

        Returns:
            float32 in [0, 1], axes (class, k, j, i).

        Raises:
            InputError: the memory budget is too small for any tile.
            Cancelled: ``cancel`` was set.
        """
        padded = PaddedChannels(channels, self._multiple_of())
        try:
            return self._in_tiles(padded, self._voxels_at_once(), cancel)
        finally:
            if prod(padded.shape) >= _LARGE:
                return_freed_memory()

    def _multiple_of(self) -> tuple[int, int, int]:
        return three((1, *self.network.multiple_of)[-3:])

    def _voxels_at_once(self) -> int:
        fixed, per_voxel = self._bytes()
        return int(max(0, self._memory() - fixed) // per_voxel)

    def _memory(self) -> int:
        """Return how many bytes may be used now."""
        import torch

        if self._budget is not None:
            return self._budget
        if self.device.type == "cuda":
            return torch.cuda.mem_get_info(self.device)[0] // 2
        return free_memory() // 2

    def _bytes(self) -> tuple[int, int]:
        """Return how many bytes a run uses: in any case, and for each voxel."""
        on_cpu = self.device.type == "cpu"
        return self.network.part_bytes if on_cpu else (0, self.network.bytes_per_voxel)

    def _in_tiles(
        self, padded: PaddedChannels, most: int, cancel: threading.Event | None
    ) -> np.ndarray:
        """Return the probabilities of the content of ``padded``, at most so many voxels at once.

        Where the device runs out of memory all the same, smaller tiles are tried, then the CPU.
        """
        import torch

        whole = tuple(slice(0, size) for size in padded.shape)
        size = [part.stop for part in padded.content(whole)]
        found = np.empty([self.network.classes - 1, *size], dtype=np.float32)
        try:
            for tile in self._tiles(padded.shape, most):
                answer = self._run(padded.read(tile.outer), three(tile.kept), cancel)
                own, within = padded.content(tile.inner), padded.content_within(tile.inner)
                found[(slice(None), *own)] = answer[(slice(None), *within)]
        except SmallestTileError as error:
            fixed, per_voxel = self._bytes()
            raise InputError(
                f"The memory budget of {self._memory() / 1e6:.0f} MB is too small for this "
                "network; the smallest that works here is "
                f"{(fixed + error.voxels * per_voxel) / 1e6:.0f} MB."
            ) from error
        except torch.OutOfMemoryError:
            return self._with_less_memory(padded, most, cancel)
        return found

    def _tiles(self, shape: tuple[int, ...], most: int) -> list[Tile]:
        """Return what to compute at once: tiles (k, j, i), for 2D networks some slices of each."""
        network = self.network
        if network.dimension == 3:
            return tiles_of(shape, reach=network.reach, multiple_of=network.multiple_of, most=most)
        tiles = tiles_of(shape[1:], reach=network.reach, multiple_of=network.multiple_of, most=most)
        together = 1 if self.device.type == "cpu" else _SLICES_AT_ONCE
        count = max(1, min(together, most // max(1, shape[1] * shape[2])))
        groups = [slice(k, min(k + count, shape[0])) for k in range(0, shape[0], count)]
        return [
            Tile(outer=(group, *tile.outer), inner=(group, *tile.inner))
            for group in groups
            for tile in tiles
        ]

    def _with_less_memory(
        self, padded: PaddedChannels, most: int, cancel: threading.Event | None
    ) -> np.ndarray:
        """Go on in smaller tiles after the device ran out of memory, or on the CPU."""
        import torch

        torch.cuda.empty_cache()
        size = prod(padded.shape[-self.network.dimension :])
        less = int(_SMALLER * min(most, size))
        try:
            self._tiles(padded.shape, less)
        except SmallestTileError:
            if self.device.type == "cpu":
                raise
            _logger.warning("%s is out of memory; going on with the CPU.", self.device)
            self.device = torch.device("cpu")
            self.network.to(self.device)
            less = self._voxels_at_once()
        else:
            _logger.warning("%s is out of memory; going on in smaller parts.", self.device)
        return self._in_tiles(padded, less, cancel)

    def _run(self, channels: np.ndarray, part: Part, cancel: threading.Event | None) -> np.ndarray:
        """Return the probabilities (class, k, j, i) in a part (k, j, i) of the channels."""
        flat = self.network.dimension == 2
        batch = np.moveaxis(channels, 1, 0) if flat else channels[np.newaxis]
        return self._answer(batch, part, cancel)

    def _answer(self, batch: np.ndarray, part: Part, cancel: threading.Event | None) -> np.ndarray:
        """Return what ``run_part`` does, unless ``cancel`` stops it."""
        with _cancelling(self.network, cancel):
            return run_part(self.network, batch, part=part, device=self.device)


def run_part(
    network: SegmentationNetwork,
    batch: np.ndarray,
    *,
    part: Part,
    device: str | torch.device = "cpu",
) -> np.ndarray:
    """Return the probabilities (class, k, j, i) in a part of a batch (B, C, [D,] H, W).

    In 2D the batch holds the slices along k, in 3D one volume.
    """
    import torch

    with torch.inference_mode():
        return to_array(network.probabilities_of_part(to_tensor(batch, device), part))


@contextmanager
def _cancelling(network: nn.Module, cancel: threading.Event | None) -> Generator[None, None, None]:
    """Let ``cancel`` stop the network before each of its layers."""

    def stop(*_: object) -> None:
        stop_if(cancel)

    layers = [] if cancel is None else [m for m in network.modules() if not list(m.children())]
    hooks = [layer.register_forward_pre_hook(stop) for layer in layers]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
