"""Agreement of a mask with the truth: overlap, volume, and everything of one result at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.evaluation.surfaces import surface_distances

# How far (mm) a surface may be off and still count as right in the surface Dice, unless chosen.
TOLERANCE = 2.0


@dataclass(frozen=True)
class Measurement:
    """One result against the truth.

    Attributes:
        dice: 2 |a and b| / (|a| + |b|), from 0 to 1.
        iou: |a and b| / |a or b|, from 0 to 1.
        assd_mm: average symmetric surface distance.
        hd95_mm: 95th percentile of the surface distances, the larger of both directions.
        surface_dice: share of both surfaces that lies within the tolerance of the other.
        volume_difference_ml: how much too large the result is; negative where it is too small.
        volume_difference_percent: the same in percent of the true volume.
    """

    dice: float
    iou: float
    assd_mm: float
    hd95_mm: float
    surface_dice: float
    volume_difference_ml: float
    volume_difference_percent: float


def measure(
    labels: np.ndarray, truth: np.ndarray, spacing: Sequence[float], *, tolerance: float = TOLERANCE
) -> Measurement:
    """Return every metric of a result.

    Args:
        labels: bool, axes (k, j, i).
        truth: the same.
        spacing: mm along (k, j, i).
        tolerance: of the surface Dice, in mm.

    Raises:
        InputError: the shapes differ.
    """
    distances = surface_distances(labels, truth, spacing)
    return Measurement(
        dice=dice(labels, truth),
        iou=iou(labels, truth),
        assd_mm=distances.average(),
        hd95_mm=distances.percentile(95),
        surface_dice=distances.share_within(tolerance),
        volume_difference_ml=volume_difference_ml(labels, truth, spacing),
        volume_difference_percent=volume_difference_percent(labels, truth),
    )


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return 2 |a and b| / (|a| + |b|) of two bool arrays; 1 when both are empty."""
    total = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 1.0 if total == 0 else 2 * int(np.count_nonzero(a & b)) / total


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Return |a and b| / |a or b| of two bool arrays (Jaccard index); 1 when both are empty."""
    total = int(np.count_nonzero(a | b))
    return 1.0 if total == 0 else int(np.count_nonzero(a & b)) / total


def volume_difference_ml(labels: np.ndarray, truth: np.ndarray, spacing: Sequence[float]) -> float:
    """Return how many ml more than the truth a mask holds; negative when it holds less."""
    excess = int(np.count_nonzero(labels)) - int(np.count_nonzero(truth))
    return excess * float(np.prod(spacing)) / 1000


def volume_difference_percent(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return the volume difference in percent of the truth; infinite when only that is empty."""
    own, true = int(np.count_nonzero(labels)), int(np.count_nonzero(truth))
    if true == 0:
        return 0.0 if own == 0 else float("inf")
    return 100 * (own - true) / true
