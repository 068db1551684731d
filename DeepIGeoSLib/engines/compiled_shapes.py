"""A network compiled by OpenVINO for the shapes that it is given."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from math import prod

import numpy as np

from DeepIGeoSLib.engines.openvino_runtime import CompiledNetwork, Network, OpenVinoRuntime
from DeepIGeoSLib.errors import Cancelled

# How many are kept: a region has eight sizes. Their weights take a few megabytes each.
_KEPT = 8

# From so many voxels on, the memory that a run works in is not kept.
_LARGE = 1_000_000


class CompiledShapes:
    """The shapes that a network is compiled for, and the background work on further ones."""

    def __init__(self, make: Callable[[int], Network], runtime: OpenVinoRuntime) -> None:
        """Take over how a network is made.

        Args:
            make: returns it for a number of input channels; it is called once.
            runtime: of the session.
        """
        self._make = make
        self._runtime = runtime
        self._network: Network | None = None
        self._compiled: OrderedDict[tuple, CompiledNetwork] = OrderedDict()
        self._last: CompiledNetwork | None = None
        self._last_is_large = False
        self._threads: dict[tuple, threading.Thread] = {}
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()

    def start(self, shape: tuple[int, ...]) -> threading.Thread | None:
        """Begin to compile for a shape (B, C, [D,] H, W), in the background.

        Returns:
            The thread that does it, or None where there is nothing to be done.
        """
        key = _key(shape)
        with self._lock:
            if self._runtime.given_up or key in self._compiled:
                return None
            if key not in self._threads:
                thread = threading.Thread(target=self._compile, args=key, name="OpenVINO compiler")
                self._threads[key] = thread
                thread.start()
            return self._threads[key]

    def run(self, batch: np.ndarray, cancel: threading.Event | None) -> np.ndarray | None:
        """Return what ``CompiledNetwork.run`` does for a batch (B, C, [D,] H, W).

        Returns None where the network is not compiled for the shape, or OpenVINO fails.

        Raises:
            Cancelled: ``cancel`` was set.
        """
        key = _key(batch.shape)
        with self._lock:
            compiled = self._compiled.get(key)
            if compiled is None or self._runtime.given_up:
                return None
            self._compiled.move_to_end(key)
        try:
            # Only the newest keeps the memory that it works in: ready for the next stroke.
            if self._last is not None and self._last is not compiled:
                self._last.release_memory()
            self._last = compiled
            self._last_is_large = _voxels(batch.shape) >= _LARGE
            return compiled.run(batch, cancel)
        except Cancelled:
            raise
        except Exception as error:  # whatever it is, torch can go on
            self._give_up(error)
            return None

    def release_large(self) -> None:
        """Give back the memory that the last run worked in, if it was a large one."""
        if self._last is not None and self._last_is_large:
            self._last.release_memory()

    def _compile(self, shape: tuple[int, ...], threads: int) -> None:
        compiled = None
        with self._one_at_a_time:
            try:
                if not self._runtime.given_up:
                    compiled = self._made(shape, threads)
            except Exception as error:  # whatever it is, torch can go on
                self._give_up(error)
        with self._lock:
            del self._threads[shape, threads]
            if compiled is not None:
                self._compiled[shape, threads] = compiled
                while len(self._compiled) > _KEPT:
                    self._compiled.popitem(last=False)

    def _made(self, shape: tuple[int, ...], threads: int) -> CompiledNetwork:
        """Return the network compiled for a shape."""
        if self._network is None:
            self._network = self._make(shape[1])
        return self._network.compiled(shape, threads)

    def _give_up(self, error: Exception) -> None:
        self._runtime.give_up(error)
        with self._lock:
            self._compiled.clear()
            self._last = None


def _key(shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Return what a network is compiled for: a shape, and as many threads as torch uses."""
    import torch

    return tuple(shape), torch.get_num_threads()


def _voxels(shape: tuple[int, ...]) -> int:
    return shape[0] * prod(shape[2:])
