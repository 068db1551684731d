"""Train P-Net, R-Net or their CRF as a configuration file says."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.allocator import keep_more_freed_memory
from DeepIGeoSLib.errors import InputError, Progress

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import Bundle
    from DeepIGeoSLib.training.settings import TrainingSettings

_DONE, _BAD_INPUT = 0, 2

# Takes minutes to days: progress is shown in logs and as events, too.
LONG = True

# Given in the place of a configuration: pretrain a CRF-Net with every setting at its default.
_CRF_PRETRAIN = "crf-pretrain"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "config",
        nargs="?",
        metavar="CONFIG",
        help="JSON or YAML configuration; a run that was stopped goes on when the command is "
        f"given again. {_CRF_PRETRAIN} instead pretrains a CRF with the default settings, below "
        "the folder runs of the current folder",
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="BUNDLE",
        help="fine-tune the networks of a bundle (a shipped one's name, or a folder), and write a "
        "new bundle",
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
        help="print a commented configuration (YAML) to start from, for pnet, rnet, both or crf",
    )
    chosen.add_argument(
        "--bundle-only",
        action="store_true",
        help="write the bundle of the best weights so far, without training on",
    )


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Train, and write a bundle when the configuration describes one."""
    from DeepIGeoSLib.training.examples import config_template

    if arguments.print_config is not None:
        return {"config": config_template(arguments.print_config)}
    if arguments.config is None:
        raise InputError("Give a CONFIG; --print-config pnet prints one to start from.")
    keep_more_freed_memory()
    if arguments.config != _CRF_PRETRAIN and _is_for_any_structure(arguments.config):
        return _any_structure(arguments, progress)
    settings, source = _settings(arguments)
    base = Path.cwd()
    if arguments.config != _CRF_PRETRAIN:
        base = Path(arguments.config).resolve().parent
    folder = (base / settings.output).resolve()
    if arguments.check:
        from DeepIGeoSLib.data import check_data

        folder.mkdir(parents=True, exist_ok=True)
        report = check_data(settings.data, base, progress)
        return {**report.mapping(), "report": str(report.write(folder)), "text": report.text()}
    from DeepIGeoSLib.training.run import train, write_trained_bundle

    if arguments.bundle_only:
        bundle = write_trained_bundle(settings, base, progress, bundle=source)
    else:
        bundle = train(settings, base, progress, bundle=source)
    return {
        "task": settings.task,
        "folder": str(folder),
        "bundle": None if bundle is None else str(bundle),
    }


def _is_for_any_structure(config: str) -> bool:
    from DeepIGeoSLib.networks import ANY_STRUCTURE
    from DeepIGeoSLib.settings import read_mapping

    mapping = read_mapping(config)
    return isinstance(mapping, dict) and mapping.get("task") == ANY_STRUCTURE


def _any_structure(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Train the network for any structure, and write its bundle."""
    from DeepIGeoSLib.training.any_structure.export import write_any_structure_bundle
    from DeepIGeoSLib.training.any_structure.run import train_any_structure
    from DeepIGeoSLib.training.any_structure.settings import read_any_structure_config

    if arguments.source is not None or arguments.check:
        raise InputError("--from and --check have no meaning for the task any-structure.")
    settings = read_any_structure_config(arguments.config)
    base = Path(arguments.config).resolve().parent
    folder = (base / settings.output).resolve()
    if not arguments.bundle_only:
        train_any_structure(settings, base, progress)
    bundle = None
    if settings.bundle is not None:
        target = folder / settings.bundle.name
        bundle = str(write_any_structure_bundle(settings, base, target, progress=progress))
    return {"task": settings.task, "folder": str(folder), "bundle": bundle}


def _settings(arguments: argparse.Namespace) -> tuple[TrainingSettings, Bundle | None]:
    """Return the configuration, and the bundle to fine-tune if there is one."""
    from DeepIGeoSLib.training.config import read_config

    if arguments.config == _CRF_PRETRAIN:
        return _crf_pretraining(arguments), None
    if arguments.source is None:
        return read_config(arguments.config), None
    from DeepIGeoSLib.bundles import load_bundle
    from DeepIGeoSLib.training.fine_tuning import read_fine_tuning_config

    bundle = load_bundle(arguments.source)
    return read_fine_tuning_config(arguments.config, bundle), bundle


def _crf_pretraining(arguments: argparse.Namespace) -> TrainingSettings:
    from DeepIGeoSLib.training.examples import example

    given = {
        "--from": arguments.source is not None,
        "--check": arguments.check,
        "--bundle-only": arguments.bundle_only,
    }
    if any(given.values()):
        option = next(name for name, is_given in given.items() if is_given)
        raise InputError(f"{option} has no meaning for {_CRF_PRETRAIN}, which needs no data.")
    return example("crf")


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
