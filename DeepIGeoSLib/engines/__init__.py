"""How a network runs: one interface, one implementation per backend."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import numpy as np

from DeepIGeoSLib.bundles.geodesic import GEODESIC
from DeepIGeoSLib.engines.geodesic_engine import GeodesicEngine
from DeepIGeoSLib.engines.padding import Channels
from DeepIGeoSLib.engines.torch_engine import TorchEngine

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle

__all__ = ["Channels", "Engine", "GeodesicEngine", "TorchEngine", "open_engine"]


class Engine(Protocol):
    """Whatever answers as a network does."""

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return float32 in [0, 1], axes (k, j, i), for input with axes (channel, k, j, i)."""


def open_engine(
    bundle: Bundle, role: str, device: str = "auto", memory_budget: int | None = None
) -> Engine:
    """Return what runs a bundle's "pnet" or "rnet".

    Args:
        bundle: from ``load_bundle``.
        role: which of its networks.
        device: see ``TorchEngine``.
        memory_budget: see ``TorchEngine``.

    Raises:
        BundleError: the weights don't belong to the network that the manifest names.
        InputError: there is no such device.
    """
    if bundle.manifest.name == GEODESIC:
        return GeodesicEngine(role)
    return TorchEngine(bundle.network(role), device, memory_budget)
