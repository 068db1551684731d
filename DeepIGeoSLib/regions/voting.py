"""What the regions that may grow from a stroke say together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.regions.growth import Family, Window, families
from DeepIGeoSLib.regions.measures import measured
from DeepIGeoSLib.regions.preference import Purpose, preferences

# How many times as large as the segmentation what a correction adds may be: a stroke in tissue that
# looks alike everywhere must not flood it. What is smaller than the stroke limits nothing, nor do
# the voxels beside it: a coarse pixel may show a little of the stroke.
_MOST_GROWTH, _BESIDE = 5.0, np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True)
class Vote:
    """The vote of all regions that grow in a window.

    Attributes:
        weight: logarithm of the sum of their weights.
        share: float32, axes (k, j, i): of the weights, of the regions that hold a voxel.
    """

    weight: float
    share: np.ndarray


def vote(window: Window, *, adds: bool, zoom: float) -> Vote | None:
    """Return the vote of all regions that grow in a window, or None where none can grow.

    Regions are weighed against each other rather than the best one taken: what most of the weight
    agrees on is steadier.

    Args:
        window: what the regions grow in.
        adds: whether they are to be added to the target, or removed from it.
        zoom: how many times as long as the finest pixels of the image those of the window are.
    """
    if not window.seeds.any():
        return None
    begins = adds and not window.ours.any()
    purpose: Purpose = "begin" if begins else "add" if adds else "remove"
    grown = list(families(window))
    if not grown:
        return None
    logarithms = [preferences(measured(window, family, zoom), purpose) for family in grown]
    highest = max(float(one.max()) for one in logarithms)
    weights = [np.exp(one - highest) for one in logarithms]
    if purpose == "add":
        most = _most_added(window)
        weights = [_up_to(most, one, family) for one, family in zip(weights, grown, strict=True)]
    total = sum(float(one.sum()) for one in weights)
    if total == 0:
        return None
    share = np.zeros(window.free.shape, dtype=np.float32)
    for family, weight in zip(grown, weights, strict=True):
        # A region holds every voxel whose number is not above its own.
        holding = np.append(weight[::-1].cumsum()[::-1], 0) / total
        share += holding.astype(np.float32)[family.number]
    return Vote(highest + float(np.log(total)), share)


def _most_added(window: Window) -> float:
    """Return how many voxels a correction may add."""
    there = np.count_nonzero(window.ours & ~ndimage.binary_dilation(window.seeds, _BESIDE))
    return _MOST_GROWTH * there if there > np.count_nonzero(window.seeds) else np.inf


def _up_to(most: float, weights: np.ndarray, family: Family) -> np.ndarray:
    """Return the weights of a family's regions, 0 for those that add more voxels than ``most``."""
    added = np.bincount(family.number.ravel(), minlength=len(weights) + 1).cumsum()
    return np.where(added[: len(weights)] <= most, weights, 0)
