"""Measure the CRF's mean-field iterations against the pairwise network through unfold.

All methods run in turn in one process, and the turns are repeated, so that whatever else the
machine does meanwhile meets all of them; ratios are taken within a turn. Both wall time and the
time of all processors are given.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from DeepIGeoSLib.errors import InputError, Progress

if TYPE_CHECKING:
    import torch

    from DeepIGeoSLib.crf.crfnet import CRFNet


OURS = "tables, numba"
UNFOLD = "network, unfold"
_SPACING = (1.0, 1.0, 1.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--size", type=int, default=64, help="voxels of the cube's edge (default: %(default)s)"
    )
    parser.add_argument(
        "--iterations", type=int, default=5, help="of mean field (default: %(default)s)"
    )
    parser.add_argument(
        "--turns", type=int, default=5, help="how often each runs (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=2, help="of every method (default: %(default)s)"
    )


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    for name in ("size", "iterations", "turns", "threads"):
        if getattr(arguments, name) < 1:
            raise InputError(f"--{name} is {getattr(arguments, name)}; at least 1 is expected.")
    return run(
        arguments.size,
        iterations=arguments.iterations,
        turns=arguments.turns,
        threads=arguments.threads,
        progress=progress,
    )


def run(
    size: int = 64,
    *,
    iterations: int = 5,
    turns: int = 5,
    threads: int = 2,
    progress: Progress | None = None,
) -> dict:
    """Measure a 3 x 5 x 5 window of a pretrained free-form CRF on a noisy cube with an edge.

    Args:
        size: voxels of the cube's edge.
        iterations: of mean field.
        turns: how often each method runs.
        threads: of every method.
        progress: called with the share done and a text.

    Returns:
        The methods with seconds, processor seconds and largest error of each, memory of the
        compiled iterations in bytes a voxel, ratios, and a ``summary`` for people.
    """
    import torch

    from DeepIGeoSLib.crf import MeanField
    from DeepIGeoSLib.crf.crfnet import CRFNet
    from DeepIGeoSLib.crf.pretraining import pretrain
    from DeepIGeoSLib.crf.settings import CrfSettings
    from DeepIGeoSLib.geodesic import set_thread_count

    settings = CrfSettings(sigma=0.5, iterations=iterations)
    network = CRFNet.of(settings)
    network.pairwise = pretrain(settings).pairwise
    scores, image = _fields(size)
    engines = {name: MeanField(network, "cpu", name) for name in ("numba", "torch")}
    methods: dict[str, Callable[[], np.ndarray]] = {
        OURS: lambda: engines["numba"].probabilities(scores, image, _SPACING),
        "tables, torch": lambda: engines["torch"].probabilities(scores, image, _SPACING),
        UNFOLD: lambda: _through_unfold(network, scores, image),
    }
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    set_thread_count(threads)
    try:
        first = _timed(methods[OURS])  # compiles, or loads what was compiled, and makes the tables
        measured = _measured(methods, turns, progress)
        memory = _memory(methods[OURS]) / scores[0].size
    finally:
        torch.set_num_threads(before)
        set_thread_count(None)
    truth = measured[UNFOLD]["result"]
    rows = [
        {
            "method": name,
            "seconds": values["seconds"],
            "processor_seconds": values["processor_seconds"],
            "largest_error": float(np.abs(values["result"] - truth).max()),
        }
        for name, values in measured.items()
    ]
    result = {
        "size": size,
        "window": list(settings.window),
        "iterations": iterations,
        "threads": threads,
        "methods": rows,
        "first_call_seconds": first[1],
        "bytes_per_voxel": memory,
        "faster_than_unfold": _ratios(measured, "seconds"),
        "faster_than_unfold_by_processor_time": _ratios(measured, "processor_seconds"),
        "table_error": max(tables.error for tables in engines["numba"].tables),
    }
    return {**result, "summary": _summary(result)}


def _fields(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return scores (2, k, j, i) and an image (1, k, j, i)."""
    random = np.random.default_rng(1)
    scores = random.normal(0, 2, (2, size, size, size)).astype(np.float32)
    image = random.normal(0, 0.4, (1, size, size, size)).astype(np.float32)
    image[..., size // 2 :] += 2
    return scores, image


def _measured(
    methods: dict[str, Callable[[], np.ndarray]], turns: int, progress: Progress | None
) -> dict[str, dict]:
    found: dict[str, dict[str, Any]] = {
        name: {"seconds": [], "processor_seconds": []} for name in methods
    }
    for turn in range(turns):
        for place, (name, method) in enumerate(methods.items()):
            if progress is not None:
                done = (turn + place / len(methods)) / turns
                progress(done, f"Turn {turn + 1}: {name}")
            result, seconds, processor_seconds = _timed(method)
            found[name]["seconds"].append(seconds)
            found[name]["processor_seconds"].append(processor_seconds)
            found[name]["result"] = result
    return found


def _timed(method: Callable[[], np.ndarray]) -> tuple[np.ndarray, float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    result = method()
    return result, time.perf_counter() - wall, time.process_time() - processor


def _memory(method: Callable[[], np.ndarray]) -> int:
    """Return the most bytes that NumPy held at once during a call, its result included."""
    tracemalloc.start()
    method()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _ratios(measured: dict[str, dict], key: str) -> list[float]:
    pairs = zip(measured[UNFOLD][key], measured[OURS][key], strict=True)
    return [slow / fast for slow, fast in pairs]


def _through_unfold(network: CRFNet, scores: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Run the iterations the plain way: all windows unfolded, the network evaluated on every pair.

    The potentials are kept for all iterations, which favors this method: it evaluates the network
    once. Only the network's features are made plane by plane, else they would need gigabytes.
    """
    import torch

    from DeepIGeoSLib.tensors import to_array, to_tensor

    offsets = list(network.offsets())
    distances = torch.tensor(offsets, dtype=torch.float32).norm(dim=1)
    with torch.inference_mode():
        unary, intensities = to_tensor(scores), to_tensor(image)
        potentials = []
        for own, windows in zip(
            intensities[0], _windows(intensities, network.window)[0], strict=True
        ):
            differences = (own[..., None] - windows).flatten(0, 1).T
            potentials.append(network.pairwise(differences[:, None], distances))
        result = unary
        for _ in range(network.iterations):
            windows = _windows(result.softmax(dim=0), network.window)
            planes = [
                torch.einsum("pv,lvp->lv", potential, windows[:, plane].flatten(1, 2))
                for plane, potential in enumerate(potentials)
            ]
            messages = torch.stack(planes, dim=1).reshape(unary.shape)
            cost = torch.einsum("ab,b...->a...", network.compatibility, messages)
            result = unary - network.strength * cost
        return to_array(result.softmax(dim=0))


def _windows(values: torch.Tensor, window: tuple[int, ...]) -> torch.Tensor:
    """Return (channel, k, j, i, neighbors) of (channel, k, j, i), without the voxels themselves."""
    import torch

    widths = [size // 2 for size in reversed(window) for _ in (0, 1)]
    windows = torch.nn.functional.pad(values, widths)
    for axis, size in enumerate(window, start=1):
        windows = windows.unfold(axis, size, 1)
    flat = windows.flatten(4)
    middle = flat.shape[-1] // 2
    return torch.cat([flat[..., :middle], flat[..., middle + 1 :]], dim=-1)


def _summary(result: dict) -> str:
    size = result["size"]
    lines = [
        f"{size} x {size} x {size} voxels, window {'x'.join(map(str, result['window']))}, "
        f"{result['iterations']} iterations, {result['threads']} threads",
        "",
        "| method | seconds (median) | processor seconds | largest error of a probability |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row['method']} | {statistics.median(row['seconds']):.3f} "
        f"| {statistics.median(row['processor_seconds']):.3f} | {row['largest_error']:.1e} |"
        for row in result["methods"]
    ]
    wall = statistics.median(result["faster_than_unfold"])
    processor = statistics.median(result["faster_than_unfold_by_processor_time"])
    lines += [
        "",
        f"{OURS} is {wall:.0f} times faster than {UNFOLD} ({processor:.0f} times by processor "
        f"time), needs {result['bytes_per_voxel']:.0f} bytes a voxel beside its input, and its "
        f"tables are wrong by {result['table_error']:.0e} at most. Its first call took "
        f"{result['first_call_seconds']:.2f} s.",
    ]
    return "\n".join(lines)
