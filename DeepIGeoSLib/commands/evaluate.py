"""Measure a bundle with the robot user: Dice and more after 0, 1, 2, ... strokes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.commands.common import add_model, check_output
from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from DeepIGeoSLib.evaluation.methods import Method

_OWN = "deepigeos"
_INITIAL = ("previous", "pnet")
_MAPS = ("geodesic", "euclidean")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="training configuration whose data section names the cases",
    )
    parser.add_argument("--use", default="val", help="cases of the split (default: %(default)s)")
    parser.add_argument("--image", help="measure a single case instead: the image ...")
    parser.add_argument("--truth", help="... and its true labelmap (values above 0)")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="folder for tables and the plot")
    _add_protocol(parser.add_argument_group("the robot user"))
    _add_methods(parser.add_argument_group("what is measured"))
    add_model(parser)


def _add_protocol(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--mode",
        choices=("stroke", "click"),
        default="stroke",
        help="mark a disk in one slice, or a small ball (default: %(default)s)",
    )
    group.add_argument(
        "--rounds", type=int, default=5, help="marks for each case (default: %(default)s)"
    )
    group.add_argument(
        "--radius", type=float, help="of a mark in voxels (default: 3 for strokes, 1 for clicks)"
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


def _add_methods(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--methods",
        default=_OWN,
        metavar="NAME,...",
        help=f"{_OWN}, geodesic, random-walker, max-flow, grow-cut, or all; the first one is what "
        "the others are compared with (default: %(default)s)",
    )
    group.add_argument(
        "--initial",
        metavar="NAME,...",
        help="previous, pnet: what R-Net sees as the initial segmentation after the first round; "
        "a line in the table for each (default: as the bundle says)",
    )
    group.add_argument(
        "--maps",
        metavar="NAME,...",
        help="geodesic, euclidean: what the distance maps measure; a line in the table for each "
        "(default: as the bundle says)",
    )


def run(arguments: argparse.Namespace, progress: Callable[[float, str], None]) -> dict:
    """Run the robot user on every case."""
    from DeepIGeoSLib.evaluation.evaluate import check_plotting, compare, write_results
    from DeepIGeoSLib.evaluation.summary import summarize
    from DeepIGeoSLib.robot import RobotUser

    _check_numbers(arguments)
    if arguments.output is not None:
        check_output(arguments.output)
        check_plotting()
    methods, not_measured = _methods(arguments)
    results = compare(
        methods,
        _cases(arguments),
        RobotUser(arguments.mode, arguments.radius, arguments.seed),
        arguments.rounds,
        arguments.tolerance,
        not_measured,
        progress,
    )
    if arguments.output is not None:
        write_results(results, Path(arguments.output))
    return {"bundle": arguments.bundle, **summarize(results)}


def _check_numbers(arguments: argparse.Namespace) -> None:
    if arguments.rounds < 1:
        raise InputError(f"--rounds is {arguments.rounds}; at least 1 is expected.")
    for name in ("radius", "seed", "tolerance"):
        value = getattr(arguments, name)
        if value is not None and not value >= 0:
            raise InputError(f"--{name} is {value}; 0 or more is expected.")


def _methods(arguments: argparse.Namespace) -> tuple[list[Method], dict[str, str]]:
    """Return the methods that can run, and why the others can't.

    Raises:
        InputError: a name is unknown, or none of them can run.
    """
    from DeepIGeoSLib.evaluation.baselines import BASELINES

    known = (_OWN, *BASELINES)
    methods, not_measured = [], {}
    for name in known if arguments.methods == "all" else _names(arguments, "methods", known):
        reason = None if name == _OWN else BASELINES[name].reason_against()
        if reason is not None:
            not_measured[name] = reason
        elif name == _OWN:
            methods += _sessions(arguments)
        else:
            methods.append(BASELINES[name].method(name))
    if not methods:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in not_measured.items())
        raise InputError(f"None of the methods can run here ({reasons}).")
    return methods, not_measured


def _sessions(arguments: argparse.Namespace) -> list[Method]:
    """Return a session for each combination of the switches."""
    from DeepIGeoSLib import InteractiveSession, load_bundle
    from DeepIGeoSLib.evaluation.methods import SessionMethod, with_switches

    bundle = load_bundle(arguments.bundle)
    switches = [
        _names(arguments, name, known) if getattr(arguments, name) is not None else [None]
        for name, known in (("initial", _INITIAL), ("maps", _MAPS))
    ]
    sessions = []
    for initial, maps in product(*switches):
        chosen = {"initial": initial, "maps": maps}
        words = [_OWN, *(f"{key}={value}" for key, value in chosen.items() if value is not None)]
        session = InteractiveSession(with_switches(bundle, initial, maps), device=arguments.device)
        sessions.append(SessionMethod(session, " ".join(words)))
    return sessions


def _names(arguments: argparse.Namespace, option: str, known: Sequence[str]) -> list[str]:
    """Return the names in a list separated by commas, each once.

    Raises:
        InputError: one is not known.
    """
    names = [name.strip() for name in getattr(arguments, option).split(",")]
    for name in names:
        if name not in known:
            raise InputError(f"--{option} has {name!r}; known are {', '.join(known)}.")
    return list(dict.fromkeys(names))


def _cases(arguments: argparse.Namespace) -> list:
    from DeepIGeoSLib.data import LabeledCase, find_cases
    from DeepIGeoSLib.training.config import read_config

    if arguments.config is not None:
        base = Path(arguments.config).resolve().parent
        return find_cases(read_config(arguments.config).data, base, arguments.use)
    if arguments.image and arguments.truth:
        image, truth = Path(arguments.image), Path(arguments.truth)
        return [LabeledCase(dataset="single case", name=image.name, image=image, label=truth)]
    raise InputError("Give a CONFIG, or --image and --truth.")


def text(result: dict) -> str:
    """Return every table."""
    return result["report"]
