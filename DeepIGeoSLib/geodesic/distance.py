"""The geodesic distance of every voxel from the nearest seed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic.engines import solver
from DeepIGeoSLib.geodesic.problem import pose


def geodesic_distance(
    image: np.ndarray,
    seeds: np.ndarray,
    spacing: Sequence[float],
    *,
    weight: float = 1.0,
    max_distance: float | None = None,
    engine: str = "auto",
    out: np.ndarray | None = None,
    changed_seeds: np.ndarray | None = None,
) -> np.ndarray:
    """Return the exact geodesic distance of every voxel from the nearest seed.

    The distance is the minimum, over all paths through the 26 neighbors of each voxel (8 in two
    dimensions), of the sum over the steps of ``(1 - weight) * d + weight * g``: d is the step's
    length in mm, g the l2 norm over the channels of the intensity difference.

    Args:
        image: finite real numbers, axes (k, j, i) or (j, i), or with a channel axis before them
            when it has one dimension more than ``seeds``.
        seeds: bool, axes (k, j, i) or (j, i).
        spacing: mm along each axis of ``seeds``.
        weight: 1 is the purely geodesic distance, 0 the length of the shortest path.
        max_distance: larger distances are set to this value, and cost no time.
        engine: "blocks", "dijkstra", or "auto" for the fastest that can run.
        out: float32 array of the seeds' shape to write to.
        changed_seeds: bool; where ``seeds`` differ from those that gave the present content of
            ``out``, which is then updated instead of computed anew.

    Returns:
        float32, the shape of ``seeds`` (``out`` when given); 0 on seeds. Without any seed:
        ``max_distance``, or infinity when that is not given.

    Raises:
        InputError: an argument is unusable; a ValueError whose message says which and why.
    """
    seeds = _mask(seeds, "seeds")
    if seeds.ndim not in (2, 3):
        raise InputError(f"The seeds must have 2 or 3 axes, but have the shape {seeds.shape}.")
    solve = solver(engine)
    problem = pose(image, seeds.shape, spacing, weight, max_distance)
    out = _output(out, seeds.shape)
    distance = np.ascontiguousarray(out)
    added = seeds
    if changed_seeds is None:
        distance.fill(problem.limit)
    else:
        changed = _mask(changed_seeds, "changed seeds")
        if changed.shape != seeds.shape:
            raise InputError(
                f"The changed seeds have the shape {changed.shape}, but the seeds {seeds.shape}."
            )
        if (changed & ~seeds).any():
            distance.fill(problem.limit)
        else:
            added = changed
    voxels = np.flatnonzero(added)
    distance.reshape(-1)[voxels] = 0
    solve(problem, voxels, distance.reshape(problem.shape))
    if distance is not out:
        out[...] = distance
    return out


def _mask(mask: np.ndarray, name: str) -> np.ndarray:
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise InputError(f"The {name} must be a bool array, but have the type {mask.dtype}.")
    return mask


def _output(out: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    if out is None:
        return np.empty(shape, dtype=np.float32)
    if out.dtype != np.float32 or out.shape != shape or not out.flags.writeable:
        raise InputError(
            f"out must be a writable float32 array of the seeds' shape {shape}, but is "
            f"{out.dtype} {out.shape}."
        )
    return out
