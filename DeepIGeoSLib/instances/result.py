"""What was found: objects that share no voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.grid.boxes import Box


@dataclass(frozen=True)
class Instance:
    """One object.

    Attributes:
        kind: name of its class; empty where there is only one.
        score: how sure it is, from 0 to 1.
        box: slices (k, j, i) of the smallest box that holds it.
        mask: bool, the box's shape: its voxels.
    """

    kind: str
    score: float
    box: Box
    mask: np.ndarray

    @property
    def voxels(self) -> int:
        """How many it has."""
        return int(np.count_nonzero(self.mask))


@dataclass(frozen=True)
class Instances:
    """The objects of a volume, the surest first; no voxel belongs to two of them.

    Attributes:
        shape: of the volume, (k, j, i).
        found: the objects.
    """

    shape: tuple[int, int, int]
    found: tuple[Instance, ...]

    def labels(self) -> np.ndarray:
        """Return the number of the object at each voxel, from 1 on: int32, axes (k, j, i)."""
        labels = np.zeros(self.shape, dtype=np.int32)
        for number, instance in enumerate(self.found, start=1):
            labels[instance.box][instance.mask] = number
        return labels

    def mask(self) -> np.ndarray:
        """Return the voxels of all objects: bool, axes (k, j, i)."""
        return self.labels() > 0
