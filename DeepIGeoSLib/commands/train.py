"""Train P-Net, R-Net or their CRF as a configuration file says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from DeepIGeoSLib.errors import InputError

_DONE, _BAD_INPUT = 0, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="JSON or YAML configuration; a run that was stopped goes on when the command is "
        "given again",
    )
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--check",
        action="store_true",
        help="only look at the data and write a report on them into the run's folder",
    )
    chosen.add_argument(
        "--print-config",
        metavar="TASK",
        help="print a commented configuration (YAML) to start from, for pnet, rnet or crf",
    )
    chosen.add_argument(
        "--bundle-only",
        action="store_true",
        help="write the bundle of the best weights so far, without training on",
    )


def run(arguments: argparse.Namespace, progress: Callable[[float, str], None]) -> dict:
    """Train, and write a bundle when the configuration describes one."""
    from DeepIGeoSLib.training.config import read_config
    from DeepIGeoSLib.training.examples import config_template

    if arguments.print_config is not None:
        return {"config": config_template(arguments.print_config)}
    if arguments.config is None:
        raise InputError("Give a CONFIG; --print-config pnet prints one to start from.")
    settings = read_config(arguments.config)
    base = Path(arguments.config).resolve().parent
    folder = (base / settings.output).resolve()
    if arguments.check:
        from DeepIGeoSLib.data import check_data

        folder.mkdir(parents=True, exist_ok=True)
        report = check_data(settings.data, base, progress)
        return {**report.mapping(), "report": str(report.write(folder)), "text": report.text()}
    from DeepIGeoSLib.training.run import train, write_trained_bundle

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
    if "config" in result:
        return result["config"].rstrip()
    if "report" in result:
        return f"{result['text']}\nReport: {result['report']}"
    written = f"Trained {result['task']}: {result['folder']}"
    return written if result["bundle"] is None else f"{written}\nBundle: {result['bundle']}"


def exit_code(result: dict) -> int:
    """Return 2 when the data that were checked can't be trained on."""
    return _DONE if result.get("usable", True) else _BAD_INPUT
