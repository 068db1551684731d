"""Several targets in one file: a segment for each where the format has segments, else numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from DeepIGeoSLib.dicom import SegmentationMeaning, is_dicom
from DeepIGeoSLib.dicom.segmentation_writer import ENDING as DICOM_ENDING
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS, NamedMask
from DeepIGeoSLib.targets import Target, colored, label_numbers, masks_of_labels, tags_of
from DeepIGeoSLib.volume import Volume

_NO_COLOR = (255, 255, 255)


def write_masks(
    volume: Volume,
    path: str | Path,
    masks: Sequence[np.ndarray],
    *,
    targets: Sequence[Target],
    meaning: SegmentationMeaning | None = None,
) -> None:
    """Write all targets of one volume.

    A Slicer or DICOM segmentation has a segment for each, which holds all of its voxels; a labelmap
    has numbers, see ``label_numbers``.

    Args:
        volume: whose grid.
        path: the ending chooses the format.
        masks: where each target is: bool, axes (k, j, i).
        targets: in the same order.
        meaning: what a DICOM segmentation says of them.

    Raises:
        InputError: as ``Volume.write_labels``.
    """
    if str(path).lower().endswith((*SEGMENTATION_ENDINGS, DICOM_ENDING)):
        named = [
            NamedMask(target.name, target.color or _NO_COLOR, mask, tags_of(target))
            for target, mask in zip(colored(targets), masks, strict=True)
        ]
        volume.write_segments(path, named, meaning=meaning)
    else:
        volume.write_labels(path, label_numbers(masks, targets))


def read_masks(volume: Volume, path: str | Path, targets: Sequence[Target]) -> list[np.ndarray]:
    """Return where each target is in a file like those of ``write_masks``: bool, axes (k, j, i).

    Args:
        volume: whose grid.
        path: a segmentation with a segment of each target's name, or a labelmap, 1 for the first.
        targets: that are looked for.

    Raises:
        InputError: the file can't be read, or lacks the segment of a target.
    """
    if str(path).lower().endswith(SEGMENTATION_ENDINGS) or is_dicom(Path(path)):
        return [volume.read_labels(path, [target.name]) > 0 for target in targets]
    return masks_of_labels(volume.read_labels(path), targets)


def color_table(targets: Sequence[Target]) -> str:
    """Return names and colors of the numbers in a labelmap, as a color table of 3D Slicer."""
    rows = ["# Color table file, label name red green blue opacity", "0 background 0 0 0 0"]
    for label, target in enumerate(colored(targets), 1):
        red, green, blue = target.color or _NO_COLOR
        rows.append(f"{label} {'_'.join(target.name.split())} {red} {green} {blue} 255")
    return "\n".join(rows) + "\n"
