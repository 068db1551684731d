"""Measure how long a stroke holds the user interface's thread in Slicer's scene.

The time of the networks, which run on another thread, does not count.
"""

from __future__ import annotations

import argparse

import numpy as np

from DeepIGeoSLib.errors import InputError, Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--strokes", type=int, default=10, help="strokes in each volume (default: %(default)s)"
    )


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    if arguments.strokes < 1:
        raise InputError(f"--strokes is {arguments.strokes}; at least 1 is expected.")
    from DeepIGeoSLib.scene import startSlicer  # slicer-core is not needed for anything else here

    startSlicer()
    from DeepIGeoSLib.scene.stroke_cost import STROKE_CASES, strokeMilliseconds

    rows = []
    for number, case in enumerate(STROKE_CASES):
        if progress is not None:
            progress(number / len(STROKE_CASES), f"Painting in {case.shape}")
        spent = strokeMilliseconds(case, arguments.strokes)
        rows.append(
            {
                "shape": case.shape,
                "length": case.length,
                "diameter": case.diameter,
                "budget": case.budget,
                "first": spent[0],
                "median": float(np.median(spent)),
                "most": max(spent),
            }
        )
    return {"rows": rows, "summary": _table(rows)}


def _table(rows: list[dict]) -> str:
    lines = [
        "Processor time of the user interface's thread, milliseconds a stroke",
        "",
        "| volume (k, j, i) | stroke, brush (mm) | first | median | most | budget |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        shape = " x ".join(map(str, row["shape"]))
        lines.append(
            f"| {shape} | {row['length']:g}, {row['diameter']:g} | {row['first']:.0f} "
            f"| {row['median']:.0f} | {row['most']:.0f} | {row['budget']:g} |"
        )
    return "\n".join(lines)
