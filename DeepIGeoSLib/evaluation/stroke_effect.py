"""What one stroke brought: how much of the mistake it corrected, and what it cost elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.users.mistakes import Stroke


@dataclass(frozen=True)
class StrokeEffect:
    """The change that a stroke brought about.

    Attributes:
        fixed: share of the mistake under the stroke that is correct after it, from 0 to 1.
        collateral: voxels that were correct and are wrong now, for each voxel that was wrong and
            is correct now; 0 is best, infinite where nothing was corrected and something destroyed.
    """

    fixed: float
    collateral: float


def stroke_effect(
    before: np.ndarray, after: np.ndarray, *, truth: np.ndarray, stroke: Stroke
) -> StrokeEffect | None:
    """Measure a stroke.

    The mistake under a stroke is every face-connected region of voxels that lack the stroke's label
    and should have it, in which the stroke has a voxel.

    Args:
        before: the segmentation that the stroke was to correct, bool, axes (k, j, i).
        after: the answer.
        truth: what is right.
        stroke: what was marked.

    Returns:
        The effect, or None for a stroke that marks nothing wrong.
    """
    missing = stroke.label == "foreground"
    numbered, _ = ndimage.label(truth & ~before if missing else before & ~truth)
    marked = np.unique(numbered[stroke.mask])
    mistake = np.isin(numbered, marked[marked > 0])
    size = int(np.count_nonzero(mistake))
    if size == 0:
        return None
    right_before, right_after = before == truth, after == truth
    corrected = int(np.count_nonzero(right_after & ~right_before))
    destroyed = int(np.count_nonzero(right_before & ~right_after))
    return StrokeEffect(
        fixed=int(np.count_nonzero(mistake & right_after)) / size,
        collateral=_ratio(destroyed, corrected),
    )


def _ratio(destroyed: int, corrected: int) -> float:
    if corrected > 0:
        return destroyed / corrected
    return 0.0 if destroyed == 0 else float("inf")
