"""How a network runs: one interface, one implementation per backend."""

from __future__ import annotations

from DeepIGeoSLib.engines.torch_engine import TorchEngine

__all__ = ["TorchEngine"]
