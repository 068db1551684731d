"""Why somebody should look at a result: what can be told without the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

EMPTY = "empty"
AT_THE_BORDER = "touches the border of the image"
UNCERTAIN = "uncertain"
UNLIKE_TRAINING = "intensities unlike the training data"

# Probabilities between these are uncertain.
_UNDECIDED = (0.25, 0.75)

# A result is uncertain where its uncertain voxels are more than this share of its volume.
_MUCH = 0.3


def uncertain_voxels(probability: np.ndarray) -> int:
    """Return how many voxels of a probability (any shape) lie between 0.25 and 0.75."""
    low, high = _UNDECIDED
    return int(np.count_nonzero((probability > low) & (probability < high)))


def flags_of(labels: np.ndarray, uncertain: int, *, unlike: bool = False) -> tuple[str, ...]:
    """Return why somebody should look at a result.

    Args:
        labels: whole numbers, axes (k, j, i); above 0 are targets.
        uncertain: voxels whose probability is undecided, from ``uncertain_voxels``.
        unlike: whether the image's intensities are unlike those of the training data, see
            ``bundles.intensities``.
    """
    inside = labels > 0
    voxels = int(np.count_nonzero(inside))
    said = {
        EMPTY: voxels == 0,
        AT_THE_BORDER: _touches_border(inside),
        UNCERTAIN: uncertain > _MUCH * voxels and uncertain > 0,
        UNLIKE_TRAINING: unlike,
    }
    return tuple(flag for flag, holds in said.items() if holds)


def _touches_border(inside: np.ndarray) -> bool:
    """Whether a mask reaches the first or last voxel of an axis that has more than one of them."""
    return any(
        inside.shape[axis] > 1 and bool(np.take(inside, end, axis=axis).any())
        for axis, end in _ends(inside.shape)
    )


def _ends(shape: Sequence[int]) -> list[tuple[int, int]]:
    return [(axis, end) for axis in range(len(shape)) for end in (0, shape[axis] - 1)]
