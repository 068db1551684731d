"""Lattices of voxels in the patient: whether two are the same, however they are stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.grid.boxes import three

# Voxel centers of two grids may lie this share of a voxel apart and still count as the same: files
# keep geometry in single precision or as rounded text, and half a voxel is another place.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Placement:
    """How a stored array lies on the lattice of a reference.

    Attributes:
        axes: for each axis (k, j, i) of the reference the array axis that runs along it.
        flips: for each axis of the reference whether that array axis runs against it.
        offset: voxel (k, j, i) of the reference at which the turned array begins.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    offset: tuple[int, int, int]

    def turned(self, array: np.ndarray) -> np.ndarray:
        """Return the array along the axes of the reference, as a view."""
        steps = tuple(slice(None, None, -1 if flip else None) for flip in self.flips)
        return array.transpose(self.axes)[steps]

    def covers(self, shape: tuple[int, ...], reference_shape: tuple[int, ...]) -> bool:
        """Whether an array of ``shape`` has exactly the reference's voxels."""
        turned = tuple(shape[axis] for axis in self.axes)
        return self.offset == (0, 0, 0) and turned == tuple(reference_shape)

    @property
    def is_identity(self) -> bool:
        """Whether the array is stored in the reference's own order."""
        return self.axes == (0, 1, 2) and not any(self.flips) and self.offset == (0, 0, 0)


def placement(
    matrix: np.ndarray, shape: tuple[int, int, int], reference: np.ndarray
) -> Placement | None:
    """Return how an array lies on a lattice, or None where its voxels lie between the lattice's.

    Args:
        matrix: 4 x 4 ijk_to_ras of the array.
        shape: of the array, (k, j, i).
        reference: 4 x 4 ijk_to_ras of the lattice.
    """
    to_reference = np.linalg.inv(reference) @ matrix
    sizes = np.array(shape[::-1])  # i, j, k, as the matrices count
    turn = _signed_permutation(to_reference[:3, :3], sizes)
    if turn is None:
        return None
    shift = np.rint(to_reference[:3, 3])
    corners = np.stack(np.meshgrid(*[(0, n - 1) for n in sizes], indexing="ij"), -1).reshape(-1, 3)
    drift = corners @ (to_reference[:3, :3] - turn).T + (to_reference[:3, 3] - shift)
    if np.abs(drift).max() > TOLERANCE:
        return None
    source = np.argmax(np.abs(turn), axis=1)  # for each axis of the reference, the array's
    backwards = turn.sum(axis=1) < 0
    first = shift - np.where(backwards, sizes[source] - 1, 0)
    return Placement(
        axes=three(int(2 - axis) for axis in source[::-1]),
        flips=three(bool(flip) for flip in backwards[::-1]),
        offset=three(int(voxel) for voxel in first[::-1]),
    )


def _signed_permutation(matrix: np.ndarray, sizes: np.ndarray) -> np.ndarray | None:
    """Return which axis runs along which, as a matrix of 0, 1 and -1, or None when none does.

    An axis of a single voxel has no direction; it takes what the others leave.
    """
    if not np.isfinite(matrix).all() or np.abs(matrix[:, sizes > 1]).max(initial=0) > 2:
        return None
    turn = np.where(sizes > 1, np.rint(matrix), 0)
    for axis in np.flatnonzero(sizes == 1):
        free = np.where(turn.any(axis=1), -1, np.abs(matrix[:, axis]))
        row = int(np.argmax(free))
        turn[row, axis] = -1 if matrix[row, axis] < 0 else 1
    ones = np.abs(turn)
    return turn if (ones.sum(axis=0) == 1).all() and (ones.sum(axis=1) == 1).all() else None
