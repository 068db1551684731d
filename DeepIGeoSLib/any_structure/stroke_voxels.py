"""Strokes as lists of voxels: they are few, whatever the size of the volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.inputs.working_grid import WorkingGrid


@dataclass(frozen=True)
class StrokeVoxels:
    """Strokes in a volume: integer arrays (n, 3) of indices along its axes.

    Attributes:
        foreground: all foreground strokes.
        background: all background strokes.
        new_foreground: those of this round, of which at least one voxel is new in either class.
        new_background: the same.
    """

    foreground: np.ndarray
    background: np.ndarray
    new_foreground: np.ndarray
    new_background: np.ndarray

    @classmethod
    def of_masks(cls, strokes: Strokes) -> StrokeVoxels:
        """Return the voxels of masks."""
        return cls(*(np.argwhere(mask) for mask in vars(strokes).values()))

    @property
    def around(self) -> Box:
        """The smallest box around the new strokes."""
        new = np.concatenate([self.new_foreground, self.new_background])
        return three(
            slice(int(low), int(high) + 1)
            for low, high in zip(new.min(axis=0), new.max(axis=0), strict=True)
        )

    def turned(self, axes: tuple[int, int, int]) -> StrokeVoxels:
        """Return the same strokes with the axes in another order."""
        return StrokeVoxels(*(voxels[:, axes] for voxels in vars(self).values()))

    def inside(self, box: Box) -> Strokes:
        """Return the masks of a box."""
        shape = [part.stop - part.start for part in box]
        return self.on(WorkingGrid(box, tuple(shape), (1.0, 1.0, 1.0)))

    def on(self, grid: WorkingGrid) -> Strokes:
        """Return the masks on a working grid; where it is too coarse for both, new ones win."""
        foreground, background, new_foreground, new_background = (
            _painted(grid.voxels_to_working(voxels), grid.shape) for voxels in vars(self).values()
        )
        new_background &= ~new_foreground
        both = foreground & background
        foreground &= ~(both & new_background)
        background &= ~(both & ~new_background)
        return Strokes(foreground, background, new_foreground & foreground, new_background)


def _painted(voxels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(voxels.T)] = True
    return mask
