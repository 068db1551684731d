"""Measure the geodesic engines against other packages: time, error, memory.

Every method runs in turn in one process, and the turns are repeated, so that whatever else the
machine does meanwhile meets all of them. Ratios are taken within a turn. On one thread the time is
that of the processor, so that a busy machine does not count as slow code.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.benchmarks.geodesic_cases import CASE_NAMES, Case, chosen, load, strokes
from DeepIGeoSLib.benchmarks.geodesic_peers import (
    METHODS,
    OURS,
    DistanceMethod,
    available,
    fastgeodis,
    geodistk_truth,
)
from DeepIGeoSLib.benchmarks.geodesic_plot import plot
from DeepIGeoSLib.benchmarks.geodesic_report import (
    FILE_NAME,
    earlier,
    goals,
    machine,
    summary,
    write_json,
)
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.geodesic import geodesic_distance, set_thread_count, sweeps
from DeepIGeoSLib.geodesic.problem import pose

Clock = Callable[[], float]

_LARGE = 20_000_000
"""Voxels above which only few methods run, once, and no heap is asked for the truth."""

_ENOUGH = 20.0
"""Seconds after which a method is not repeated; what computes another quantity runs once."""

_SMALL_ERROR = 1e-3
_CUT = 20.0
_STROKES = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="folder for the JSON and the plot"
    )
    parser.add_argument(
        "--cases",
        nargs="+",
        default=["*"],
        metavar="PATTERN",
        help="which cases, volume/seeds/weight with wildcards, such as 'cube/*' (default: all of "
        f"{', '.join(CASE_NAMES)})",
    )
    parser.add_argument(
        "--turns",
        type=int,
        default=5,
        help="how often each method runs, if it is not slow (default: %(default)s)",
    )
    parser.add_argument(
        "--threads", type=int, default=1, help="of every method that can (default: %(default)s)"
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="keep the cases that an earlier run on this machine has measured into the folder",
    )


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    return run(
        arguments.output,
        cases=arguments.cases,
        turns=arguments.turns,
        threads=arguments.threads,
        resume=arguments.resume,
        progress=progress,
    )


def run(
    output_folder: str | Path,
    *,
    cases: Sequence[str] = ("*",),
    turns: int = 5,
    threads: int = 1,
    resume: bool = False,
    progress: Progress | None = None,
) -> dict:
    """Run the benchmark and write ``geodesic.json`` and, with matplotlib, ``geodesic.png``.

    The JSON file is written after each case, so that a run that is stopped loses little.

    Args:
        output_folder: is made if it does not exist.
        cases: patterns of names, see ``CASE_NAMES``.
        turns: how often each method runs; slow ones run less often.
        threads: of every method that can.
        resume: keep the cases that the JSON file in the folder holds already.
        progress: called with the share done and a text.

    Returns:
        What the JSON file holds; ``summary`` is a text for people.

    Raises:
        InputError: unknown cases, numbers below 1, an output that is no folder, or results that
            can't be resumed (of another machine, say).
    """
    if turns < 1:
        raise InputError(f"The number of turns must be at least 1, but is {turns}.")
    names = chosen(cases)
    folder = Path(output_folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is not a folder.")
    folder.mkdir(parents=True, exist_ok=True)
    set_thread_count(threads)
    clock = time.process_time if threads == 1 else time.perf_counter
    try:
        methods, missing = available(METHODS)
        _limit_torch(threads)
        result: dict[str, Any] = {
            "benchmark": "geodesic",
            "machine": machine(),
            "threads": threads,
            "clock": "processor" if threads == 1 else "wall",
            "not_installed": missing,
            "left_out": [],
            "cases": [],
            "strokes": [],
        }
        if resume:
            result |= earlier(folder / FILE_NAME, result)
        names = [name for name in names if name not in {case["name"] for case in result["cases"]}]
        for number, case in enumerate(load(names)):
            if isinstance(case, str):
                result["left_out"].append(case)
                continue
            if progress is not None:
                progress(number / len(names), case.name)
            result["cases"].append(_measured(case, methods, turns, clock))
            if case.name in ("brain/sparse/0.5", "flair/sparse/0.5"):
                result["strokes"].append(_measured_strokes(case, methods, clock))
            write_json(result, folder / FILE_NAME)
    finally:
        set_thread_count(None)
    result["cases"].sort(key=lambda case: CASE_NAMES.index(case["name"]))
    result["goals"] = goals(result)
    result["summary"] = summary(result)
    write_json(result, folder / FILE_NAME)
    plot(result, folder / "geodesic.png")
    if progress is not None:
        progress(1.0, "Done")
    return result


def _limit_torch(threads: int) -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(threads)


def _measured(case: Case, methods: Sequence[DistanceMethod], turns: int, clock: Clock) -> dict:
    """Return what all methods need for a case."""
    large = case.image.size > _LARGE
    methods = [method for method in methods if method.large or not large]
    truths = _truths(case, methods, large)
    runs = {method: method.prepare(case) for method in methods}
    _warm_up(case, methods)
    seconds: dict[str, list[float]] = {method.name: [] for method in methods}
    rows: dict[str, dict] = {}
    pairs: dict[str, list[float]] = {}
    for turn in range(1 if large else turns):
        for method in methods[turn % len(methods) :] + methods[: turn % len(methods)]:
            if turn and (method.quantity == "other" or sum(seconds[method.name]) > _ENOUGH):
                continue
            before = _resident_memory()
            began = clock()
            found = runs[method]()
            seconds[method.name].append(clock() - began)
            if method.name not in rows:
                rows[method.name] = {
                    "method": method.name,
                    "bytes_per_voxel": _peak_over(before, case.image.size),
                    **_errors(found, truths.get(method.quantity)),
                }
            del found
    if not large and "FastGeodis, 4 iterations" in rows:
        name, row, spent = _accurate_fastgeodis(case, truths["ours"], clock)
        rows[name], seconds[name] = row, spent
        pairs[name] = _paired_with_ours(case, spent, clock)
    one_pass = _seconds_of_a_pass(case.image, clock)
    for name, row in rows.items():
        row["seconds"] = seconds[name]
        row["median"] = float(np.median(seconds[name]))
        row["passes"] = row["median"] / one_pass
        paired = zip(seconds[name], seconds.get(OURS, []), strict=False)
        row["ratios"] = pairs.get(name) or [other / ours for other, ours in paired]
    return {
        "name": case.name,
        "shape": list(case.image.shape),
        "spacing": list(case.spacing),
        "seed_voxels": int(case.seeds.sum()),
        "seconds_of_a_pass": one_pass,
        "methods": list(rows.values()),
    }


def _truths(case: Case, methods: Sequence[DistanceMethod], large: bool) -> dict[str, np.ndarray]:
    """Return Dijkstra's distances for the quantities that the methods compute."""
    engine = "blocks" if large else "dijkstra"
    truth = geodesic_distance(
        case.image, case.seeds, case.spacing, weight=case.weight, engine=engine
    )
    if large:
        _certify(case, truth)
        return {"ours": truth}
    if any(method.quantity == "geodistk" for method in methods):
        return {"ours": truth, "geodistk": geodistk_truth(case)}
    return {"ours": truth}


def _certify(case: Case, distance: np.ndarray) -> None:
    """Make sure, by another engine, that no distance can be lowered."""
    problem = pose(
        case.image, case.seeds.shape, case.spacing, weight=case.weight, max_distance=None
    )
    swept = distance.copy()
    sweeps.solve(problem, np.flatnonzero(case.seeds), swept, iterations=1)
    if not np.array_equal(swept, distance):
        raise AssertionError(f"A sweep lowers the distances of {case.name}.")


def _warm_up(case: Case, methods: Sequence[DistanceMethod]) -> None:
    """Load and compile what the first call would have to."""
    middle = tuple(slice(size // 2 - 4, size // 2 + 4) for size in case.image.shape)
    seeds = np.zeros((8, 8, 8), dtype=bool)
    seeds[4, 4, 4] = True
    small = Case(case.name, case.image[middle].copy(), case.spacing, seeds, case.weight)
    for method in methods:
        method.prepare(small)()


def _errors(found: np.ndarray, truth: np.ndarray | None) -> dict[str, float | None]:
    """Return the largest and the mean error, the latter in shares of the mean distance."""
    if truth is None:
        return {"largest_error": None, "mean_error": None}
    error = np.abs(found - truth)
    return {
        "largest_error": float(error.max()),
        "mean_error": float(error.sum(dtype=float) / truth.sum(dtype=float)),
    }


def _accurate_fastgeodis(
    case: Case, truth: np.ndarray, clock: Clock
) -> tuple[str, dict, list[float]]:
    """Return the run of FastGeodis with the fewest iterations whose largest error is below 1e-3."""
    iterations = _iterations_needed(case, truth)
    compute = fastgeodis(iterations)(case)
    began = clock()
    found = compute()
    spent = clock() - began
    name = "FastGeodis to an error of 1e-3"
    row = {"method": name, "iterations": iterations, "bytes_per_voxel": None}
    return name, {**row, **_errors(found, truth)}, [spent]


def _iterations_needed(case: Case, truth: np.ndarray) -> int:
    """Return after how many iterations the error is small, of sweeps like FastGeodis's."""
    problem = pose(
        case.image, case.seeds.shape, case.spacing, weight=case.weight, max_distance=None
    )
    voxels = np.flatnonzero(case.seeds)
    distance = np.where(case.seeds, 0, np.inf).astype(np.float32)
    iterations = 0
    while np.abs(distance - truth).max() > _SMALL_ERROR:
        iterations += 1
        sweeps.solve(problem, voxels, distance, device="cpu", iterations=1)
    return iterations


def _paired_with_ours(case: Case, seconds: Sequence[float], clock: Clock) -> list[float]:
    """Return how many times as long these runs took as one of ours right now."""
    began = clock()
    geodesic_distance(case.image, case.seeds, case.spacing, weight=case.weight)
    ours = clock() - began
    return [spent / ours for spent in seconds]


def _measured_strokes(case: Case, methods: Sequence[DistanceMethod], clock: Clock) -> dict:
    """Return what one more stroke of 20 voxels takes, truncated, as a session does it."""
    settings: dict[str, Any] = {"weight": case.weight, "max_distance": _CUT}
    seeds = case.seeds.copy()
    out = geodesic_distance(case.image, seeds, case.spacing, **settings)
    seconds = []
    for number in range(_STROKES):
        added = strokes(seeds.shape, 20, number=1, start=number + 1)
        seeds |= added
        began = clock()
        geodesic_distance(case.image, seeds, case.spacing, **settings, out=out, changed_seeds=added)
        seconds.append(clock() - began)
    anew = geodesic_distance(case.image, seeds, case.spacing, **settings)
    result = {
        "case": case.name,
        "cut": _CUT,
        "seconds": seconds,
        "median": float(np.median(seconds)),
        "passes": float(np.median(seconds)) / _seconds_of_a_pass(case.image, clock),
        "equal_to_a_map_computed_anew": bool(np.array_equal(out, anew)),
    }
    if any(method.package == "FastGeodis" for method in methods):
        compute = fastgeodis(2)(case)
        began = clock()
        compute()
        result["fastgeodis_2_iterations"] = clock() - began
    return result


def _seconds_of_a_pass(image: np.ndarray, clock: Clock) -> float:
    """Return what reading and writing the volume once takes."""
    copy = np.empty_like(image)
    seconds = []
    for _ in range(7):
        began = clock()
        np.copyto(copy, image)
        seconds.append(clock() - began)
    return float(np.median(seconds))


def _resident_memory() -> int | None:
    """Return the bytes that the process holds, and have the system note their peak from now on.

    None where the system does not tell (outside Linux).
    """
    try:
        # What was freed but not given back would not be seen when it is used again.
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, AttributeError, TypeError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _peak_over(before: int | None, voxels: int) -> float | None:
    """Return the bytes for each voxel that the process has held at most beyond those before."""
    if before is None:
        return None
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return max(0, int(line.split()[1]) * 1024 - before) / voxels
    return None
