"""The targets of a result: their volumes, lesions, and how they compare with the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from DeepIGeoSLib.batch.record import TargetRecord
from DeepIGeoSLib.evaluation.metrics import measure


def targets_of(
    labels: np.ndarray,
    names: Mapping[int, str],
    *,
    spacing: Sequence[float],
    uncertain: int,
    truth: np.ndarray | None,
    tolerance: float,
) -> tuple[TargetRecord, ...]:
    """Return what is known of each target.

    Args:
        labels: whole numbers, axes (k, j, i).
        names: of the targets by their labels. With one target every label of the truth above 0 is
            that target; with several it has the same labels.
        spacing: mm along (k, j, i).
        uncertain: voxels whose probability is undecided.
        truth: labels, the shape of ``labels``; None where there is none.
        tolerance: of the surface Dice, in mm.
    """
    milliliters = float(np.prod(spacing)) / 1000
    found = []
    for label, name in names.items():
        mask = labels == label
        true = None
        if truth is not None:
            true = truth > 0 if len(names) == 1 else truth == label
        found.append(
            TargetRecord(
                name=name,
                label=label,
                milliliters=int(np.count_nonzero(mask)) * milliliters,
                lesions=connected_parts(mask),
                uncertain_milliliters=uncertain * milliliters,
                measured=None
                if true is None
                else measure(mask, true, spacing, tolerance=tolerance),
            )
        )
    return tuple(found)


def connected_parts(mask: np.ndarray) -> int:
    """Return how many parts a mask has; voxels that touch at a corner hang together."""
    from scipy import ndimage

    if not mask.any():
        return 0
    _, count = ndimage.label(mask, structure=np.ones((3,) * mask.ndim, dtype=bool))
    return int(count)
