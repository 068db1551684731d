"""Show the main job on a sample volume: segment, take strokes, refine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.commands.common import add_model
from DeepIGeoSLib.commands.outputs import check_folder
from DeepIGeoSLib.errors import Progress

if TYPE_CHECKING:
    from DeepIGeoSLib.samples import Sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "image",
        nargs="?",
        metavar="IMAGE",
        help="your own volume; else a public case (asked before it is downloaded), else a phantom",
    )
    parser.add_argument("--truth", help="true labelmap of IMAGE: the robot user draws the strokes")
    parser.add_argument(
        "--seeds", help="strokes for IMAGE as a labelmap: 1 = foreground, 2 = background"
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--phantom", action="store_true", help="take the phantom without asking")
    choice.add_argument("--download", action="store_true", help="download without asking")
    parser.add_argument(
        "-o",
        "--output",
        default="demo-output",
        metavar="FOLDER",
        help="folder for labelmaps and picture (default: %(default)s)",
    )
    add_model(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Run the main job and write its results."""
    from DeepIGeoSLib import InteractiveSession, load_bundle
    from DeepIGeoSLib.demo import DEMO_FILES, run_demo, write_demo

    inputs = [arguments.image, arguments.truth, arguments.seeds]
    check_folder(arguments.output, DEMO_FILES, inputs)
    session = InteractiveSession(load_bundle(arguments.bundle), device=arguments.device)
    sample = _sample(arguments)
    result = run_demo(session, sample, progress)
    files = write_demo(result, sample, Path(arguments.output))
    return {
        "sample": sample.volume.name,
        "dice": result.dice,
        "voxels": [int(s.labels.sum()) for s in (result.initial, result.refined)],
        "files": [str(path) for path in files],
    }


def text(result: dict) -> str:
    """Return what the user reads."""
    before, after = result["voxels"]
    lines = [f"Sample: {result['sample']}"]
    if result["dice"]:
        lines.append(f"Dice before refinement: {result['dice'][0]:.3f}")
        lines.append(
            f"Dice after refinement:  {result['dice'][-1]:.3f} ({len(result['dice']) - 1} strokes)"
        )
    else:
        lines.append("The truth of this case is not known, so there is no Dice to print.")
    lines.append(f"Voxels before and after: {before}, {after}")
    return "\n".join([*lines, *(f"Wrote {path}" for path in result["files"])])


def _sample(arguments: argparse.Namespace) -> Sample:
    from DeepIGeoSLib import samples

    if arguments.image is not None:
        return samples.own_sample(arguments.image, arguments.truth, arguments.seeds)
    if arguments.phantom:
        return samples.phantom_sample()
    case = samples.TCGA_FG_6692
    path = samples.local_copy(case)
    if path is None and (arguments.download or _wants_download(case)):
        path = samples.download(case)
    return samples.phantom_sample() if path is None else samples.public_sample(case, path)


def _wants_download(case) -> bool:
    """Ask; without a terminal the answer is no."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    sys.stderr.write(
        f"The public case {case.name} ({case.megabytes} MB, {case.license})\n"
        f"  {case.url}\n  SHA-256 {case.sha256}\n"
        "can be downloaded for this demonstration; otherwise a phantom is used. Download? [y/N] "
    )
    return input().strip().lower() in ("y", "yes")
