"""Which backend runs a session's networks."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from DeepIGeoSLib.engines.geodesic_engine import GeodesicEngine
from DeepIGeoSLib.engines.openvino_engine import OpenVinoEngine
from DeepIGeoSLib.engines.openvino_runtime import (
    OpenVinoRuntime,
    hardly_faster,
    openvino_installed,
)
from DeepIGeoSLib.engines.padding import Channels
from DeepIGeoSLib.engines.torch_engine import TorchEngine
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.tensors import choose_device

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle

ENGINES = ("auto", "torch", "openvino", "openvino-int8")

_OPENVINO, _INT8 = ENGINES[2:]


class Engine(Protocol):
    """Whatever answers as a network does."""

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return float32 in [0, 1], axes (k, j, i), for input with axes (channel, k, j, i)."""


class Engines:
    """What runs a session's networks: one backend for all of them, chosen at the first."""

    def __init__(
        self,
        bundle: Bundle,
        engine: str = "auto",
        device: str = "auto",
        memory_budget: int | None = None,
    ) -> None:
        """Choose how a bundle's networks run; nothing is loaded yet.

        Args:
            bundle: from ``load_bundle``.
            engine: "torch"; "openvino", whose first runs wait until it is ready; "openvino-int8",
                the same with the bundle's 8-bit networks; or "auto": torch, and for R-Net OpenVINO
                where it is installed, the device is the CPU, and it turns out to be faster.
            device: see ``TorchEngine``.
            memory_budget: see ``TorchEngine``.

        Raises:
            BundleError: the bundle has no 8-bit networks.
            InputError: there is no such engine, or it is not installed, or not for this device.
        """
        if engine not in ENGINES:
            raise InputError(f"There is no engine {engine!r}; choose one of {list(ENGINES)}.")
        self._required = engine in (_OPENVINO, _INT8)
        if self._required and not openvino_installed():
            raise InputError(
                f"The engine {engine} is not installed; install it with 'pip install openvino', or "
                "choose the engine torch."
            )
        if self._required and device not in ("auto", "cpu"):
            raise InputError(f"The engine {engine} runs on the CPU, not on {device}.")
        if engine == _INT8:
            bundle.quantized("rnet")
        self._bundle = bundle
        self._engine = engine
        self._device = device
        self._budget = memory_budget
        self._made: dict[str, Engine] = {}
        self._runtime: OpenVinoRuntime | None = None

    def of(self, role: str) -> Engine:
        """Return what runs "pnet" or "rnet".

        Raises:
            BundleError: the weights don't belong to the network that the manifest names.
            InputError: there is no such device.
        """
        if role not in self._made:
            self._made[role] = self._make(role)
        return self._made[role]

    def prepare(self, role: str, shape: tuple[int, int, int, int]) -> None:
        """Get ready, in the background, for input of a size (channel, k, j, i).

        Nothing happens where the backend needs no preparation.
        """
        engine = self.of(role)
        if isinstance(engine, OpenVinoEngine):
            engine.prepare(shape)

    def _make(self, role: str) -> Engine:
        nothing_proposes = self._bundle.manifest.for_any_structure and role == "pnet"
        if nothing_proposes or not self._bundle.has_networks:
            return GeodesicEngine(role)
        if not self._takes_openvino or not (self._required or role == "rnet"):
            # A proposal is over before OpenVINO is ready, which would take cores from it.
            return TorchEngine(self._bundle.network(role), self._device, self._budget)
        if self._runtime is None:
            self._runtime = OpenVinoRuntime()
        quantized = self._bundle.quantized(role) if self._engine == _INT8 else None
        return OpenVinoEngine(
            self._bundle.network(role), self._runtime, self._budget, self._required, quantized
        )

    @cached_property
    def _takes_openvino(self) -> bool:
        if not self._bundle.has_networks or self._engine == "torch":
            return False
        if self._required:
            return True
        if hardly_faster.is_set() or not openvino_installed():
            return False
        return choose_device(self._device).type == "cpu"
