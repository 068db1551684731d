"""What the interaction benchmark measures on one volume."""

from __future__ import annotations

import cProfile
import pstats
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from DeepIGeoSLib.benchmarks.interaction_cases import Case, head, pinned, strokes
from DeepIGeoSLib.benchmarks.peak_memory import peak_memory
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.evaluation.baselines.listing import BASELINES
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.volume import Volume

# What the functions of a round are, by room and name: engines and the CRF share a name.
_FUNCTIONS = {
    ("interaction", "refine"): "whole",
    ("inputs", "distance_maps"): "maps",
    ("engines", "foreground_probability"): "network",
    ("crf", "foreground_probability"): "crf",
}


@dataclass(frozen=True)
class Setup:
    """What is measured.

    Attributes:
        bundle: name or folder.
        device, engine, memory_budget: see ``InteractiveSession``.
    """

    bundle: str
    device: str = "cpu"
    engine: str = "auto"
    memory_budget: int | None = None

    def session(self) -> InteractiveSession:
        """Return a session without a volume."""
        return InteractiveSession(
            load_bundle(self.bundle),
            device=self.device,
            engine=self.engine,
            memory_budget=self.memory_budget,
        )


def measured_case(setup: Setup, case: Case, *, count: int, peers: bool) -> dict[str, Any]:
    """Return the times of a proposal and of strokes on one volume, and the memory they take.

    Args:
        setup: with what.
        case: the volume.
        count: strokes.
        peers: also measure other methods.
    """
    volume = head(case)
    session = setup.session()
    opened = _timed(lambda: session.set_volume(volume))
    with peak_memory() as memory:
        first = _timed(session.propose)  # builds and warms the network up
    second = _timed(session.propose)
    scribbles = {name: np.zeros(volume.shape, dtype=bool) for name in ("foreground", "background")}
    session.refine(foreground=_one_voxel(volume))  # compiles, or loads what was compiled
    session.undo()
    rounds, undos, profile, most = [], [], cProfile.Profile(), memory["process"]
    for label, voxels in strokes(volume, count):
        for name, mask in scribbles.items():
            mask.flat[voxels] = name == label
        given = {**scribbles, "region": pinned(case, voxels)}
        profile.enable()
        with peak_memory() as memory_of_stroke:
            rounds.append(_timed(partial(session.refine, **given)))
        most = max(most, memory_of_stroke["process"])
        profile.disable()
        undos.append(_timed(session.undo))
        session.redo()
    return {
        "name": case.name,
        "shape": list(case.shape),
        "voxels": int(np.prod(case.shape)),
        "region": None if case.region is None else list(case.region),
        "set_volume": _statistics([opened]),
        "propose": _statistics([min(first, second)]),
        "stroke": _statistics(rounds),
        "undo": _statistics(undos),
        "parts": _parts(profile, count),
        "bytes_per_voxel": memory["bytes"] / np.prod(case.shape),
        "process_bytes": most,
        "peers": _peers(volume, scribbles, rounds) if peers else {},
    }


def _one_voxel(volume: Volume) -> np.ndarray:
    mask = np.zeros(volume.shape, dtype=bool)
    mask[tuple(n // 2 for n in volume.shape)] = True
    return mask


def _timed(action: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds and the processor seconds that a call takes."""
    wall, processor = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - processor


def _statistics(times: list[tuple[float, float]]) -> dict[str, float]:
    seconds = [wall for wall, _ in times]
    return {
        "median": statistics.median(seconds),
        "least": min(seconds),
        "most": max(seconds),
        "percentile_95": float(np.percentile(seconds, 95)),
        "processor_median": statistics.median(processor for _, processor in times),
    }


def _parts(profile: cProfile.Profile, count: int) -> dict[str, float]:
    """Return what the mean stroke spends on distance maps, network, CRF, and all the rest."""
    spent = dict.fromkeys(_FUNCTIONS.values(), 0.0)
    for (file, _, function), values in cast(Any, pstats.Stats(profile)).stats.items():
        part = _FUNCTIONS.get((Path(file).parent.name, function))
        if part is not None:
            spent[part] = max(spent[part], values[3] / count)
    whole = spent.pop("whole")
    return {**spent, "rest": whole - sum(spent.values())}


def _peers(
    volume: Volume, scribbles: dict[str, np.ndarray], rounds: list[tuple[float, float]]
) -> dict[str, dict[str, float]]:
    """Measure what computes a whole volume anew after every stroke."""
    ours = statistics.median(wall for wall, _ in rounds)
    normalized = (volume.array - np.median(volume.array)) / volume.array.std()
    found = {}
    for name in ("grow-cut", "random-walker"):
        baseline = BASELINES[name]
        if baseline.reason_against() is not None:
            continue
        seeds = (scribbles["foreground"], scribbles["background"])
        taken = _timed(partial(baseline.solve, normalized, *seeds, spacing=volume.spacing))
        found[name] = {**_statistics([taken]), "times_our_stroke": taken[0] / ours}
    return found
