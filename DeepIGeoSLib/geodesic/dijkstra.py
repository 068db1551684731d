"""Dijkstra's algorithm with a binary heap: slow, short, and the truth that tests compare with.

E. W. Dijkstra, "A note on two problems in connexion with graphs", Numerische Mathematik 1, 1959.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable

import numpy as np

from DeepIGeoSLib.geodesic.problem import Problem


def solve(problem: Problem, voxels: np.ndarray, distance: np.ndarray, *, threads: int) -> None:
    """Lower ``distance`` to the fixed point, spreading the values of ``voxels``.

    Args:
        problem: image and costs.
        voxels: flat numbers of the voxels whose values spread; at least one.
        distance: float32, (k, j, i), C-contiguous; changed in place.
        threads: ignored; there is one.
    """
    weighted = problem.image * problem.weight
    _compiled()(weighted, problem.lengths, voxels, distance)


@functools.cache
def _compiled() -> Callable:
    """Return the search, compiled where numba is installed."""
    try:
        from DeepIGeoSLib.geodesic.compilation import compiled_once
    except ImportError:
        return _search
    return compiled_once(_search)


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
                    difference = abs(image[0, k, j, i] - image[0, n, m, o])
                    if image.shape[0] > 1:
                        squares = np.float32(0)
                        for channel in range(image.shape[0]):
                            change = image[channel, k, j, i] - image[channel, n, m, o]
                            squares += change * change
                        difference = np.sqrt(squares)
                    far = near + (lengths[abs(dk), abs(dj), abs(di)] + difference)
                    if far < distance[n, m, o]:
                        distance[n, m, o] = far
                        heapq.heappush(heap, (far, (n * height + m) * width + o))
