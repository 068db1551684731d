"""The baselines by name, and which of them can run here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from DeepIGeoSLib.evaluation.baselines.geodesic_rule import nearest_class
from DeepIGeoSLib.evaluation.baselines.graph_cut import cut_between_seeds
from DeepIGeoSLib.evaluation.baselines.random_walk import walk_from_seeds
from DeepIGeoSLib.evaluation.baselines.seeded import MARGIN, SeededBaseline, Solver


@dataclass(frozen=True)
class Baseline:
    """A baseline that may need a package.

    Attributes:
        solve: divides a box.
        module: that must be importable, or None.
        package: that brings the module, for the user to install.
    """

    solve: Solver
    module: str | None = None
    package: str | None = None

    def reason_against(self) -> str | None:
        """Return why the baseline can't run here, or None when it can."""
        if self.module is None or find_spec(self.module) is not None:
            return None
        return f"the Python package {self.package} is not installed"

    def method(self, name: str, margin: float = MARGIN) -> SeededBaseline:
        """Return the baseline as a method that sees ``margin`` mm around the marks."""
        return SeededBaseline(name, self.solve, margin)


def _grow_cut(
    image: np.ndarray,
    foreground: np.ndarray,
    background: np.ndarray,
    *,
    spacing: Sequence[float],
) -> np.ndarray:
    from DeepIGeoSLib.scene.grow_cut import growFromSeeds

    return growFromSeeds(image, foreground, background, spacing=spacing)


BASELINES: dict[str, Baseline] = {
    "geodesic": Baseline(nearest_class),
    "random-walker": Baseline(walk_from_seeds),
    "max-flow": Baseline(cut_between_seeds),
    "grow-cut": Baseline(_grow_cut, "slicer", "slicer-core"),
}
