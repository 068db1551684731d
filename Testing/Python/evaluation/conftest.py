"""Rounds whose numbers are known, and small cases on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Volume
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.evaluation.metrics import Measurement
from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.rows import Row

# Dice by method, data set and case, before the first mark and after each.
DICE = {
    "own": {
        ("A", "a1"): (0.50, 0.70, 0.90),
        ("A", "a2"): (0.60, 0.80, 0.70),
        ("B", "b1"): (0.90, 0.95, 1.00),
    },
    "other": {
        ("A", "a1"): (0.00, 0.40, 0.60),
        ("A", "a2"): (0.00, 0.50, 0.80),
        ("B", "b1"): (0.00, 0.90, 0.90),
    },
}


def make_row(
    method: str, dataset: str, case: str, number: int, dice: float, seconds: float = 1.0
) -> Row:
    far = float("inf") if dice == 0 else 10 * (1 - dice)
    measured = Measurement(
        dice=dice,
        iou=dice / (2 - dice),
        assd_mm=far,
        hd95_mm=3 * far,
        surface_dice=dice / 2,
        volume_difference_ml=-1.5,
        volume_difference_percent=-100 * (1 - dice),
    )
    mark = "" if number == 0 else "foreground"
    return Row(dataset, case, method, number, mark, 29 if number else 0, measured, seconds)


@pytest.fixture
def rows() -> tuple[Row, ...]:
    """Two methods, three cases, two rounds; the n-th answer of a method took n seconds."""
    made = []
    for method, cases in DICE.items():
        for (dataset, case), curve in cases.items():
            for number, dice in enumerate(curve):
                seconds = 1.0 + sum(row.method == method for row in made)
                made.append(make_row(method, dataset, case, number, dice, seconds))
    return tuple(made)


@pytest.fixture
def results(rows: tuple[Row, ...]) -> EvaluationResults:
    return EvaluationResults(rows)


@pytest.fixture
def one_method(rows: tuple[Row, ...]) -> EvaluationResults:
    return EvaluationResults(tuple(row for row in rows if row.method == "own"))


@pytest.fixture
def write_case(tmp_path: Path) -> Callable[[str], LabeledCase]:
    """Write a noisy head with a bright lesion that the truth exceeds; another for each name."""

    def write(name: str, dataset: str = "heads") -> LabeledCase:
        random = np.random.default_rng(len(name) + sum(name.encode()))
        array = np.zeros((7, 30, 32), dtype=np.float32)
        array[1:6, 3:27, 3:29] = random.normal(100, 4, (5, 24, 26))
        row, column = random.integers(6, 12, 2)
        array[2:5, row : row + 9, column : column + 10] = 160
        truth = np.zeros(array.shape, dtype=bool)
        truth[2:5, row : row + 12, column : column + 8] = True
        volume = Volume(array, spacing=(3.0, 1.0, 1.0), name=name)
        image, label = tmp_path / f"{name}.nii.gz", tmp_path / f"{name}-truth.nii.gz"
        volume.write_map(image, array)
        volume.write_labels(label, truth)
        return LabeledCase(dataset=dataset, name=name, image=image, label=label)

    return write
