"""The solvers, the choice among them, and their preparation."""

from __future__ import annotations

import functools
import logging
import threading
from importlib import import_module
from importlib.util import find_spec
from typing import Protocol

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic.problem import Problem, pose

_logger = logging.getLogger(__name__)


class Solver(Protocol):
    """Spreads distances from voxels."""

    def __call__(
        self, problem: Problem, voxels: np.ndarray, distance: np.ndarray, *, threads: int
    ) -> None:
        """Lower the distances to the fixed point.

        Args:
            problem: image and costs.
            voxels: flat numbers of the voxels whose values spread; at least one.
            distance: float32, axes (k, j, i), C-contiguous; changed in place.
            threads: how many to use at most.
        """
        ...


SOLVERS = ("blocks", "sweeps", "dijkstra")

# Set once compiled code has failed in this process.
_given_up = threading.Event()


def solver(engine: str) -> Solver:
    """Return the function that solves a problem.

    Raises:
        InputError: no engine has that name, or it can't run here.
    """
    if engine == "auto":
        return _solve_by_sweeps if _obstacle() or _given_up.is_set() else _solve_by_blocks
    name, _, device = str(engine).partition(":")
    if name not in SOLVERS or (device and name != "sweeps"):
        raise InputError(
            f"There is no engine {engine!r}; known are auto, {', '.join(SOLVERS)}, and sweeps with "
            "a device, such as sweeps:cuda."
        )
    if name == "blocks" and _obstacle():
        raise InputError(f"The engine 'blocks' needs numba, which does not load: {_obstacle()}.")
    solve = import_module(f"DeepIGeoSLib.geodesic.{name}").solve
    return functools.partial(solve, device=device) if device else solve


def _solve_by_sweeps(
    problem: Problem, voxels: np.ndarray, distance: np.ndarray, *, threads: int
) -> None:
    from DeepIGeoSLib.geodesic import sweeps

    sweeps.solve(problem, voxels, distance, threads=threads)


def _solve_by_blocks(
    problem: Problem, voxels: np.ndarray, distance: np.ndarray, *, threads: int
) -> None:
    """Solve by compiled code; by array operations where it does not compile."""
    try:
        solver("blocks")(problem, voxels, distance, threads=threads)
    except MemoryError:
        raise
    except Exception as error:  # whatever a later numba makes of code for today's
        if not _given_up.is_set():
            _given_up.set()
            reason = str(error).strip().partition("\n")[0]
            _logger.warning(
                "Distance maps are slow because numba does not compile them here: %s", reason
            )
        _solve_by_sweeps(problem, voxels, distance, threads=threads)


@functools.cache
def _obstacle() -> str:
    """Return why numba can't be used, or an empty text: missing, or not made for this NumPy."""
    try:
        import numba  # noqa: F401
    except ImportError as error:
        if find_spec("numba"):
            _logger.warning("Distance maps are slow because numba does not load: %s", error)
        return str(error).splitlines()[0].rstrip(".")
    return ""


def warm_up(channels: int = 1) -> threading.Thread:
    """Prepare the engine that "auto" stands for, in the background.

    The first map otherwise waits for it: a second for loading, and once on every machine some
    seconds for compiling.

    Args:
        channels: of the images to come; one and several need different code.

    Returns:
        The thread that does it, to be joined or left alone.
    """
    thread = threading.Thread(target=_prepare, args=(channels,), name="geodesic warm-up")
    thread.start()
    return thread


def _prepare(channels: int) -> None:
    image = np.zeros((channels, 2, 2, 2), dtype=np.float32)
    problem = pose(image, (2, 2, 2), (1, 1, 1), weight=0.5, max_distance=None)
    distance = np.full((2, 2, 2), np.inf, dtype=np.float32)
    distance[0, 0, 0] = 0
    solver("auto")(problem, np.zeros(1, dtype=np.intp), distance, threads=1)
