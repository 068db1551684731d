"""Several targets on the command line: which one is meant, and the files that hold them all."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, cast

from DeepIGeoSLib.commands.common import segmentation_text, voxel_milliliters
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import check_output_file, same_file, written_in_one_step

if TYPE_CHECKING:
    import numpy as np

    from DeepIGeoSLib.dicom import SegmentationMeaning
    from DeepIGeoSLib.interaction.segmentation import Segmentation
    from DeepIGeoSLib.interaction.session import InteractiveSession
    from DeepIGeoSLib.volume import Volume


def add_target(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the choice of one target, and the color table."""
    parser.add_argument("--target", metavar="NAME", help=what)
    parser.add_argument(
        "--color-table",
        metavar="FILE",
        help="also write names and colors of the labels as a color table of 3D Slicer (.ctbl), for "
        "formats that keep numbers alone; a .seg.nrrd holds both itself",
    )


def check_color_table(arguments: argparse.Namespace) -> None:
    """Check that the color table can be written, and replaces nothing that is read or written.

    Raises:
        InputError: it can't, or it does.
    """
    if not arguments.color_table:
        return
    check_output_file(arguments.color_table)
    outputs = (arguments.output, arguments.probability, arguments.uncertainty)
    for other in (*arguments.image, *outputs):
        if other and same_file(arguments.color_table, other):
            raise InputError(f"--color-table would replace {other}; give it another name.")


def check_one_target(arguments: argparse.Namespace, session: InteractiveSession) -> None:
    """Check that maps are asked for of one target only.

    Raises:
        InputError: there are several, and a probability or an uncertainty is to be written.
    """
    for option in ("probability", "uncertainty"):
        if getattr(arguments, option):
            raise InputError(
                f"--{option} is that of one target; name it by --target: "
                f"{', '.join(session.targets)}."
            )


def write_targets(
    arguments: argparse.Namespace,
    volume: Volume,
    session: InteractiveSession,
    *,
    masks: list[np.ndarray],
    meaning: SegmentationMeaning,
) -> dict:
    """Write all targets into the output; return what the command reports.

    Args:
        arguments: with the output and the color table.
        volume: whose grid.
        session: of a bundle with several targets.
        masks: where each target is: bool, axes (k, j, i).
        meaning: what a DICOM segmentation says of them.
    """
    from DeepIGeoSLib.interaction.target_files import color_table, write_masks

    targets = session.bundle.manifest.targets
    write_masks(volume, arguments.output, masks, targets=targets, meaning=meaning)
    if arguments.color_table:
        with written_in_one_step(Path(arguments.color_table)) as path:
            path.write_text(color_table(targets), encoding="utf-8")
    milliliters = voxel_milliliters(volume.spacing)
    counts = [int(mask.sum()) for mask in masks]
    return {
        "output": arguments.output,
        "targets": [
            {
                "name": target.name,
                "label": label,
                "voxels": count,
                "milliliters": round(count * milliliters, 3),
            }
            for label, (target, count) in enumerate(zip(targets, counts, strict=True), 1)
        ],
    }


def restore_targets(session: InteractiveSession, volume: Volume, path: str) -> None:
    """Begin with what an earlier command has written for all targets.

    Args:
        session: of a bundle with several targets; its volume is set.
        volume: whose grid.
        path: a Slicer segmentation with a segment for each target, or a labelmap, 1 for the first.

    Raises:
        InputError: the file can't be read, or lacks the segment of a target.
    """
    from DeepIGeoSLib.interaction.scribbles import Interactions
    from DeepIGeoSLib.interaction.target_files import read_masks

    targets, chosen = session.bundle.manifest.targets, session.target
    for target, mask in zip(targets, read_masks(volume, path, targets), strict=True):
        session.target = target.name
        session.restore(mask, Interactions(volume.shape))
    session.target = chosen


def current_masks(session: InteractiveSession) -> list[np.ndarray]:
    """Return where each target is after a round: bool, axes (k, j, i)."""
    masks, chosen = [], session.target
    for name in session.targets:
        session.target = name
        masks.append(cast("Segmentation", session.current).labels > 0)
    session.target = chosen
    return masks


def text(result: dict) -> str:
    """Return what the user reads after one target or several were segmented."""
    if "targets" not in result:
        return segmentation_text(result)
    rows = (
        f"  {row['label']}  {row['name']}: {row['voxels']} voxels, {row['milliliters']:.1f} ml"
        for row in result["targets"]
    )
    return "\n".join([f"{result['output']} ({result['seconds']:.1f} s)", *rows])
