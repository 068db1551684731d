"""Measure how long a proposal and a stroke take, and in how much memory, on volumes of any size.

Every volume and every method gets its turn in one process, and the turns are repeated, so that
whatever else the machine does meanwhile meets all of them. Wall time and the time of all processors
are given. The volumes are procedural heads: times do not depend on what is in a volume.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from DeepIGeoSLib.benchmarks.interaction_cases import CASES, Case
from DeepIGeoSLib.benchmarks.interaction_measures import Setup, measured_case
from DeepIGeoSLib.benchmarks.interaction_plot import plot
from DeepIGeoSLib.benchmarks.interaction_unet import measured_unet
from DeepIGeoSLib.benchmarks.model_arguments import add_model
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.files import written_in_one_step

RESULT_NAME = "interaction.json"
PLOT_NAME = "interaction.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_model(parser)
    parser.add_argument(
        "--engine",
        default="auto",
        help="auto, torch, openvino, openvino-int8 (default: %(default)s)",
    )
    parser.add_argument(
        "--cases",
        default=",".join(case.name for case in CASES if case.usual),
        metavar="NAME,...",
        help=f"of {', '.join(case.name for case in CASES)} (default: %(default)s)",
    )
    parser.add_argument(
        "--strokes", type=int, default=10, help="for each volume (default: %(default)s)"
    )
    parser.add_argument(
        "--threads", type=int, default=2, help="of every method (default: %(default)s)"
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        help="also Slicer's grow-cut (where slicer-core is installed), the random walker, and a "
        "U-Net of nnInteractive's size (where dynamic-network-architectures is installed)",
    )
    parser.add_argument(
        "--memory",
        type=float,
        metavar="GB",
        help="what the networks may use for their intermediate results (default: half of what is "
        "free)",
    )
    parser.add_argument("-o", "--output", metavar="FOLDER", help="folder for JSON and the plot")


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    for name in ("strokes", "threads"):
        if getattr(arguments, name) < 1:
            raise InputError(f"--{name} is {getattr(arguments, name)}; at least 1 is expected.")
    if arguments.memory is not None and not arguments.memory > 0:
        raise InputError(f"--memory is {arguments.memory:g}; a positive number is expected.")
    known = {case.name: case for case in CASES}
    unknown = [name for name in arguments.cases.split(",") if name not in known]
    if unknown:
        raise InputError(f"There is no case {unknown[0]!r}; choose from {', '.join(known)}.")
    if arguments.output is not None and not Path(arguments.output).absolute().parent.is_dir():
        raise InputError(f"The folder {Path(arguments.output).absolute().parent} does not exist.")
    cases = [known[name] for name in arguments.cases.split(",")]
    budget = None if arguments.memory is None else int(arguments.memory * 1e9)
    setup = Setup(arguments.bundle, arguments.device, arguments.engine, budget)
    result = run(
        setup,
        cases=cases,
        strokes=arguments.strokes,
        threads=arguments.threads,
        peers=arguments.peers,
        progress=progress,
    )
    if arguments.output is not None:
        write(result, Path(arguments.output))
    return result


def run(
    setup: Setup,
    *,
    cases: list[Case],
    strokes: int = 10,
    threads: int = 2,
    peers: bool = False,
    progress: Progress | None = None,
) -> dict:
    """Measure a bundle on volumes.

    Args:
        setup: the bundle and how it runs.
        cases: the volumes.
        strokes: for each volume, at random places.
        threads: of torch and of the distance maps.
        peers: also measure other methods on the same strokes, and a network of nnInteractive's
            class.
        progress: called with the share done and a text.

    Returns:
        What was measured for each case, exponents over the volumes' sizes, and a ``summary``.
    """
    import torch

    from DeepIGeoSLib.geodesic import set_thread_count

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    set_thread_count(threads)
    rows = []
    try:
        for number, case in enumerate(cases):
            if progress is not None:
                progress(number / len(cases), case.name)
            rows.append(measured_case(setup, case, count=strokes, peers=peers))
        unet = measured_unet() if peers else None
    finally:
        torch.set_num_threads(before)
        set_thread_count(None)
    if progress is not None:
        progress(1.0, "Done")
    result = {
        **vars(setup),
        "threads": threads,
        "cases": rows,
        "unet": unet,
        "exponents": exponents(rows),
    }
    return {**result, "summary": summary(result)}


def exponents(rows: list[dict]) -> dict[str, float]:
    """Return how times grow with the number of voxels: 1 is linear, 0 is constant."""
    import numpy as np

    scaling = [row for row in rows if row["region"] is None]
    if len({row["voxels"] for row in scaling}) < 2:
        return {}
    size = np.log([row["voxels"] for row in scaling])
    return {
        name: float(np.polyfit(size, np.log([row[name]["median"] for row in scaling]), 1)[0])
        for name in ("propose", "stroke")
    }


def summary(result: dict) -> str:
    """Return a table for people."""
    lines = [
        f"{result['bundle']} on {result['device']}, {result['threads']} threads; seconds",
        f"{'volume (k, j, i)':<28}{'propose':>9}{'stroke':>9}{'95 %':>8}{'maps':>8}"
        f"{'network':>9}{'rest':>8}{'undo':>8}{'bytes/voxel':>13}{'process GB':>12}",
    ]
    for row in result["cases"]:
        parts = row["parts"]
        lines.append(
            f"{row['name']:<28}{row['propose']['median']:>9.3g}{row['stroke']['median']:>9.3g}"
            f"{row['stroke']['percentile_95']:>8.3g}{parts['maps']:>8.2g}{parts['network']:>9.2g}"
            f"{parts['rest']:>8.2g}{row['undo']['median']:>8.2g}{row['bytes_per_voxel']:>13.0f}"
            f"{row['process_bytes'] / 1e9:>12.2f}"
        )
        lines += [
            f"    {name}: {values['median']:.3g} s, {values['times_our_stroke']:.3g} of our strokes"
            for name, values in row["peers"].items()
        ]
    for name, exponent in result["exponents"].items():
        lines.append(f"{name} grows with voxels to the power of {exponent:.2f}")
    if result["unet"] is not None:
        unet = result["unet"]
        lines.append(
            f"a U-Net of nnInteractive's class ({unet['parameters'] / 1e6:.0f} M parameters, "
            f"random weights): {unet['seconds']:.3g} s for {unet['size']}^3 voxels"
        )
        lines += [
            f"    {unet['seconds'] / row['stroke']['median']:.0f} of our strokes in {row['name']}"
            for row in result["cases"]
        ]
    return "\n".join(lines)


def write(result: dict, folder: Path) -> None:
    """Write JSON and the plot into a folder, each whole or not at all."""
    folder.mkdir(exist_ok=True)
    with written_in_one_step(folder / RESULT_NAME) as path:
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    plot(result, folder / PLOT_NAME)
