"""Priority-ordered relaxation of blocks: exact, and far faster than a heap."""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.geodesic import dijkstra
from DeepIGeoSLib.geodesic.problem import Problem


def solve(problem: Problem, voxels: np.ndarray, distance: np.ndarray) -> None:
    """Lower ``distance`` to the fixed point, spreading the values of ``voxels``.

    Args:
        problem: image and costs.
        voxels: flat numbers of the voxels whose values spread.
        distance: float32, (k, j, i), C-contiguous; changed in place.
    """
    from DeepIGeoSLib.geodesic import kernels

    if problem.image.shape[0] > 1:
        dijkstra.solve(problem, voxels, distance)
    elif voxels.size:
        kernels.relax(problem.image[0], problem.lengths, voxels, distance)
