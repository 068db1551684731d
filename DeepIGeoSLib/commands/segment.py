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
    began = time.perf_counter()
    session, volume = common.open_session(arguments)
    segmentation = session.propose(progress=progress)
    result = common.write_outputs(arguments, volume, segmentation)
    return {**result, "seconds": time.perf_counter() - began}


text = common.segmentation_text
