"""Measure a bundle with the robot user: Dice after 0, 1, 2, ... strokes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from DeepIGeoSLib.commands.common import add_model, check_output
from DeepIGeoSLib.errors import InputError


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
    parser.add_argument("--rounds", type=int, default=5, help="strokes (default: %(default)s)")
    parser.add_argument(
        "--radius", type=float, default=3.0, help="of the brush in voxels (default: %(default)s)"
    )
    parser.add_argument("-o", "--output", metavar="FOLDER", help="folder for tables and the plot")
    add_model(parser)


def run(arguments: argparse.Namespace, progress: Callable[[float, str], None]) -> dict:
    """Run the robot user on every case."""
    from DeepIGeoSLib import InteractiveSession, load_bundle
    from DeepIGeoSLib.evaluation.evaluate import evaluate, write_results

    if arguments.rounds < 1:
        raise InputError(f"--rounds is {arguments.rounds}; at least 1 is expected.")
    if arguments.output is not None:
        check_output(arguments.output)
    session = InteractiveSession(load_bundle(arguments.bundle), device=arguments.device)
    results = evaluate(
        session, _cases(arguments), arguments.rounds, arguments.radius, progress=progress
    )
    if arguments.output is not None:
        write_results(results, Path(arguments.output))
    return {"bundle": arguments.bundle, **results.summary()}


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
    """Return the table of mean Dice."""
    return result["table"]
