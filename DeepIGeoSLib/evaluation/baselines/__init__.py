"""Methods without networks, from marks and intensities alone, to compare with."""

from __future__ import annotations

from DeepIGeoSLib.evaluation.baselines.listing import BASELINES, Baseline
from DeepIGeoSLib.evaluation.baselines.seeded import MARGIN, SeededBaseline

__all__ = ["BASELINES", "MARGIN", "Baseline", "SeededBaseline"]
