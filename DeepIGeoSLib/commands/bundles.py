"""List the model bundles, show one, or give one 8-bit networks (bundles optimize)."""

from __future__ import annotations

import argparse
from pathlib import Path

from DeepIGeoSLib.errors import InputError, Progress

# Given in the place of a bundle's name: give the next bundle 8-bit networks.
_OPTIMIZE = "optimize"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "bundle",
        nargs="*",
        metavar="BUNDLE",
        help="name or folder of the bundle to show; 'optimize BUNDLE' writes a copy of it with "
        "8-bit networks for the engine openvino-int8, if they segment as well",
    )
    parser.add_argument(
        "--data",
        metavar="CONFIG",
        help="for optimize: training configuration whose data section names the cases",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="for optimize: the new folder")


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Check the bundles' hashes and return their manifests, or optimize one."""
    from DeepIGeoSLib import list_bundles, load_bundle
    from DeepIGeoSLib.settings import to_mapping

    names = arguments.bundle
    if names[:1] == [_OPTIMIZE]:
        return _optimized(arguments, progress)
    if len(names) > 1 or arguments.data or arguments.output:
        raise InputError("Give at most one BUNDLE to show; --data and -o belong to optimize.")
    return {
        "bundles": [to_mapping(load_bundle(name).manifest) for name in names or list_bundles()],
        "detailed": bool(names),
    }


def _optimized(arguments: argparse.Namespace, progress: Progress) -> dict:
    from DeepIGeoSLib import load_bundle
    from DeepIGeoSLib.data import find_cases
    from DeepIGeoSLib.evaluation.quantization_check import MOST_LOST, optimize
    from DeepIGeoSLib.training.config import read_config

    if len(arguments.bundle) != 2 or arguments.data is None or arguments.output is None:
        raise InputError("optimize needs one BUNDLE, --data CONFIG and -o OUT.")
    bundle = load_bundle(arguments.bundle[1])
    data, base = read_config(arguments.data).data, Path(arguments.data).resolve().parent
    cases = [find_cases(data, base, use) for use in ("train", "val")]
    done = optimize(bundle, *cases, folder=Path(arguments.output), progress=progress)
    return {
        "output": None if done.folder is None else str(done.folder),
        "cases": done.cases,
        "most_lost": MOST_LOST,
        "dice": list(done.dice),
        "dice_int8": list(done.dice_int8),
    }


def exit_code(result: dict) -> int:
    """Return 1 where an optimization lost too much, else 0."""
    return int("output" in result and result["output"] is None)


def text(result: dict) -> str:
    """Return a line for each bundle, or all about one, or what an optimization came to."""
    if "dice" in result:
        return _optimization(result)
    if not result["bundles"]:
        return "No bundle comes with this installation."
    if result["detailed"]:
        return _details(result["bundles"][0])
    return "\n".join(
        f"{m['name']} {m['version']}: {m['task']} in {m['modality']} ({m['license']})"
        for m in result["bundles"]
    )


def _optimization(result: dict) -> str:
    lines = [
        f"Mean Dice of {result['cases']} cases after each stroke:",
        "  float32 " + " ".join(f"{dice:.4f}" for dice in result["dice"]),
        "  int8    " + " ".join(f"{dice:.4f}" for dice in result["dice_int8"]),
    ]
    if result["output"] is None:
        lines.append(f"More than {result['most_lost']} is lost; nothing was written.")
    else:
        lines.append(f"{result['output']}: use it with --engine openvino-int8.")
    return "\n".join(lines)


def _details(manifest: dict) -> str:
    lines = [
        f"{manifest['name']} {manifest['version']}",
        f"  task       {manifest['task']}",
        f"  modality   {manifest['modality']}",
        f"  channels   {', '.join(manifest['channels'])}",
        *(
            f"  network    {role}: {network['architecture']} {network['dimension']}D"
            for role, network in manifest["networks"].items()
        ),
        *(f"  target     {number}: {t['name']}" for number, t in enumerate(manifest["targets"], 1)),
        f"  license    {manifest['license']}",
    ]
    for data in manifest["training_data"]:
        lines.append(f"  trained on {data['cases']} cases of {data['name']} ({data['license']})")
    for row in manifest["metrics"]:
        lines.append("  measured   " + ", ".join(f"{key} {value}" for key, value in row.items()))
    return "\n".join(lines)
