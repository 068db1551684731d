"""Correct a segmentation by scribbles (R-Net)."""

from __future__ import annotations

import argparse
import time

from DeepIGeoSLib.commands import common
from DeepIGeoSLib.errors import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common.add_image(parser)
    parser.add_argument(
        "--seeds",
        required=True,
        metavar="SEEDS",
        help="labelmap on the image's grid: 1 = foreground scribbles, 2 = background scribbles; or "
        "a Slicer segmentation (.seg.nrrd)",
    )
    parser.add_argument(
        "--foreground",
        metavar="SEGMENT",
        help="segment of SEEDS with the foreground scribbles (default: the one called foreground)",
    )
    parser.add_argument(
        "--background",
        metavar="SEGMENT",
        help="segment of SEEDS with the background scribbles (default: the one called background)",
    )
    parser.add_argument(
        "--initial",
        metavar="MASK",
        help="labelmap (values above 0) or Slicer segmentation to correct; the automatic "
        "segmentation when left out",
    )
    parser.add_argument(
        "--initial-segment",
        action="append",
        default=[],
        metavar="SEGMENT",
        help="segment of MASK to correct; may be given several times (default: all of them)",
    )
    common.add_outputs(parser)
    common.add_model(parser)
    common.add_engine(parser)
    common.add_crf(parser)
    common.add_memory(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Refine once with all scribbles and write the result."""
    from DeepIGeoSLib.interaction.seed_files import read_seeds

    began = time.perf_counter()
    session, volume = common.open_session(arguments, [arguments.seeds, arguments.initial])
    foreground, background = read_seeds(
        volume, arguments.seeds, arguments.foreground, arguments.background
    )
    initial = None
    if arguments.initial is not None:
        initial = volume.read_labels(arguments.initial, arguments.initial_segment) > 0
    segmentation = session.refine(
        foreground=foreground, background=background, initial=initial, progress=progress
    )
    result = common.write_outputs(arguments, volume, segmentation)
    return {**result, "seconds": time.perf_counter() - began}


text = common.segmentation_text
