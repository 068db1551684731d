"""How long a stroke holds the thread of the user interface, apart from the networks' own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.bundles import GEODESIC
from DeepIGeoSLib.errors import DeepIGeoSError
from DeepIGeoSLib.scene.places import worldPosition
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.workbench import Workbench


@dataclass(frozen=True)
class StrokeCase:
    """Strokes of one kind in one volume.

    Attributes:
        shape: voxels along (k, j, i).
        spacing: mm along (k, j, i).
        length: of a stroke in mm.
        diameter: of the brush in mm.
        budget: milliseconds of the thread's processor time that a stroke may take.
    """

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    length: float
    diameter: float
    budget: float


STROKE_CASES = (
    StrokeCase((300, 512, 512), (0.6, 0.5, 0.5), 25, 3, 50),
    StrokeCase((155, 240, 240), (1.0, 1.0, 1.0), 25, 3, 20),
    StrokeCase((155, 240, 240), (1.0, 1.0, 1.0), 150, 30, 100),
)


def strokeMilliseconds(case: StrokeCase, strokes: int) -> list[float]:
    """Return the processor time of the scene's thread that each of several strokes took.

    Each stroke is painted, answered on another thread without any model, and written; the time from
    the painting to the status line counts, waiting does not. The scene is cleared.
    """
    slicer.mrmlScene.Clear(0)
    volumeNode = _head(case)
    with ThreadPoolExecutor(1) as worker:
        bench = Workbench(SegmentationLogic(GEODESIC, executor=worker))
        bench.choose(volumeNode, None, "")
        bench.nextLesion()
        try:
            return [_stroke(bench, case, number) for number in range(strokes)]
        finally:
            bench.close()
            slicer.mrmlScene.Clear(0)


def _head(case: StrokeCase) -> Any:
    voxels = np.zeros(case.shape, dtype=np.int16)
    voxels[tuple(slice(n // 8, n - n // 8) for n in case.shape)] = 100
    voxels[tuple(slice(n // 2 - n // 12, n // 2 + n // 12) for n in case.shape)] = 200
    matrix = np.diag([*case.spacing[::-1], 1.0])
    return slicer.util.addVolumeFromArray(voxels, ijkToRAS=matrix, name="head")


def _stroke(bench: Workbench, case: StrokeCase, number: int) -> float:
    points = _points(bench.volumeNode, case, number)
    began = time.thread_time()
    bench.addStroke(points, case.diameter / 2, True)
    bench.poll()
    spent = time.thread_time() - began
    while bench.busy:
        time.sleep(0.05)
        began = time.thread_time()
        bench.poll()
        if not bench.busy:
            spent += time.thread_time() - began
    began = time.thread_time()
    answered = len(bench.rounds) == number + 1 and bench.status
    spent += time.thread_time() - began
    if not answered:
        raise DeepIGeoSError(f"A stroke was not answered: {bench.message}")
    return 1000 * spent


def _points(volumeNode: Any, case: StrokeCase, number: int) -> Sequence[tuple[float, float, float]]:
    """Return a straight stroke along i through the middle, each one further along j."""
    middle = [n // 2 for n in case.shape]
    reach = case.length / case.spacing[2] / 2
    return [
        worldPosition(volumeNode, (middle[0], middle[1] + 4 * number - 10, middle[2] + along))
        for along in np.linspace(-reach, reach, max(2, round(case.length / 2)))
    ]
