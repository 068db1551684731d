"""Correct a segmentation by scribbles (R-Net)."""

from __future__ import annotations

import argparse
import time

from DeepIGeoSLib.commands import common
from DeepIGeoSLib.errors import InputError, Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common.add_image(parser)
    parser.add_argument(
        "--seeds",
        required=True,
        metavar="SEEDS",
        help="labelmap on the image's grid: 1 = foreground scribbles, 2 = background scribbles",
    )
    parser.add_argument(
        "--initial",
        metavar="MASK",
        help="labelmap to correct (values above 0); the automatic segmentation when left out",
    )
    common.add_outputs(parser)
    common.add_model(parser)
    common.add_engine(parser)
    common.add_crf(parser)
    common.add_memory(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Refine once with all scribbles and write the result."""
    began = time.perf_counter()
    session, volume = common.open_session(arguments)
    seeds = volume.read_labels(arguments.seeds)
    unknown = sorted(set(seeds[(seeds < 0) | (seeds > 2)].tolist()))
    if unknown:
        raise InputError(
            f"{arguments.seeds} holds the labels {unknown[:5]}; 1 (foreground) and 2 (background) "
            "are expected."
        )
    initial = None
    if arguments.initial is not None:
        initial = volume.read_labels(arguments.initial) > 0
    segmentation = session.refine(
        foreground=seeds == 1, background=seeds == 2, initial=initial, progress=progress
    )
    result = common.write_outputs(arguments, volume, segmentation)
    return {**result, "seconds": time.perf_counter() - began}


text = common.segmentation_text
