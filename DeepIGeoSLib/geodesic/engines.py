"""The solvers and the choice among them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic.problem import Problem

Solver = Callable[[Problem, np.ndarray, np.ndarray], None]

ENGINES = ("blocks", "dijkstra")


def solver(engine: str) -> Solver:
    """Return the function that solves a problem.

    It takes the problem, the flat numbers of the voxels whose values spread, and the distances
    (float32, (k, j, i)), which it lowers in place to the fixed point.

    Raises:
        InputError: no engine has that name, or it can't run here.
    """
    if engine == "auto":
        engine = "blocks" if find_spec("numba") else "dijkstra"
    if engine not in ENGINES:
        raise InputError(f"There is no engine {engine!r}; known are auto, {', '.join(ENGINES)}.")
    if engine == "blocks" and not find_spec("numba"):
        raise InputError("The engine 'blocks' needs the package numba, which is not installed.")
    return import_module(f"DeepIGeoSLib.geodesic.{engine}").solve
