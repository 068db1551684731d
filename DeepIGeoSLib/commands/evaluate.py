"""Measure a bundle with the robot user: Dice and more after 0, 1, 2, ... strokes."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.commands.common import add_crf, add_engine, add_model
from DeepIGeoSLib.commands.evaluated_cases import add_cases, chosen_cases
from DeepIGeoSLib.commands.evaluated_methods import add_methods, chosen_methods
from DeepIGeoSLib.commands.outputs import check_folder
from DeepIGeoSLib.errors import InputError, Progress

if TYPE_CHECKING:
    from DeepIGeoSLib.evaluation.methods import Method

_ROUNDS, _ROUNDS_FROM_EMPTY = 5, 10

# Takes minutes to days: progress is shown in logs and as events, too.
LONG = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_cases(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        help="folder for tables and the plot; an evaluation that was stopped goes on when the "
        "command is given again",
    )
    _add_protocol(parser.add_argument_group("the robot user"))
    parser.add_argument(
        "--objects",
        choices=("numbers", "parts"),
        help="also tell how the automatic segmentation divides objects (pixel, Rand and warping "
        "error): the true labels are numbers of objects, or objects are the connected parts of "
        "the truth",
    )
    add_methods(parser.add_argument_group("what is measured"))
    add_model(parser)
    add_engine(parser)
    add_crf(parser)


def _add_protocol(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--mode",
        choices=("stroke", "click", "disk"),
        help="mark a disk in the slice with most of the mistake, a small ball, or a disk of so "
        "many mm in the middle of the mistake (default: stroke, disk from empty masks)",
    )
    group.add_argument(
        "--begin",
        choices=("stroke", "outline", "box"),
        default="stroke",
        help="the first mark of each case: one like all others, the outline of the target in one "
        "slice, or a box around the target, which baselines can't take (default: %(default)s)",
    )
    group.add_argument(
        "--rounds", type=int, help="marks for each case (default: 5, from empty masks 10)"
    )
    group.add_argument(
        "--radius",
        type=float,
        help="of a mark in voxels, of a disk in mm (default: 3, for clicks 1)",
    )
    group.add_argument(
        "--seed",
        type=int,
        help="mark a place drawn at random, instead of the middle of the largest mistake; "
        "another user for every number",
    )
    group.add_argument(
        "--tolerance",
        type=float,
        default=2.0,
        metavar="MM",
        help="of the surface Dice (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Run the robot user on every case."""
    from DeepIGeoSLib.evaluation.division import (
        DIVISION_FILE,
        divide,
        division_table,
        write_divisions,
    )
    from DeepIGeoSLib.evaluation.evaluate import (
        RESULT_FILES,
        check_plotting,
        compare,
        open_folder,
        write_results,
    )
    from DeepIGeoSLib.evaluation.summary import summarize
    from DeepIGeoSLib.users.robot_user import RobotUser

    from_empty = arguments.from_empty is not None
    mode = arguments.mode or ("disk" if from_empty else "stroke")
    rounds = arguments.rounds
    if rounds is None:
        rounds = _ROUNDS_FROM_EMPTY if from_empty else _ROUNDS
    _check_numbers(arguments)
    written = (*RESULT_FILES, *([DIVISION_FILE] if arguments.objects else []))
    if arguments.output is not None:
        check_folder(arguments.output, written, [arguments.cases, arguments.from_empty])
        check_plotting()
    chosen = chosen_methods(arguments)
    if arguments.begin == "box":
        _check_boxes(chosen.methods)
    cases = chosen_cases(arguments)
    if arguments.output is not None:
        read = [path for case in cases for path in case.files()]
        check_folder(arguments.output, written, read)
    folder = None if arguments.output is None else Path(arguments.output)
    journal = None if folder is None else open_folder(folder)
    measured = compare(
        chosen.methods,
        cases,
        RobotUser(mode, arguments.radius, arguments.seed, arguments.begin),
        rounds=rounds,
        tolerance=arguments.tolerance,
        progress=progress,
        journal=journal,
        from_empty=from_empty,
    )
    results = dataclasses.replace(measured, not_measured=chosen.not_measured, notes=chosen.notes)
    if folder is not None and journal is not None:
        write_results(results, folder)
        journal.remove()
    summary = {"bundle": arguments.bundle, **summarize(results)}
    if arguments.objects is None:
        return summary
    divided = divide(chosen.methods, cases, arguments.objects)
    if folder is not None:
        write_divisions(divided, folder / DIVISION_FILE)
    return {
        **summary,
        "division": [dataclasses.asdict(one) for one in divided],
        "report": f"{summary['report']}\n\n{division_table(divided)}",
    }


def _check_numbers(arguments: argparse.Namespace) -> None:
    if arguments.rounds is not None and arguments.rounds < 1:
        raise InputError(f"--rounds is {arguments.rounds}; at least 1 is expected.")
    for name in ("radius", "seed", "tolerance", "margin"):
        value = getattr(arguments, name)
        if value is not None and not 0 <= value < float("inf"):
            raise InputError(f"--{name} is {value}; 0 or more is expected.")


def _check_boxes(methods: Sequence[Method]) -> None:
    boxless = [method.name for method in methods if not method.takes_boxes]
    if boxless:
        raise InputError(
            f"{', '.join(boxless)} can't take the box that --begin asks for; choose others by "
            "--methods, such as deepigeos,no-model."
        )


def text(result: dict) -> str:
    """Return every table."""
    return result["report"]
