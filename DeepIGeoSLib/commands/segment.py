"""Segment an image automatically (P-Net)."""

from __future__ import annotations

import argparse
import time

from DeepIGeoSLib.commands import common, objects, targets
from DeepIGeoSLib.commands.targets import (
    add_target,
    check_color_table,
    check_one_target,
    write_targets,
)
from DeepIGeoSLib.errors import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common.add_image(parser)
    common.add_outputs(parser)
    add_target(
        parser,
        "of a bundle with several targets, write this one alone (1 = target); all of them, 1 for "
        "the first, 2 for the second, ..., when left out",
    )
    common.add_model(parser)
    common.add_engine(parser)
    common.add_crf(parser)
    common.add_memory(parser)
    objects.add_arguments(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Propose a segmentation, or find objects, and write it."""
    from DeepIGeoSLib.bundles.meaning import meaning_of

    began = time.perf_counter()
    objects.check_arguments(arguments)
    if arguments.instances:
        return {**objects.run(arguments, progress), "seconds": time.perf_counter() - began}
    check_color_table(arguments)
    session, volume, bundle = common.open_session(arguments)
    meaning = meaning_of(bundle, automatic=True, target=arguments.target or "")
    if len(session.targets) > 1 and not arguments.target:
        check_one_target(arguments, session)
        proposals = session.propose_all(progress=progress)
        masks = [proposals[name].labels > 0 for name in session.targets]
        result = write_targets(arguments, volume, session, masks=masks, meaning=meaning)
    else:
        segmentation = session.propose(progress=progress)
        result = common.write_outputs(arguments, volume, segmentation, meaning=meaning)
    return {**result, "seconds": time.perf_counter() - began}


def text(result: dict) -> str:
    """Return what the user reads."""
    return objects.text(result) if "objects" in result else targets.text(result)
