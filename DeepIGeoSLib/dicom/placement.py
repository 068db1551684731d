"""Where the slices of a stack lie: one matrix for all of them, or which of them it fails for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.dicom.slices import Slice
from DeepIGeoSLib.errors import InputError

# How far from where its header says a slice may be put, in voxels. Positions are rounded when they
# are written; a real gap or shift is far larger.
TOLERANCE = 0.02


def placed(slices: Sequence[Slice], name: str) -> tuple[list[Slice], np.ndarray]:
    """Return the slices in order, and the 4 x 4 matrix from (i, j, k, 1) to LPS in mm.

    The third axis is what the positions say: where they move sideways from slice to slice (a
    tilted gantry), it is not perpendicular to the slices.

    Args:
        slices: of one size and orientation, no two of them at the same place.
        name: of the file or folder, for messages.

    Raises:
        InputError: the slices are not evenly spaced along one line, or have no place.
    """
    if slices[0].position is None and slices[0].directions is None and len(slices) == 1:
        row, column = slices[0].spacing
        return list(slices), np.diag([column, row, slices[0].distance, 1.0])
    lacking = [s.name for s in slices if s.position is None or s.directions is None]
    if lacking:
        raise InputError(
            f"{name}: nothing says where {_some(lacking)} lie (ImagePositionPatient or "
            "ImageOrientationPatient is missing); export the series again with complete headers."
        )
    first = slices[0]
    ordered = sorted(slices, key=lambda s: float(s.known_position @ first.normal))
    positions = np.array([s.known_position for s in ordered])
    if len(ordered) == 1:
        step = first.normal * first.distance
    else:
        step = (positions[-1] - positions[0]) / (len(ordered) - 1)
    matrix = np.eye(4)
    row, column = first.spacing
    along_row, along_column = first.known_directions
    matrix[:3, :3] = np.column_stack([along_row * column, along_column * row, step])
    matrix[:3, 3] = positions[0]
    if abs(step @ first.normal) <= TOLERANCE * min(first.spacing):
        raise InputError(
            f"{name}: the slices {ordered[0].name} and {ordered[-1].name} lie in the same plane, "
            "so they form no volume; put the slices of each volume in a folder of their own."
        )
    _check_evenness(ordered, positions, matrix, name)
    return ordered, matrix


def _check_evenness(
    ordered: Sequence[Slice], positions: np.ndarray, matrix: np.ndarray, name: str
) -> None:
    """Compare each slice's position with the matrix, in voxels."""
    steps = np.arange(len(ordered))[:, np.newaxis] * matrix[:3, 2]
    off = np.linalg.solve(matrix[:3, :3], (positions - positions[0] - steps).T).T
    if np.abs(off).max() <= TOLERANCE:
        return
    distances = np.diff(positions @ ordered[0].normal)
    usual = float(np.median(distances))
    uneven = np.flatnonzero(np.abs(distances - usual) > TOLERANCE * usual)
    if uneven.size:
        places = [
            f"{distances[n]:.4g} mm between {ordered[n].name} and {ordered[n + 1].name}"
            for n in uneven
        ]
        raise InputError(
            f"{name}: the slices are not evenly spaced, most are {usual:.4g} mm apart, but it is "
            f"{_some(places)}. Add the slices that are missing, or resample the series to one "
            "distance (in Slicer: load it and save the volume)."
        )
    worst = int(np.abs(off).max(axis=1).argmax())
    aside = float(np.linalg.norm(matrix[:3, :3] @ off[worst]))
    raise InputError(
        f"{name}: the slices do not lie on one line, {ordered[worst].name} is {aside:.3g} mm off; "
        "resample the series to a regular grid (in Slicer: load it and save the volume)."
    )


def _some(names: Sequence[str], most: int = 4) -> str:
    text = ", ".join(names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"
