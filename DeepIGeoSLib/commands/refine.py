"""Correct a segmentation by scribbles, clicks or a box."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from DeepIGeoSLib.commands import common, targets
from DeepIGeoSLib.commands.marks import add_marks, chosen_box, clicked_places, marks_files
from DeepIGeoSLib.commands.targets import (
    add_target,
    check_color_table,
    check_one_target,
    current_masks,
    restore_targets,
    write_targets,
)
from DeepIGeoSLib.errors import InputError, Progress

if TYPE_CHECKING:
    import numpy as np

    from DeepIGeoSLib.interaction.session import InteractiveSession
    from DeepIGeoSLib.volume import Volume


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common.add_image(parser)
    parser.add_argument(
        "--seeds",
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
    parser.add_argument(
        "--outlines",
        action="store_true",
        help="a closed foreground scribble in a slice counts as its area, unless it follows a "
        "structure that looks different from what it encloses",
    )
    add_marks(parser)
    common.add_outputs(parser)
    add_target(
        parser,
        "of a bundle with several targets, the one that the scribbles correct; MASK and OUT hold "
        "all of them then, as 'segment' writes them",
    )
    parser.add_argument(
        "--neighbors",
        choices=("keep", "give-way", "overlap"),
        default="keep",
        help="voxels of the other targets: they stay, but those that foreground scribbles mark; "
        "they give way to the corrected target; or both may hold them (default: %(default)s)",
    )
    common.add_model(parser)
    common.add_engine(parser)
    common.add_crf(parser)
    common.add_memory(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Refine once with all scribbles, clicks and the box, and write the result."""
    from DeepIGeoSLib.bundles.meaning import meaning_of

    began = time.perf_counter()
    if not (arguments.seeds or arguments.box or arguments.click or arguments.background_click):
        raise InputError("Nothing is marked: give --seeds, --click, --background-click or --box.")
    check_color_table(arguments)
    files = [arguments.seeds, arguments.initial, *marks_files(arguments)]
    session, volume, bundle = common.open_session(arguments, files)
    foreground, background = _strokes(arguments, volume)
    initial = None
    several = len(session.targets) > 1
    if several:
        _check_targets(arguments, session)
    if several and arguments.initial is not None:
        restore_targets(session, volume, arguments.initial)
    elif arguments.initial is not None:
        initial = volume.read_labels(arguments.initial, arguments.initial_segment) > 0
    segmentation = session.refine(
        foreground=foreground,
        background=background,
        initial=initial,
        progress=progress,
        box=None if arguments.box is None else chosen_box(arguments.box, volume),
        neighbors=arguments.neighbors.replace("-", " "),
    )
    meaning = meaning_of(bundle, automatic=False)
    if several:
        masks = current_masks(session)
        result = write_targets(arguments, volume, session, masks=masks, meaning=meaning)
    else:
        result = common.write_outputs(arguments, volume, segmentation, meaning=meaning)
    return {**result, "seconds": time.perf_counter() - began}


def _check_targets(arguments: argparse.Namespace, session: InteractiveSession) -> None:
    names = ", ".join(session.targets)
    if not arguments.target:
        raise InputError(f"Name what the scribbles correct by --target: {names}.")
    if arguments.initial_segment:
        raise InputError(f"--initial-segment is not needed: MASK has a segment each for {names}.")
    check_one_target(arguments, session)


def _strokes(arguments: argparse.Namespace, volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return foreground and background of the seeds and the clicks: bool, axes (k, j, i).

    A click's ball gives way to scribbles, and to other clicks' middles.
    """
    import numpy as np

    from DeepIGeoSLib.interaction.clicks import clicked
    from DeepIGeoSLib.interaction.outlines import outlined
    from DeepIGeoSLib.interaction.seed_files import read_seeds

    strokes = [np.zeros(volume.shape, dtype=bool) for _ in range(2)]
    if arguments.seeds is not None:
        strokes = list(
            read_seeds(
                volume,
                arguments.seeds,
                foreground=arguments.foreground,
                background=arguments.background,
            )
        )
    if arguments.outlines:
        strokes[0] = outlined(strokes[0], volume.array) & ~strokes[1]
    given = (("--click", arguments.click), ("--background-click", arguments.background_click))
    places = [clicked_places(texts, volume, option) for option, texts in given]
    balls = [clicked(volume.shape, volume.spacing, some) for some in places]
    taken = strokes[0] | strokes[1] | (balls[0] & balls[1])
    marks = [stroke | (ball & ~taken) for stroke, ball in zip(strokes, balls, strict=True)]
    for mark, other, some in zip(marks, marks[::-1], places, strict=True):
        for place in some:
            mark[place] = not other[place]
    return marks[0], marks[1]


text = targets.text
