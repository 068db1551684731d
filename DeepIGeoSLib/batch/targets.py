"""The targets of a result: their volumes, lesions, and how they compare with the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.batch.answer import AnsweredTarget, CaseAnswer
from DeepIGeoSLib.batch.quality import uncertain_voxels
from DeepIGeoSLib.batch.record import TargetRecord
from DeepIGeoSLib.evaluation.metrics import measure


def targets_of(
    answer: CaseAnswer,
    truths: Sequence[np.ndarray] | None,
    *,
    spacing: Sequence[float],
    tolerance: float,
) -> tuple[TargetRecord, ...]:
    """Return what is known of each target.

    Args:
        answer: what was found.
        truths: where each target truly is: bool, axes (k, j, i); None where that is not known.
        spacing: mm along (k, j, i).
        tolerance: of the surface Dice, in mm.
    """
    milliliters = float(np.prod(spacing)) / 1000
    found = []
    for number, target in enumerate(answer.targets):
        measured = None
        if truths is not None:
            measured = measure(target.mask, truths[number], spacing, tolerance=tolerance)
        found.append(
            TargetRecord(
                name=target.name,
                label=target.label,
                milliliters=int(np.count_nonzero(target.mask)) * milliliters,
                shared_milliliters=_shared(target, answer) * milliliters,
                lesions=connected_parts(target.mask) if target.objects is None else target.objects,
                uncertain_milliliters=_uncertain(target) * milliliters,
                measured=measured,
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


def _shared(target: AnsweredTarget, answer: CaseAnswer) -> int:
    """Return how many voxels of a target have the label of another one, which lies in it."""
    if target.label == 0 or len(answer.targets) == 1:
        return 0
    return int(np.count_nonzero(target.mask & (answer.numbers != target.label)))


def _uncertain(target: AnsweredTarget) -> int:
    if target.segmentation is None:
        return 0
    return uncertain_voxels(target.segmentation.probability)
