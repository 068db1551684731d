"""How much a region is preferred, by its measures: fitted to what users meant.

A preference is a sum over the measures of a linear and a square term, so that each measure may have
a value that is best. The terms were fitted so that the region of the highest preference agrees with
the target as well as possible (``Docs/no-model.md`` says on which images).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

from DeepIGeoSLib.regions.measures import MEASURES

# What a stroke does: begin where nothing has the target's class yet, add to it, or remove from it.
Purpose = Literal["begin", "add", "remove"]


def preferences(measures: np.ndarray, purpose: Purpose) -> np.ndarray:
    """Return the logarithm of each region's weight, but for a constant.

    Args:
        measures: axes (region, measure), in the order of ``MEASURES``.
        purpose: of the stroke.

    Returns:
        float64, one for each region.
    """
    low, high, linear, square = _terms(purpose)
    within = np.clip(measures, low, high)
    return within @ linear + within**2 @ square


@cache
def _terms(purpose: Purpose) -> np.ndarray:
    """Return least and greatest value, linear and square factor of each measure: axes (4, n)."""
    text = files("DeepIGeoSLib.regions").joinpath("preferences.json").read_text(encoding="utf-8")
    terms = json.loads(text)[purpose]
    return np.array([terms[name] for name in MEASURES]).T
