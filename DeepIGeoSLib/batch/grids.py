"""Whether the files of a case lie on the same voxels, told from their headers before any work."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.reading import read_grid
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS
from DeepIGeoSLib.grid.lattice import placement


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an image lie: its shape (k, j, i) and the 4 x 4 ijk_to_ras."""

    shape: tuple[int, int, int]
    ijk_to_ras: np.ndarray

    @property
    def voxels(self) -> int:
        """How many there are."""
        return prod(self.shape)


def grid_of(case: BatchCase) -> Grid | None:
    """Return the grid of a case, after a look at whether all its files lie on it.

    Files whose headers don't tell that by themselves are passed over: DICOM, and Slicer's
    segmentations, which may hold a part of the grid.

    Returns:
        None where the image is DICOM.

    Raises:
        InputError: a header can't be read, or a file lies on other voxels than the first image.
    """
    first = _grid_in(case.images[0])
    for path in case.files()[1:]:
        other = _grid_in(path)
        if first is not None and other is not None and not _same(first, other):
            raise InputError(
                f"{path} lies on other voxels than {case.images[0]}: its shape is {other.shape} "
                f"(k, j, i) instead of {first.shape}, or origin, spacing or direction differ."
            )
    return first


def _grid_in(path: Path) -> Grid | None:
    if is_dicom(path) or path.name.lower().endswith(SEGMENTATION_ENDINGS):
        return None
    return Grid(*read_grid(path))


def _same(first: Grid, other: Grid) -> bool:
    place = placement(other.ijk_to_ras, other.shape, first.ijk_to_ras)
    return place is not None and place.covers(other.shape, first.shape)
