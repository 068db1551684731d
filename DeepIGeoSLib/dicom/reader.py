"""Read one volume from DICOM files."""

from __future__ import annotations

import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from DeepIGeoSLib.dicom.headers import damage_named, image_header, image_headers, is_dicom
from DeepIGeoSLib.dicom.pixels import values_of
from DeepIGeoSLib.dicom.placement import placed
from DeepIGeoSLib.dicom.slices import Slice, slices_of
from DeepIGeoSLib.dicom.stacks import chosen_stack, chosen_volume, stacks_of
from DeepIGeoSLib.errors import InputError

__all__ = ["find_slices", "is_dicom", "read_dicom"]

# DICOM places voxels in LPS (left, posterior, superior), Slicer in RAS.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def read_dicom(
    path: Path, *, series: str | int | None = None, frame: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Read a folder of slices or of enhanced files, or one file.

    Args:
        path: folder or file; of a folder, its own files, not those of folders in it.
        series: which series, where there are several: its number in the list that the error gives
            (from 1), its UID, or its description.
        frame: which volume, where several lie at the same place (time points, echoes, ...); from 0.

    Returns:
        float32 values, axes (k, j, i), and the 4 x 4 ijk_to_ras in mm. k grows along the normal of
        the slices; the matrix is sheared where the headers say so.

    Raises:
        InputError: a file is damaged, the slices form no volume, or several volumes are there and
            none is chosen.
    """
    with _tolerant(path):
        ordered, matrix = _ordered_slices(path, series, frame)
        return values_of(ordered, str(path)), _LPS_TO_RAS @ matrix


def find_slices(
    path: Path, *, series: str | int | None = None, frame: int | None = None
) -> tuple[list[Slice], np.ndarray]:
    """Return the slices of the volume that ``read_dicom`` reads, k by k, and its ijk_to_ras.

    Raises:
        InputError: as ``read_dicom``.
    """
    with _tolerant(path):
        ordered, matrix = _ordered_slices(path, series, frame)
        return ordered, _LPS_TO_RAS @ matrix


def _ordered_slices(
    path: Path, series: str | int | None, frame: int | None
) -> tuple[list[Slice], np.ndarray]:
    """Return the slices in order, and the 4 x 4 matrix from (i, j, k, 1) to LPS in mm."""
    name = str(path)
    if path.is_dir():
        headers = image_headers(path)
    else:
        header = image_header(path)
        if header is None:
            raise InputError(f"{path} is DICOM, but no image.")
        headers = [(path, header)]
    slices = []
    for file, header in headers:
        with damage_named(file):
            slices += slices_of(file, header)
    stack = chosen_stack(stacks_of(slices), series, name)
    return placed(chosen_volume(stack, frame, name), name)


@contextmanager
def _tolerant(path: Path) -> Generator[None, None, None]:
    """Have pydicom, silent about all that it tolerates; what matters to a volume is checked here.

    Raises:
        InputError: pydicom is missing.
    """
    try:
        import pydicom.pixels  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"Reading {path} needs the package pydicom, 3.0 or later (pip install pydicom)."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield
