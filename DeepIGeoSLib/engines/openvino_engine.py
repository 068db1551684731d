"""Run a network on the CPU with OpenVINO."""

from __future__ import annotations

import copy
import threading
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.engines.compiled_shapes import CompiledShapes
from DeepIGeoSLib.engines.openvino_runtime import Network, OpenVinoRuntime
from DeepIGeoSLib.engines.padding import padded_shape
from DeepIGeoSLib.engines.tiling import SmallestTileError
from DeepIGeoSLib.engines.torch_engine import TorchEngine
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.inputs.channels import Channels

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import Part, SegmentationNetwork

# How often a run that waits for a compiled network looks whether it was cancelled, in seconds.
_LOOK = 0.01


class OpenVinoEngine(TorchEngine):
    """A network that OpenVINO runs.

    It is compiled in the background for each shape that it is told of or meets; a run waits until
    that is done. Where OpenVINO fails, torch answers: the same to 1e-5.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        *,
        runtime: OpenVinoRuntime,
        memory_budget: int | None = None,
        quantized: tuple[bytes, bytes] | None = None,
    ) -> None:
        """Take over ``network``.

        Args:
            network: from ``build_network``.
            runtime: of the session.
            memory_budget: see ``TorchEngine``.
            quantized: OpenVINO's description and numbers of what is to answer instead, from
                ``Bundle.quantized``; where OpenVINO fails, ``network`` answers.
        """
        super().__init__(network, "cpu", memory_budget)
        own = copy.deepcopy(self.network)  # the background's; nobody else may run it
        if quantized is not None:
            make = partial(_read, runtime, quantized)
        else:
            make = partial(runtime.convert, own)
        self._shapes = CompiledShapes(make, runtime)

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

    def probabilities(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """See ``TorchEngine``; what large runs worked in is given back."""
        try:
            return super().probabilities(channels, cancel)
        finally:
            self._shapes.release_large()

    def _bytes(self) -> tuple[int, int]:
        return 0, self.network.bytes_per_voxel

    def _answer(self, batch: np.ndarray, part: Part, cancel: threading.Event | None) -> np.ndarray:
        thread = self._shapes.start(batch.shape)
        while thread is not None and thread.is_alive():
            stop_if(cancel)
            thread.join(_LOOK)
        answer = self._shapes.run(batch, cancel)
        if answer is None:
            return super()._answer(batch, part, cancel)
        # 8-bit networks of older bundles answer without the axis of the classes.
        answer = answer.reshape(len(batch), -1, *batch.shape[2:])
        answer = np.moveaxis(answer, 1, 0) if self.network.dimension == 2 else answer[0]
        return answer[(slice(None), *part)]


def _read(runtime: OpenVinoRuntime, quantized: tuple[bytes, bytes], _channels: int) -> Network:
    return runtime.read(*quantized)
