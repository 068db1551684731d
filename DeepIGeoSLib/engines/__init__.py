"""How a network runs: one interface, one implementation per backend."""

from __future__ import annotations

from DeepIGeoSLib.engines.choice import ENGINES, Engines
from DeepIGeoSLib.engines.geodesic_engine import GeodesicEngine
from DeepIGeoSLib.engines.protocols import Engine, NetworkSource
from DeepIGeoSLib.engines.torch_engine import TorchEngine
from DeepIGeoSLib.inputs.channels import Channels

__all__ = [
    "ENGINES",
    "Channels",
    "Engine",
    "Engines",
    "GeodesicEngine",
    "NetworkSource",
    "TorchEngine",
]
