"""Clicks and boxes on the command line: voxels, or Slicer's markups files."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import three

if TYPE_CHECKING:
    from DeepIGeoSLib.grid.boxes import Box
    from DeepIGeoSLib.volume import Volume

# Voxels of the grid around a box: centers that lie this near to a face count as inside.
_NEAR = 1e-3


def add_marks(parser: argparse.ArgumentParser) -> None:
    """Add clicks and a box."""
    for name, words in (("click", "in the target"), ("background-click", "beside it")):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="K,J,I",
            help=f"a place {words}: a voxel, counted from 0, or the points of a markups file of "
            "Slicer (.mrk.json); may be given several times",
        )
    parser.add_argument(
        "--box",
        metavar="K:K,J:J,I:I",
        help="a box around the target: first voxel and the one behind the last of each axis, or "
        "the ROI of a markups file of Slicer (.mrk.json)",
    )


def marks_files(arguments: argparse.Namespace) -> list[str]:
    """Return the markups files that were given."""
    given = [*arguments.click, *arguments.background_click, arguments.box or ""]
    return [text for text in given if _is_file(text)]


def clicked_places(texts: Sequence[str], volume: Volume, option: str) -> list[tuple[int, int, int]]:
    """Return the voxels (k, j, i) of clicks.

    Raises:
        InputError: a text is neither a place nor a markups file.
    """
    places: list[tuple[int, int, int]] = []
    for text in texts:
        if _is_file(text):
            from DeepIGeoSLib.formats.markups import read_points

            voxels = np.rint(_voxels_at(volume, read_points(text))).astype(int)
            places += [three(int(index) for index in voxel) for voxel in voxels]
        elif re.fullmatch(r"\s*-?\d+\s*(,\s*-?\d+\s*){2}", text):
            places.append(three(int(index) for index in text.split(",")))
        else:
            raise InputError(
                f"{option} is {text!r}; a voxel such as 12,80,95 (k,j,i) or a markups file "
                "(.mrk.json) is expected."
            )
    return places


def chosen_box(text: str, volume: Volume) -> Box:
    """Return the slices (k, j, i) of a box.

    Raises:
        InputError: the text is neither a box nor a markups file.
    """
    if _is_file(text):
        from DeepIGeoSLib.formats.markups import read_roi

        corners = _voxels_at(volume, read_roi(text))
        low = np.ceil(corners.min(axis=0) - _NEAR).astype(int)
        high = np.floor(corners.max(axis=0) + _NEAR).astype(int)
        return three(slice(int(a), int(b) + 1) for a, b in zip(low, high, strict=True))
    parts = [part.split(":") for part in text.split(",")]
    try:
        box = tuple(slice(int(first), int(last)) for first, last in parts)
    except ValueError:
        box = ()
    if len(box) != 3:
        raise InputError(
            f"--box is {text!r}; a box such as 5:20,60:110,40:95 (k,j,i) or a markups file "
            "(.mrk.json) is expected."
        )
    return box


def _is_file(text: str) -> bool:
    return text.endswith(".json")


def _voxels_at(volume: Volume, positions: np.ndarray) -> np.ndarray:
    """Return the places (k, j, i) of RAS positions on the volume's grid."""
    to_ijk = np.linalg.inv(volume.ijk_to_ras)
    return (positions @ to_ijk[:3, :3].T + to_ijk[:3, 3])[:, ::-1]
