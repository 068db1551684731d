"""What each mark brought: a panel for the mistake that it fixes, and one for what it destroys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.evaluation.plot_style import dress, line_of
from DeepIGeoSLib.evaluation.results import EvaluationResults

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EFFECT_PANELS = 2

# More voxels destroyed than corrected: beyond it, how many more does not matter to the eye.
_MOST_COLLATERAL = 1.0


def draw_effects(fixed: Axes, collateral: Axes, results: EvaluationResults) -> None:
    """Draw the median share that each mark fixes, and the mean collateral, over all cases.

    Args:
        fixed: panel for the shares.
        collateral: panel for the collateral.
        results: to draw.
    """
    rounds = range(1, results.rounds + 1)
    for number, method in enumerate(results.methods):
        shares = _or_nan([results.fixed(method, number=n) for n in rounds])
        fixed.plot(rounds, shares, **line_of(number))
        ratios = _or_nan([results.collateral(method, number=n) for n in rounds])
        collateral.plot(rounds, np.minimum(ratios, _MOST_COLLATERAL), **line_of(number))
    dress(fixed, "fixed (median)", results.user.noun)
    dress(collateral, "collateral (mean; top: or more)", results.user.noun)
    for axes in (fixed, collateral):
        axes.set_ylim(-0.02, 1.02)
        axes.set_xticks(rounds)


def _or_nan(values: Sequence[float | None]) -> np.ndarray:
    """Return numbers of which the missing ones leave a gap in a line."""
    return np.array([np.nan if value is None else value for value in values], dtype=float)
