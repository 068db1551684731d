"""How automatic segmentations divide objects: pixel, Rand and warping error of every case."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.data.objects import ObjectsAre, read_objects
from DeepIGeoSLib.evaluation.methods import Method
from DeepIGeoSLib.evaluation.partition import partition_errors
from DeepIGeoSLib.files import written_in_one_step

DIVISION_FILE = "division.csv"


@dataclass(frozen=True)
class Division:
    """How one case was divided by one method.

    Attributes:
        dataset: of the case.
        case: its name.
        method: that segmented it.
        pixel_error, rand_error, warping_error: from 0 to 1, see ``partition``.
    """

    dataset: str
    case: str
    method: str
    pixel_error: float
    rand_error: float
    warping_error: float


def divide(
    methods: Sequence[Method], cases: Sequence[LabeledCase], objects: ObjectsAre
) -> list[Division]:
    """Segment every case automatically with every method, and measure how objects are divided.

    Raises:
        InputError: a case can't be read.
    """
    rows = []
    for case in cases:
        channels, truth = read_objects(case, objects)
        # Parts are found anew, as those of the result are.
        known = truth > 0 if objects == "parts" else truth
        for method in methods:
            method.choose_target(case.target)
            method.set_volume(channels)
            errors = partition_errors(method.propose(), known).values()
            rows.append(Division(case.dataset, case.name, method.name, *errors))
    return rows


def division_table(rows: Sequence[Division]) -> str:
    """Return the means of each data set and method as Markdown."""
    lines = [
        "## Division into objects, automatically",
        "",
        "| data | method | pixel error | Rand error | warping error |",
        "|---|---|---|---|---|",
    ]
    for dataset, method in dict.fromkeys((row.dataset, row.method) for row in rows):
        own = [row for row in rows if (row.dataset, row.method) == (dataset, method)]
        pixel, rand, warping = np.mean(
            [(row.pixel_error, row.rand_error, row.warping_error) for row in own], axis=0
        )
        lines.append(f"| {dataset} | {method} | {pixel:.4f} | {rand:.4f} | {warping:.6f} |")
    return "\n".join(lines)


def write_divisions(rows: Sequence[Division], path: Path) -> None:
    """Write every case as a row of a CSV file; numbers keep every digit."""
    with (
        written_in_one_step(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, asdict(rows[0]).keys())
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
