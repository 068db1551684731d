"""Which backend runs a session's networks."""

from __future__ import annotations

from DeepIGeoSLib.engines.empty_engine import EmptyEngine
from DeepIGeoSLib.engines.openvino_engine import OpenVinoEngine
from DeepIGeoSLib.engines.openvino_runtime import OpenVinoRuntime, openvino_installed
from DeepIGeoSLib.engines.protocols import Engine, NetworkSource
from DeepIGeoSLib.engines.torch_engine import TorchEngine
from DeepIGeoSLib.errors import InputError

# "auto" is torch: which backend answers must not depend on what else is installed, because the last
# bits of the backends differ.
ENGINES = ("auto", "torch", "openvino", "openvino-int8")

_OPENVINO, _INT8 = ENGINES[2:]


class Engines:
    """What runs a session's networks: one backend for all of them."""

    def __init__(
        self,
        bundle: NetworkSource,
        engine: str = "auto",
        device: str = "auto",
        *,
        memory_budget: int | None = None,
    ) -> None:
        """Choose how a bundle's networks run; nothing is loaded yet.

        Args:
            bundle: from ``load_bundle``, or what stands in for one.
            engine: "torch" or "auto", which is torch; "openvino", whose first run of each size
                waits until it is ready; "openvino-int8", the same with the bundle's 8-bit networks.
            device: see ``TorchEngine``.
            memory_budget: see ``TorchEngine``.

        Raises:
            BundleError: the bundle has no 8-bit networks.
            InputError: there is no such engine, or it is not installed, or not for this device.
        """
        if engine not in ENGINES:
            raise InputError(f"There is no engine {engine!r}; choose one of {list(ENGINES)}.")
        self._runtime = OpenVinoRuntime() if engine in (_OPENVINO, _INT8) else None
        if self._runtime is not None and not openvino_installed():
            raise InputError(
                f"The engine {engine} is not installed; install it with 'pip install openvino', or "
                "choose the engine torch."
            )
        if self._runtime is not None and device not in ("auto", "cpu"):
            raise InputError(f"The engine {engine} runs on the CPU, not on {device}.")
        if engine == _INT8:
            bundle.quantized("rnet")
        self._bundle = bundle
        self._quantized = engine == _INT8
        self._device = device
        self._budget = memory_budget
        self._made: dict[str, Engine] = {}

    def of(self, role: str) -> Engine:
        """Return what runs the network of a role.

        Raises:
            BundleError: the weights don't belong to the network that the manifest names.
            InputError: there is no such device.
        """
        if role not in self._made:
            self._made[role] = self._make(role)
        return self._made[role]

    def _make(self, role: str) -> Engine:
        nothing_proposes = self._bundle.manifest.for_any_structure and role == "pnet"
        if nothing_proposes or not self._bundle.has_networks:
            return EmptyEngine()
        network = self._bundle.network(role)
        if self._runtime is None:
            return TorchEngine(network, self._device, self._budget)
        quantized = self._bundle.quantized(role) if self._quantized else None
        return OpenVinoEngine(
            network, runtime=self._runtime, memory_budget=self._budget, quantized=quantized
        )
