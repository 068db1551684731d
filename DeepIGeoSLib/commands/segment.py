"""Segment an image automatically (P-Net)."""

from __future__ import annotations

import argparse
import time

from DeepIGeoSLib.commands import common
from DeepIGeoSLib.errors import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    common.add_image(parser)
    common.add_outputs(parser)
    common.add_model(parser)
    common.add_engine(parser)
    common.add_crf(parser)
    common.add_memory(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Propose a segmentation and write it."""
    from DeepIGeoSLib.bundles.meaning import meaning_of

    began = time.perf_counter()
    session, volume, bundle = common.open_session(arguments)
    segmentation = session.propose(progress=progress)
    meaning = meaning_of(bundle, automatic=True)
    result = common.write_outputs(arguments, volume, segmentation, meaning=meaning)
    return {**result, "seconds": time.perf_counter() - began}


text = common.segmentation_text
