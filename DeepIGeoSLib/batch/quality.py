"""Why somebody should look at a result: what can be told without the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.batch.record import TargetRecord

EMPTY = "empty"
AT_THE_BORDER = "touches the border of the image"
UNCERTAIN = "uncertain"
UNLIKE_TRAINING = "intensities unlike the training data"

# Probabilities between these are uncertain.
_UNDECIDED = (0.25, 0.75)

# A target is uncertain where its uncertain voxels are more than this share of its volume.
_MUCH = 0.3


def uncertain_voxels(probability: np.ndarray) -> int:
    """Return how many voxels of a probability (any shape) lie between 0.25 and 0.75."""
    low, high = _UNDECIDED
    return int(np.count_nonzero((probability > low) & (probability < high)))


def flags_of(
    numbers: np.ndarray, targets: Sequence[TargetRecord], *, unlike: bool = False
) -> tuple[str, ...]:
    """Return why somebody should look at a result.

    Args:
        numbers: whole numbers, axes (k, j, i); above 0 are targets, or objects.
        targets: what is known of each.
        unlike: whether the image's intensities are unlike those of the training data, see
            ``bundles.intensities``.
    """
    inside = numbers > 0
    said = {
        EMPTY: not inside.any(),
        AT_THE_BORDER: _touches_border(inside),
        UNCERTAIN: _is_uncertain(targets),
        UNLIKE_TRAINING: unlike,
    }
    return tuple(flag for flag, holds in said.items() if holds)


def _is_uncertain(targets: Sequence[TargetRecord]) -> bool:
    """Whether a target is uncertain; one of several that is not there may be so rightly."""
    empty = not any(target.milliliters for target in targets)
    return any(
        target.uncertain_milliliters > _MUCH * target.milliliters and (target.milliliters or empty)
        for target in targets
    )


def _touches_border(inside: np.ndarray) -> bool:
    """Whether a mask reaches the first or last voxel of an axis that has more than one of them."""
    return any(
        inside.shape[axis] > 1 and bool(np.take(inside, end, axis=axis).any())
        for axis, end in _ends(inside.shape)
    )


def _ends(shape: Sequence[int]) -> list[tuple[int, int]]:
    return [(axis, end) for axis in range(len(shape)) for end in (0, shape[axis] - 1)]
