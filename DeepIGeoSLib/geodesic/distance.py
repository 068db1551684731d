"""The geodesic distance of every voxel from the nearest seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic.problem import Problem, pose, seed_mask
from DeepIGeoSLib.geodesic.solvers import Solver, solver
from DeepIGeoSLib.geodesic.threads import thread_count


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
    length in mm, g the l2 norm over the channels of the intensity difference. With weight 1 it is
    the distance of the paper (Wang et al., "DeepIGeoS", IEEE TPAMI 41(7), 2019) on the grid, with
    weight 0 the length of the shortest path in mm.

    FastGeodis's generalised_geodesic3d (lamb = weight, v = 1e10) approaches the same numbers from
    above, the more of its iterations are done; for several channels it adds up their differences
    (l1 norm). GeodisTK's raster scan mixes speeds instead of costs, d / ((1 - lambda) + lambda /
    (g + 1e-5)), so that a step's intensity difference is multiplied by its length; its numbers
    differ unless lambda is 0.

    Args:
        image: finite real numbers, axes (k, j, i) or (j, i), or with a channel axis before them
            when it has one dimension more than ``seeds``; computed with as float32.
        seeds: bool (or integers 0 and 1), axes (k, j, i) or (j, i).
        spacing: mm along each axis of ``seeds``.
        weight: of intensity differences against mm, from 0 to 1.
        max_distance: larger distances are set to this value, and cost no time.
        engine: "blocks" (needs numba), "sweeps" (slower; "sweeps:cpu" and "sweeps:cuda" with
            torch), "dijkstra" (slow), or "auto" for the fastest that is installed. All give the
            same numbers to the bit.
        out: float32 array of the seeds' shape to write to, apart from ``image``.
        changed_seeds: like ``seeds``: where they differ from those that gave the present content
            of ``out`` with otherwise the same arguments. Where seeds were only added, ``out`` is
            updated, which costs as much as what changes; the image is not looked through for NaN
            again. Where some were removed, it is computed anew.

    Returns:
        float32, the shape of ``seeds`` (``out`` when given): 0 on seeds. Without any seed
        everything is ``max_distance``, or infinite when that is not given.

    Raises:
        InputError: an argument is unusable; it is a ValueError whose message says which and why.
            ``out`` is then as it was.
    """
    seeds = seed_mask(seeds)
    changed = _added(changed_seeds, seeds, out)
    solve = solver(engine)
    problem = pose(
        image,
        seeds.shape,
        spacing,
        weight=weight,
        max_distance=max_distance,
        check_intensities=changed is None,
    )
    out = _output(out, seeds.shape, problem.image)
    distance = np.ascontiguousarray(out)
    if changed is None:
        distance.fill(problem.limit)
    voxels = np.flatnonzero(seeds if changed is None else changed)
    _spread(solve, problem, voxels, distance, thread_count())
    if distance is not out:
        out[...] = distance
    return out


def geodesic_distances(
    image: np.ndarray,
    seeds: Mapping[str, np.ndarray],
    spacing: Sequence[float],
    *,
    weight: float = 1.0,
    max_distance: float | None = None,
    engine: str = "auto",
) -> dict[str, np.ndarray]:
    """Return the map of each class of seeds, computed side by side.

    Args:
        image: as in ``geodesic_distance``.
        seeds: name of the class to seeds as in ``geodesic_distance``; of one shape.
        spacing: and the others: as in ``geodesic_distance``.
        weight: the same.
        max_distance: the same.
        engine: the same.

    Returns:
        Name of the class to float32 distances.

    Raises:
        InputError: an argument is unusable.
    """
    masks = {name: seed_mask(mask, f"{name} seeds") for name, mask in seeds.items()}
    shapes = {mask.shape for mask in masks.values()}
    if not shapes:
        raise InputError("The seeds of at least one class are needed, but there are none.")
    if len(shapes) > 1:
        raise InputError(f"The seeds of all classes must have one shape, but have {shapes}.")
    shape = shapes.pop()
    solve = solver(engine)
    problem = pose(image, shape, spacing, weight=weight, max_distance=max_distance)
    maps = {name: np.full(shape, problem.limit, dtype=np.float32) for name in masks}
    tasks = [(np.flatnonzero(masks[name]), maps[name]) for name in masks]
    _spread_side_by_side(solve, problem, tasks)
    return maps


def _spread_side_by_side(
    solve: Solver, problem: Problem, tasks: Sequence[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Spread zeros from voxels in several maps, at once where there are threads for it.

    Args:
        solve: the engine.
        problem: image and costs.
        tasks: for each map the flat numbers of the voxels, and the distances (float32,
            C-contiguous), which are changed in place.
    """
    threads = thread_count()
    if threads == 1 or len(tasks) == 1:
        for task in tasks:
            _spread(solve, problem, *task, threads)
        return
    share = max(1, threads // len(tasks))
    with ThreadPoolExecutor(min(threads, len(tasks))) as pool:
        list(pool.map(lambda task: _spread(solve, problem, *task, share), tasks))


def _spread(
    solve: Solver, problem: Problem, voxels: np.ndarray, distance: np.ndarray, threads: int
) -> None:
    """Set voxels to 0 and spread that."""
    if voxels.size:
        distance.reshape(-1)[voxels] = 0
        solve(problem, voxels, distance.reshape(problem.shape), threads=threads)


def _added(
    changed_seeds: np.ndarray | None, seeds: np.ndarray, out: np.ndarray | None
) -> np.ndarray | None:
    """Return the added seeds, or None when the map has to be computed anew."""
    if changed_seeds is None:
        return None
    if out is None:
        raise InputError("changed_seeds needs the map that they change, as out.")
    changed = seed_mask(changed_seeds, "changed seeds")
    if changed.shape != seeds.shape:
        raise InputError(
            f"The changed seeds have the shape {changed.shape}, but the seeds {seeds.shape}."
        )
    return changed if seeds[changed].all() else None


def _output(out: np.ndarray | None, shape: tuple[int, ...], image: np.ndarray) -> np.ndarray:
    if out is None:
        return np.empty(shape, dtype=np.float32)
    if not isinstance(out, np.ndarray) or out.dtype != np.float32 or out.shape != shape:
        raise InputError(
            f"out must be a float32 array of the seeds' shape {shape}, but is "
            f"{getattr(out, 'dtype', type(out).__name__)} {getattr(out, 'shape', '')}."
        )
    if not out.flags.writeable:
        raise InputError("out must be writable.")
    if np.may_share_memory(out, image):
        raise InputError("out must not share memory with the image, which is read meanwhile.")
    return out
