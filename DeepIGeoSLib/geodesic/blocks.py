"""Priority-ordered relaxation of blocks: exact, and far faster than a heap.

The volume is cut into blocks of 8 x 8 x 16 voxels. A block is relaxed by itself until nothing in it
changes, then the neighbors that it can improve become pending; the block next to the smallest
lowered distance is visited first, as in Dijkstra's algorithm, but not strictly, so that several
threads can visit blocks at once. Every relaxation only lowers a distance, to the length of a path
that exists; when no block is pending, none can be lowered, and that is Dijkstra's result, whatever
the order and the number of threads was.
"""

from __future__ import annotations

import threading
import time

import numpy as np

from DeepIGeoSLib.geodesic.problem import Problem

_BLOCKS_FOR_A_THREAD = 64
"""With fewer blocks another thread costs more than it brings."""

_PAUSE = 0.0002
"""Seconds that a thread without a block leaves the processor to others."""

_SAMPLES = 2048


def solve(problem: Problem, voxels: np.ndarray, distance: np.ndarray, *, threads: int) -> None:
    """Lower ``distance`` to the fixed point, spreading the values of ``voxels``.

    Args:
        problem: image and costs.
        voxels: flat numbers of the voxels whose values spread; at least one.
        distance: float32, (k, j, i), C-contiguous; changed in place.
        threads: how many to use at most.
    """
    from DeepIGeoSLib.geodesic import schedule
    from DeepIGeoSLib.geodesic.lanes import WIDTH
    from DeepIGeoSLib.geodesic.rows import DIRECTIONS, SIDE

    blocks = tuple(
        -(-size // side) for size, side in zip(problem.shape, (SIDE, SIDE, WIDTH), strict=True)
    )
    number = int(np.prod(blocks))
    keys = np.full(number, schedule.NEVER, dtype=np.int32)
    pending = np.zeros(number * DIRECTIONS, dtype=np.uint64)
    schedule.begin(voxels, problem.shape, blocks, keys, pending)
    image = problem.image.reshape(problem.image.shape[0], -1)
    shared = (
        distance.reshape(-1),
        image[0] if len(image) == 1 else image,
        problem.weight,
        tuple(problem.lengths.flat),
        problem.shape,
        blocks,
        keys,
        pending,
        np.zeros(number, dtype=np.int32),
        np.zeros(number, dtype=np.uint8),
        np.zeros(schedule.STATES, dtype=np.int64),
        _band(problem),
    )
    _run(shared, len(image), min(threads, 1 + number // _BLOCKS_FOR_A_THREAD))


def _run(shared: tuple, channels: int, threads: int) -> None:
    """Visit blocks with several threads until none is left."""
    from DeepIGeoSLib.geodesic.schedule import visit_blocks

    def work() -> None:
        own = _scratch(channels)
        while not visit_blocks(*shared, *own):
            time.sleep(_PAUSE)

    helpers = [threading.Thread(target=work, daemon=True) for _ in range(threads - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()


def _scratch(channels: int) -> tuple[np.ndarray, ...]:
    """Return the memory that a thread visits blocks in."""
    from DeepIGeoSLib.geodesic.lanes import WIDTH
    from DeepIGeoSLib.geodesic.rows import DIRECTIONS, SCRATCH
    from DeepIGeoSLib.geodesic.visits import NEWS

    image = _aligned(channels * SCRATCH)
    return (
        _aligned(SCRATCH),
        image if channels == 1 else image.reshape(channels, SCRATCH),
        np.zeros(DIRECTIONS, dtype=np.uint64),
        _aligned(NEWS + WIDTH),
    )


def _aligned(size: int) -> np.ndarray:
    """Return float32 numbers that begin with a cache line, so that no access spans two."""
    line = 64
    memory = np.empty(size + line // 4, dtype=np.float32)
    start = -memory.ctypes.data % line // 4
    return memory[start : start + size]


def _band(problem: Problem) -> np.float32:
    """Return by how much the keys of blocks that are visited together may differ.

    A wider band sweeps blocks whose surroundings are unfinished, a narrower one spends its time on
    looking for blocks; anything near the cost of a step or a few is about as good.
    """
    image = problem.image.reshape(problem.image.shape[0], -1)
    if image.shape[1] < 2:
        return np.float32(1)
    here = np.linspace(0, image.shape[1] - 2, _SAMPLES).astype(np.intp)
    differences = np.linalg.norm(image[:, here + 1] - image[:, here], axis=0)
    step = problem.lengths[0, 0, 1] + problem.weight * differences.mean()
    return np.float32(1.5 * step if step > 0 else 1)
