"""Run a network on the CPU with OpenVINO."""

from __future__ import annotations

import copy
import threading
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.engines.compiled_shapes import CompiledShapes
from DeepIGeoSLib.engines.openvino_runtime import CompiledNetwork, Network, OpenVinoRuntime
from DeepIGeoSLib.engines.padding import Channels, padded_shape
from DeepIGeoSLib.engines.tiling import SmallestTileError
from DeepIGeoSLib.engines.torch_engine import TorchEngine, run_part
from DeepIGeoSLib.errors import stop_if

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.part import Part, PartNetwork

# How often both are timed.
_TURNS = 3

# How often a run that waits for a compiled network looks whether it was cancelled, in seconds.
_LOOK = 0.01


class OpenVinoEngine(TorchEngine):
    """A network that OpenVINO runs where it is compiled for the shape, and torch elsewhere.

    It is compiled in the background for each shape that it meets. Both answer the same to 1e-5, so
    the change from one to the other is not seen. Unless it is ``patient``, OpenVINO is declined
    where it turns out to be hardly faster.
    """

    def __init__(
        self,
        network: PartNetwork,
        runtime: OpenVinoRuntime,
        memory_budget: int | None = None,
        patient: bool = False,
        quantized: tuple[bytes, bytes] | None = None,
    ) -> None:
        """Take over ``network``.

        Args:
            network: from ``build_network``.
            runtime: of the session.
            memory_budget: see ``TorchEngine``.
            patient: every run waits for its compiled network instead of going ahead with torch.
            quantized: OpenVINO's description and numbers of what is to answer instead, from
                ``Bundle.quantized``; where OpenVINO fails, ``network`` answers.
        """
        super().__init__(network, "cpu", memory_budget)
        self._patient = patient
        own = copy.deepcopy(self.network)  # the background's; nobody else may run it
        if quantized is not None:
            make = partial(_read, runtime, quantized)
        else:
            make = partial(runtime.convert, own)
        gain = None if patient else partial(_gain, own)
        self._shapes = CompiledShapes(make, runtime, gain)

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """Compile in the background for input of a size (channels, k, j, i)."""
        padded = padded_shape(shape[1:], self._multiple_of())
        try:
            tiles = self._tiles(padded, self._voxels_at_once())
        except SmallestTileError:
            return  # the run will tell
        flat = self.network.dimension == 2
        for tile in tiles:
            k, *plane = (part.stop - part.start for part in tile.outer)
            self._shapes.start((k, shape[0], *plane) if flat else (1, shape[0], k, *plane))

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """See ``TorchEngine``; what large runs worked in is given back."""
        try:
            return super().foreground_probability(channels, cancel)
        finally:
            self._shapes.release_large()

    def _bytes(self) -> tuple[int, int]:
        return 0, self.network.bytes_per_voxel

    def _probability(
        self, batch: np.ndarray, part: Part, cancel: threading.Event | None
    ) -> np.ndarray:
        thread = self._shapes.start(batch.shape)
        while self._patient and thread is not None and thread.is_alive():
            stop_if(cancel)
            thread.join(_LOOK)
        answer = self._shapes.run(batch, cancel)
        if answer is None:
            return super()._probability(batch, part, cancel)
        return (answer if self.network.dimension == 2 else answer[0])[part]


def _read(runtime: OpenVinoRuntime, quantized: tuple[bytes, bytes], _channels: int) -> Network:
    return runtime.read(*quantized)


def _gain(network: PartNetwork, compiled: CompiledNetwork, shape: tuple[int, ...]) -> float:
    """Return how many times as fast as torch OpenVINO is, measured in turns."""
    batch = np.zeros(shape, dtype=np.float32)
    whole = tuple(slice(0, size) for size in (shape[0] if len(shape) == 4 else 1, *shape[2:])[-3:])
    seconds: dict[str, list[float]] = {"torch": [], "openvino": []}
    for _ in range(_TURNS):
        start = perf_counter()
        run_part(network, batch, whole)
        middle = perf_counter()
        compiled.run(batch)
        seconds["torch"].append(middle - start)
        seconds["openvino"].append(perf_counter() - middle)
    return min(seconds["torch"]) / min(seconds["openvino"])
