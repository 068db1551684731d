"""Train P-Net or R-Net as a configuration file says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "config",
        metavar="CONFIG",
        help="JSON configuration; a run that was stopped goes on when the command is given again",
    )
    parser.add_argument(
        "--bundle-only",
        action="store_true",
        help="write the bundle of the best weights so far, without training on",
    )


def run(arguments: argparse.Namespace, progress: Callable[[float, str], None]) -> dict:
    """Train, and write a bundle when the configuration describes one."""
    from DeepIGeoSLib.training.config import read_config
    from DeepIGeoSLib.training.run import train, write_trained_bundle

    settings = read_config(arguments.config)
    base = Path(arguments.config).resolve().parent
    folder = (base / settings.output).resolve()
    if arguments.bundle_only:
        bundle = write_trained_bundle(settings, base, progress)
    else:
        bundle = train(settings, base, progress)
    return {
        "task": settings.task,
        "folder": str(folder),
        "bundle": None if bundle is None else str(bundle),
    }


def text(result: dict) -> str:
    """Return what the user reads."""
    written = f"Trained {result['task']}: {result['folder']}"
    return written if result["bundle"] is None else f"{written}\nBundle: {result['bundle']}"
