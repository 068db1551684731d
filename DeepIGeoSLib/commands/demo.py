"""Show the main job on a sample: segment, take strokes, refine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.commands.common import add_device
from DeepIGeoSLib.commands.outputs import check_folder
from DeepIGeoSLib.errors import InputError, Progress

if TYPE_CHECKING:
    from DeepIGeoSLib.samples.sample import Sample


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "image",
        nargs="?",
        metavar="IMAGE",
        help="your own volume (default: a hippocampus in T1 that experts outlined, CC BY-SA 4.0)",
    )
    parser.add_argument("--truth", help="true labelmap of IMAGE: the robot user draws the strokes")
    parser.add_argument(
        "--seeds", help="strokes for IMAGE as a labelmap: 1 = foreground, 2 = background"
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--phantom", action="store_true", help="a computed head with a lesion")
    choice.add_argument(
        "--download",
        action="store_true",
        help="a glioma in FLAIR (TCGA-FG-6692, 1.5 MB, CC BY 3.0), downloaded once",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="demo-output",
        metavar="FOLDER",
        help="folder for labelmaps and picture (default: %(default)s)",
    )
    parser.add_argument(
        "--bundle",
        help="name of a shipped model bundle, or a bundle's folder (default: the one made for the "
        "sample; flair-whole-tumor for IMAGE)",
    )
    add_device(parser)


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Run the main job and write its results."""
    from DeepIGeoSLib import InteractiveSession, load_bundle
    from DeepIGeoSLib.commands.demonstration import DEMO_FILES, run_demo, write_demo

    inputs = [arguments.image, arguments.truth, arguments.seeds]
    check_folder(arguments.output, DEMO_FILES, inputs)
    sample = _sample(arguments, progress)
    bundle = load_bundle(arguments.bundle or sample.bundle)
    session = InteractiveSession(bundle, device=arguments.device)
    result = run_demo(session, sample, progress)
    files = write_demo(result, sample, Path(arguments.output))
    return {
        "sample": sample.volume.name if arguments.image else sample.title,
        "bundle": bundle.manifest.name,
        "dice": result.dice,
        "voxels": [int(s.labels.sum()) for s in (result.initial, result.refined)],
        "files": [str(path) for path in files],
    }


def text(result: dict) -> str:
    """Return what the user reads."""
    before, after = result["voxels"]
    lines = [f"Sample: {result['sample']} (model {result['bundle']})"]
    if result["dice"]:
        lines.append(f"Dice before refinement: {result['dice'][0]:.3f}")
        lines.append(
            f"Dice after refinement:  {result['dice'][-1]:.3f} ({len(result['dice']) - 1} strokes)"
        )
    else:
        lines.append("The truth of this case is not known, so there is no Dice to print.")
    lines.append(f"Voxels before and after: {before}, {after}")
    return "\n".join([*lines, *(f"Wrote {path}" for path in result["files"])])


def _sample(arguments: argparse.Namespace, progress: Progress) -> Sample:
    from DeepIGeoSLib.samples import public_case, sample

    if arguments.image is not None:
        if arguments.phantom or arguments.download:
            raise InputError("Give IMAGE, --phantom or --download, not two of them.")
        return sample.own_sample(arguments.image, arguments.truth, arguments.seeds)
    if arguments.truth is not None or arguments.seeds is not None:
        raise InputError("--truth and --seeds belong to an IMAGE; none is given.")
    if arguments.phantom:
        return sample.phantom_sample()
    if arguments.download:
        progress(0.0, "Fetching the public case")
        return sample.public_sample(public_case.TCGA_FG_6692)
    return sample.hippocampus_sample()
