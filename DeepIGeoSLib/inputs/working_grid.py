"""A box of a volume on the grid that a network works on, and results brought back exactly.

Networks see a box of the volume on a working grid; everything they return is brought back to the
voxels of that box. A box and a working shape define the mapping completely (``WorkingGrid``), so
the same object serves both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.grid.resampling import resample, resample_part

# Where voxels are so many times as large, or as small, as any that a network was trained for, the
# spacing says nothing of what it sees (a wrong unit, a microscope), and they are taken as they are.
_MOST_UPSAMPLING = 4.0
_MOST_DOWNSAMPLING = 32.0

# Grids finer than the volume's own have at most so many voxels (0.5 GB for each channel).
_MOST_VOXELS = 2**27

# mm: between an atom and what no patient fits into, a voxel can have any size.
_SMALLEST_VOXEL, _LARGEST_VOXEL = 1e-7, 1e3


@dataclass(frozen=True)
class GridSettings:
    """The spacings a network was trained for.

    Attributes:
        minimum: mm along (k, j, i); finer axes are resampled to this.
        maximum: mm along (k, j, i); coarser axes are resampled to this.
        margin: mm of surroundings kept around the tissue.
    """

    minimum: tuple[float, float, float] = (2.0, 0.8, 0.8)
    maximum: tuple[float, float, float] = (8.0, 1.3, 1.3)
    margin: float = 5.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        pairs = zip(self.minimum, self.maximum, strict=True)
        if not all(0 < least <= most for least, most in pairs) or self.margin < 0:
            raise InputError(
                f"minimum is {list(self.minimum)}, maximum {list(self.maximum)} and margin "
                f"{self.margin:g}; spacings above 0 in this order, and a margin of 0 or more are "
                "expected."
            )


def working_spacing(spacing: Sequence[float], settings: GridSettings) -> tuple[float, float, float]:
    """Return the spacing a network works at: the volume's own, within what it was trained for.

    An axis that is far from anything it was trained for keeps its own.

    Raises:
        InputError: the spacing can't be true.
    """
    if not all(_SMALLEST_VOXEL <= s <= _LARGEST_VOXEL for s in spacing):
        raise InputError(
            f"The spacing {', '.join(f'{s:.4g}' for s in spacing)} mm (k, j, i) can't be true: "
            f"{_SMALLEST_VOXEL:g} to {_LARGEST_VOXEL:g} mm are expected. Correct it in the file, "
            "or in Slicer's Volumes module (image spacing)."
        )
    return three(
        min(max(s, low), high) if low / _MOST_DOWNSAMPLING <= s <= high * _MOST_UPSAMPLING else s
        for s, low, high in zip(spacing, settings.minimum, settings.maximum, strict=True)
    )


@dataclass(frozen=True)
class WorkingGrid:
    """A box of a volume and the shape it is resampled to.

    Attributes:
        box: slices (k, j, i) of the volume.
        shape: voxels (k, j, i) of the working grid.
        spacing: mm (k, j, i) between working voxels.
    """

    box: Box
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]

    @classmethod
    def of_box(cls, box: Box, spacing: Sequence[float], settings: GridSettings) -> WorkingGrid:
        """Return the working grid of a box in a volume with the given spacing (mm; k, j, i).

        However large the box, it is made finer by no more than memory allows.

        Raises:
            InputError: the spacing can't be true.
        """
        targets = working_spacing(spacing, settings)
        sizes = [part.stop - part.start for part in box]
        shape = [
            max(1, round(size * own / target))
            for size, own, target in zip(sizes, spacing, targets, strict=True)
        ]
        if prod(shape) > _MOST_VOXELS:
            shape = [min(count, size) for count, size in zip(shape, sizes, strict=True)]
        exact = [own * size / count for own, size, count in zip(spacing, sizes, shape, strict=True)]
        return cls(box=box, shape=three(shape), spacing=three(exact))

    @property
    def box_shape(self) -> tuple[int, int, int]:
        """Voxels (k, j, i) of the box on the volume's grid."""
        return tuple(s.stop - s.start for s in self.box)

    def to_working(self, array: np.ndarray) -> np.ndarray:
        """Resample real values from the voxels of the box to the working grid."""
        return resample(array, self.shape)

    def to_volume(self, array: np.ndarray) -> np.ndarray:
        """Resample real values from the working grid to the voxels of the box."""
        return resample(array, self.box_shape)

    def part_to_volume(self, array: np.ndarray, part: Box) -> np.ndarray:
        """Resample what ``to_volume`` would, in a part of the box alone (slices within it)."""
        return resample_part(array, self.box_shape, part)

    def part_around(self, working: Box, margin: int) -> Box:
        """Return the part of the box (slices within it) that holds working voxels and a margin."""
        return three(
            slice(
                max(0, (own.start - margin) * size // count),
                min(size, -(-(own.stop + margin) * size // count)),
            )
            for own, size, count in zip(working, self.box_shape, self.shape, strict=True)
        )

    def voxels_to_working(self, voxels: np.ndarray) -> np.ndarray:
        """Return the working voxels (n, 3) that hold voxels of the volume, without those outside.

        Args:
            voxels: (n, 3) indices (k, j, i) of the volume.
        """
        starts = np.array([part.start for part in self.box])
        inside = np.all((voxels >= starts) & (voxels < [part.stop for part in self.box]), axis=1)
        ratio = np.array(self.shape) / np.array(self.box_shape)
        return ((voxels[inside] - starts + 0.5) * ratio).astype(np.intp)

    def seeds_to_working(self, seeds: np.ndarray) -> np.ndarray:
        """Return the working voxels that hold at least one seed (bool, the box's shape).

        A thin stroke must not vanish where the working grid is coarser.
        """
        if self.shape == self.box_shape:
            return seeds
        working = np.zeros(self.shape, dtype=bool)
        indices = [
            ((index + 0.5) * n / size).astype(np.intp)
            for index, n, size in zip(np.nonzero(seeds), self.shape, self.box_shape, strict=True)
        ]
        working[tuple(indices)] = True
        return working
