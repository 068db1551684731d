"""List the model bundles, or show one."""

from __future__ import annotations

import argparse
from collections.abc import Callable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "bundle", nargs="?", metavar="BUNDLE", help="name or folder of the bundle to show"
    )


def run(arguments: argparse.Namespace, progress: Callable[[float, str], None]) -> dict:
    """Check the bundles' hashes and return their manifests."""
    from DeepIGeoSLib import list_bundles, load_bundle
    from DeepIGeoSLib.settings import to_mapping

    names = list_bundles() if arguments.bundle is None else [arguments.bundle]
    return {
        "bundles": [to_mapping(load_bundle(name).manifest) for name in names],
        "detailed": arguments.bundle is not None,
    }


def text(result: dict) -> str:
    """Return a line for each bundle, or all about one."""
    if not result["bundles"]:
        return "No bundle comes with this installation."
    if result["detailed"]:
        return _details(result["bundles"][0])
    return "\n".join(
        f"{m['name']} {m['version']}: {m['task']} in {m['modality']} ({m['license']})"
        for m in result["bundles"]
    )


def _details(manifest: dict) -> str:
    lines = [
        f"{manifest['name']} {manifest['version']}",
        f"  task       {manifest['task']}",
        f"  modality   {manifest['modality']}",
        f"  channels   {', '.join(manifest['channels'])}",
        f"  networks   {manifest['preset']} {manifest['dimension']}D",
        f"  license    {manifest['license']}",
    ]
    for data in manifest["training_data"]:
        lines.append(f"  trained on {data['cases']} cases of {data['name']} ({data['license']})")
    for row in manifest["metrics"]:
        lines.append("  measured   " + ", ".join(f"{key} {value}" for key, value in row.items()))
    return "\n".join(lines)
