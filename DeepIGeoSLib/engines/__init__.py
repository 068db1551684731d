"""How a network runs: one interface, one implementation per backend."""

from __future__ import annotations

from DeepIGeoSLib.engines.choice import ENGINES, Engines
from DeepIGeoSLib.engines.empty_engine import EmptyEngine
from DeepIGeoSLib.engines.protocols import Engine, NetworkSource
from DeepIGeoSLib.engines.torch_engine import TorchEngine
from DeepIGeoSLib.inputs.channels import Channels

__all__ = [
    "ENGINES",
    "Channels",
    "EmptyEngine",
    "Engine",
    "Engines",
    "NetworkSource",
    "TorchEngine",
]
