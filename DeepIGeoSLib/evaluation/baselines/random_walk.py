"""Random walker segmentation, solved by SciPy's conjugate gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

# How fast a walk's conductance falls with the squared difference of normalized intensities. On
# five training cases the Dice after four strokes was 0.54 with it, and 0.39, 0.51, 0.49 and 0.21
# with 10, 30, 300 and 1000. scikit-image's random walker reached 0.55 at best, in four times the
# time.
_BETA = 100.0

# Least conductance: a walk can reach a seed from everywhere.
_LEAST = 1e-6

# Of the solver: the residual against the right-hand side.
_ACCURACY = 1e-3


def walk_from_seeds(
    image: np.ndarray, foreground: np.ndarray, background: np.ndarray, *, spacing: Sequence[float]
) -> np.ndarray:
    """Return where a random walk reaches a foreground seed first, more likely than not.

    Arguments: see ``Solver``.
    """
    return foreground_probability(image, foreground, background, spacing=spacing) > 0.5


def foreground_probability(
    image: np.ndarray, foreground: np.ndarray, background: np.ndarray, *, spacing: Sequence[float]
) -> np.ndarray:
    """Return the probability that a random walk reaches a foreground seed before a background one.

    Grady, "Random walks for image segmentation" (IEEE TPAMI 28(11), 2006): the harmonic function
    that is 1 on foreground and 0 on background seeds. A step to a face neighbor conducts
    exp(-beta * difference^2), divided by its squared length as in the discrete Laplacian of an
    uneven grid. Arguments: see ``Solver``.

    Returns:
        float32, axes (k, j, i).
    """
    seeded = foreground | background
    diagonal = np.zeros(image.shape, dtype=np.float32)
    inflow = np.zeros_like(diagonal)
    bands = {}
    for axis, step in enumerate(spacing):
        if image.shape[axis] == 1:
            continue
        ones, others = _neighbors(axis)
        nearness = (min(spacing) / step) ** 2
        conductance = nearness * (np.exp(-_BETA * np.diff(image, axis=axis) ** 2) + _LEAST)
        for here, there in ((ones, others), (others, ones)):
            diagonal[here] += conductance
            inflow[here] += conductance * foreground[there]
        band = np.zeros_like(diagonal)
        band[ones] = np.where(seeded[ones] | seeded[others], 0, -conductance)
        stride = int(np.prod(image.shape[axis + 1 :]))
        bands[stride] = band.ravel()[:-stride]
    diagonal[seeded] = 1
    inflow[seeded] = foreground[seeded]
    laplacian = sparse.diags_array(
        [diagonal.ravel(), *bands.values(), *bands.values()],
        offsets=[0, *bands, *(-stride for stride in bands)],
        format="csr",
    )
    inverse_diagonal = sparse.diags_array(1 / diagonal.ravel())
    probability, _ = cg(laplacian, inflow.ravel(), rtol=_ACCURACY, M=inverse_diagonal)
    return probability.reshape(image.shape)


def _neighbors(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Return where voxels with a next one along an axis are, and where those next ones are."""
    before = (slice(None),) * axis
    return (*before, slice(None, -1)), (*before, slice(1, None))
