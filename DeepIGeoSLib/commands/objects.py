"""``deepigeos segment --instances``: each object for itself, with a number and a row in a table."""

from __future__ import annotations

import argparse
from pathlib import Path

from DeepIGeoSLib.commands import common
from DeepIGeoSLib.commands.outputs import check_folder, check_images
from DeepIGeoSLib.errors import InputError, Progress

# Options of an ordinary segmentation that objects don't have.
_NOT_HERE = ("probability", "uncertainty", "crf", "memory")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    group = parser.add_argument_group("objects")
    group.add_argument(
        "--instances",
        action="store_true",
        help="find objects and number them: OUT then holds one number for each. A bundle without "
        "a network for objects gives the connected parts of its segmentation",
    )
    group.add_argument(
        "--table",
        metavar="FILE",
        help="with --instances, also write a CSV file with number, kind, score, ml and place of "
        "each object",
    )
    group.add_argument(
        "--score",
        type=float,
        metavar="S",
        help="with --instances, least score (0 to 1) of an object (default: the bundle's)",
    )


def check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse options that don't go together.

    Raises:
        InputError: as the message says.
    """
    if not arguments.instances:
        for option in ("table", "score"):
            if getattr(arguments, option) is not None:
                raise InputError(f"--{option} goes with --instances.")
        return
    for option in _NOT_HERE:
        if getattr(arguments, option) is not None:
            raise InputError(f"--{option} does not go with --instances.")
    if arguments.engine not in ("auto", "torch"):
        raise InputError("--instances runs with the engine torch.")
    if arguments.score is not None and not 0 <= arguments.score <= 1:
        raise InputError(f"--score is {arguments.score:g}; a number from 0 to 1 is expected.")


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Find the objects and write them; none is a result like others."""
    from DeepIGeoSLib import load_bundle
    from DeepIGeoSLib.instances import find_instances
    from DeepIGeoSLib.instances.table import rows_of, write_table

    check_images({"-o": arguments.output}, arguments.image, segmented=arguments.image[0])
    if arguments.table is not None:
        table = Path(arguments.table)
        check_folder(table.absolute().parent, [table.name], [*arguments.image, arguments.output])
    bundle = load_bundle(arguments.bundle)
    volumes = common.read_images(arguments, arguments.image, bundle.manifest.channels)
    found = find_instances(
        bundle, volumes, device=arguments.device, least_score=arguments.score, progress=progress
    )
    rows = rows_of(found, volumes[0].spacing)
    volumes[0].write_numbers(arguments.output, found.labels())
    if arguments.table is not None:
        write_table(arguments.table, rows)
    return {"output": arguments.output, "table": arguments.table, "objects": rows}


def text(result: dict) -> str:
    """Return what the user reads."""
    rows = result["objects"]
    milliliters = sum(row["milliliters"] for row in rows)
    objects = "1 object" if len(rows) == 1 else f"{len(rows) or 'no'} objects"
    return f"{result['output']}: {objects}, {milliliters:.1f} ml ({result['seconds']:.1f} s)"
