"""Which array axis points where in the patient, and arrays turned the way networks know them.

A volume may be stored in any of 48 axis orders and directions, and 3D FLAIR is usually acquired
sagittally. Networks learn from axial slices in one direction, so arrays are turned before they see
them (views, no resampling) and results are turned back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.grid.boxes import three

# Networks see the axes (k, j, i) point to superior, posterior, left: rows of this matrix in RAS.
_NETWORK_AXES = np.array([[0.0, 0.0, 1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])

# Slices thicker than this many pixels stay slices: an axial view of them would be a blur.
_THICK = 2.0


@dataclass(frozen=True)
class Orientation:
    """A permutation and flips of the array axes.

    Attributes:
        axes: for each network axis the array axis that becomes it.
        flips: for each network axis whether it is reversed.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @classmethod
    def of(cls, ijk_to_ras: np.ndarray) -> Orientation:
        """Return the orientation that turns a volume as close to the networks' axes as possible.

        Thick slices stay slices, whatever their direction in the patient; only the in-plane axes of
        such volumes are turned.
        """
        columns = np.asarray(ijk_to_ras)[:3, :3][:, ::-1]  # as (k, j, i)
        spacing = np.linalg.norm(columns, axis=0)
        agreement = _NETWORK_AXES @ (columns / spacing)  # network axis x array axis
        thick = int(np.argmax(spacing))
        if spacing[thick] >= _THICK * np.median(spacing):
            # Make the thick axis the slice axis: no other assignment can win then.
            agreement = agreement.copy()
            agreement[0, thick] += 10 * (1 if agreement[0, thick] >= 0 else -1)
        axes = _best_assignment(np.abs(agreement))
        flips = three(bool(agreement[row, axis] < 0) for row, axis in enumerate(axes))
        return cls(axes, flips)

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Return ``array`` (k, j, i) turned to the networks' axes, as a view."""
        return array.transpose(self.axes)[self._slices()]

    def invert(self, array: np.ndarray) -> np.ndarray:
        """Return ``array`` turned back to the volume's axes, as a view."""
        return array[self._slices()].transpose(np.argsort(self.axes))

    def apply_to_box(
        self, box: tuple[slice, slice, slice], shape: tuple[int, int, int]
    ) -> tuple[slice, slice, slice]:
        """Return the slices of ``apply(array)`` that hold a box of an array of the given shape."""
        return three(
            slice(shape[axis] - box[axis].stop, shape[axis] - box[axis].start)
            if flip
            else box[axis]
            for axis, flip in zip(self.axes, self.flips, strict=True)
        )

    def invert_box(
        self, box: tuple[slice, slice, slice], shape: tuple[int, int, int]
    ) -> tuple[slice, slice, slice]:
        """Return the volume's slices of a box on the oriented grid of the given shape."""
        unflipped = [
            slice(n - part.stop, n - part.start) if flip else part
            for part, flip, n in zip(box, self.flips, shape, strict=True)
        ]
        return tuple(unflipped[position] for position in np.argsort(self.axes))

    def apply_to_voxels(self, voxels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        """Return the numbers that voxels of an array get when the array is turned.

        Args:
            voxels: numbers of voxels of the flattened array.
            shape: of that array.

        Returns:
            Sorted numbers of the same voxels of ``apply(array)``, flattened.
        """
        indices = np.unravel_index(voxels, shape)
        turned_shape = tuple(shape[axis] for axis in self.axes)
        turned = tuple(
            n - 1 - indices[axis] if flip else indices[axis]
            for axis, flip, n in zip(self.axes, self.flips, turned_shape, strict=True)
        )
        return np.sort(np.ravel_multi_index(turned, turned_shape))

    def spacing(self, spacing: tuple[float, float, float]) -> tuple[float, float, float]:
        """Return the spacing along the networks' axes of a spacing along the volume's."""
        return three(spacing[axis] for axis in self.axes)

    def _slices(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flip else None) for flip in self.flips)


def _best_assignment(agreement: np.ndarray) -> tuple[int, int, int]:
    """Return for each row the column so that the sum is largest (six permutations to try)."""
    permutations = [(a, b, 3 - a - b) for a in range(3) for b in range(3) if a != b]
    return max(
        permutations, key=lambda p: sum(agreement[row, column] for row, column in enumerate(p))
    )
