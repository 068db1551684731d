"""Dijkstra's algorithm with a binary heap: slow, short, and the truth that tests compare with."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable

import numpy as np

from DeepIGeoSLib.geodesic.problem import Problem


def solve(problem: Problem, voxels: np.ndarray, distance: np.ndarray) -> None:
    """Lower ``distance`` to the fixed point, spreading the values of ``voxels``.

    Args:
        problem: image and costs.
        voxels: flat numbers of the voxels whose values spread.
        distance: float32, (k, j, i), C-contiguous; changed in place.
    """
    if voxels.size:
        _compiled()(problem.image, problem.lengths, voxels, distance)


@functools.cache
def _compiled() -> Callable:
    """Return the search, compiled where numba is installed."""
    try:
        import numba
    except ImportError:
        return _search
    return numba.njit(nogil=True, cache=True)(_search)


def _search(
    image: np.ndarray, lengths: np.ndarray, voxels: np.ndarray, distance: np.ndarray
) -> None:
    depth, height, width = distance.shape
    flat = distance.reshape(-1)
    heap = [(flat[voxel], voxel) for voxel in voxels]
    heapq.heapify(heap)
    while heap:
        near, voxel = heapq.heappop(heap)
        if near > flat[voxel]:
            continue
        k, rest = divmod(voxel, height * width)
        j, i = divmod(rest, width)
        for dk in range(-1, 2):
            for dj in range(-1, 2):
                for di in range(-1, 2):
                    n, m, o = k + dk, j + dj, i + di
                    if not (0 <= n < depth and 0 <= m < height and 0 <= o < width):
                        continue
                    squares = np.float32(0)
                    for channel in range(image.shape[0]):
                        difference = image[channel, k, j, i] - image[channel, n, m, o]
                        squares += difference * difference
                    if image.shape[0] == 1:
                        step = abs(image[0, k, j, i] - image[0, n, m, o])
                    else:
                        step = np.sqrt(squares)
                    far = near + (lengths[abs(dk), abs(dj), abs(di)] + step)
                    if far < distance[n, m, o]:
                        distance[n, m, o] = far
                        heapq.heappush(heap, (far, (n * height + m) * width + o))
