"""OpenVINO: found where it is installed, imported at its first use, given up when it fails."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import Cancelled

if TYPE_CHECKING:
    import torch
    from openvino import CompiledModel, InferRequest, Model
    from torch import nn

    from DeepIGeoSLib.networks.network import SegmentationNetwork

_logger = logging.getLogger(__name__)

# How often a run looks whether it was cancelled, in milliseconds.
_LOOK = 5


def openvino_installed() -> bool:
    """Return whether there is an OpenVINO to import; it is not imported."""
    return find_spec("openvino") is not None


class OpenVinoRuntime:
    """OpenVINO for the networks of one session; it may be used from several threads.

    Attributes:
        given_up: whether it has failed, and torch has to do.
    """

    def __init__(self) -> None:
        self.given_up = False
        self._lock = threading.Lock()

    def give_up(self, error: Exception) -> None:
        """Stop using OpenVINO after an error, and warn of it once."""
        with self._lock:
            known, self.given_up = self.given_up, True
        if not known:
            reason = " ".join(str(error).split()) or type(error).__name__
            _logger.warning("OpenVINO does not work here; going on with PyTorch. %s", reason)

    def convert(self, network: SegmentationNetwork, channels: int) -> Network:
        """Return a network as OpenVINO's: the probabilities of all classes but the background.

        Args:
            network: in evaluation mode, on the CPU; no other thread may run it meanwhile.
            channels: of its input.
        """
        import torch
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        example = torch.zeros(1, channels, *(2 * size for size in network.multiple_of))
        with torch.no_grad():
            traced = torch.jit.trace(_targets_of(network), example, check_trace=False)
        # ``openvino.convert_model`` would report its use to its maker; the frontend under it
        # doesn't. Manager and decoder have to outlive the conversion.
        manager = FrontEndManager()
        frontend = manager.load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(traced)
        return Network(frontend.convert(frontend.load(decoder)), decoder)

    def read(self, description: bytes, numbers: bytes) -> Network:
        """Return a network from OpenVINO's own description and numbers."""
        from openvino import Core

        return Network(Core().read_model(description, numbers), numbers)


class Network:
    """A converted network, to be compiled for shapes.

    Attributes:
        model: OpenVINO's.
    """

    def __init__(self, model: Model, weights: object = None) -> None:
        """Take over a model, and what holds its weights in memory."""
        self.model = model
        self._weights = weights

    def of_any_size(self) -> Network:
        """Return the network with every size of its input but the channels left open."""
        from openvino import PartialShape

        model = self.model.clone()
        _, channels, *space = model.input(0).partial_shape
        model.reshape({0: PartialShape([-1, channels, *[-1] * len(space)])})
        return Network(model, self._weights)

    def saved(self) -> tuple[bytes, bytes]:
        """Return OpenVINO's own description and numbers."""
        from openvino import serialize

        with TemporaryDirectory() as folder:
            description, numbers = Path(folder, "network.xml"), Path(folder, "network.bin")
            serialize(self.model, description, numbers)
            return description.read_bytes(), numbers.read_bytes()

    def compiled(self, shape: tuple[int, ...], threads: int) -> CompiledNetwork:
        """Compile for input of a shape (B, C, [D,] H, W) and a number of threads."""
        from openvino import Core, PartialShape

        model = self.model.clone()
        model.reshape({0: PartialShape(list(shape))})
        settings = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            # Threads bound to cores suffer where other programs run on the same ones.
            "ENABLE_CPU_PINNING": False,
        }
        return CompiledNetwork(Core().compile_model(model, "CPU", settings))


class CompiledNetwork:
    """A network for one shape."""

    def __init__(self, compiled: CompiledModel) -> None:
        self._compiled = compiled

    def run(self, batch: np.ndarray, cancel: threading.Event | None = None) -> np.ndarray:
        """Return float32 (B, classes - 1, [D,] H, W) for a batch (B, C, [D,] H, W).

        Raises:
            Cancelled: ``cancel`` was set; it is noticed between two layers.
        """
        from openvino import Tensor

        request = self._compiled.create_infer_request()
        values = np.ascontiguousarray(batch, dtype=np.float32)
        request.set_input_tensor(Tensor(values, shared_memory=True))
        request.start_async()
        while not request.wait_for(_LOOK):
            if cancel is not None and cancel.is_set():
                _stop(request)
                raise Cancelled("The network run was cancelled.")
        return request.get_output_tensor(0).data.copy()

    def release_memory(self) -> None:
        """Give back the memory of intermediate results, which the next run takes again."""
        self._compiled.release_memory()


def _stop(request: InferRequest) -> None:
    """Cancel a run and wait until it has stopped, so that it holds no memory any more."""
    request.cancel()
    with suppress(RuntimeError):  # how OpenVINO tells that it was cancelled
        request.wait()


def _targets_of(network: nn.Module) -> nn.Module:
    from torch import nn

    class Targets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.network(x).softmax(dim=1)[:, 1:]

    return Targets().eval()
