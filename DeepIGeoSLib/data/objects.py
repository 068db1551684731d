"""True objects: the number of the object at each voxel, from numbered labels or from a mask."""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.volume import Volume

# What the objects of a case are: its labels are their numbers, or the connected parts of its mask.
ObjectsAre = Literal["numbers", "parts"]


def read_objects(case: LabeledCase, objects: ObjectsAre) -> tuple[list[Volume], np.ndarray]:
    """Return the channels of a case, and the number of the object at each voxel: int32 (k, j, i).

    Raises:
        InputError: a file can't be read, or the grids differ.
    """
    channels = case.read_channels()
    labels = case.read_labels(channels[0])
    return channels, numbered(labels, case.target_of(labels), objects)


def numbered(labels: np.ndarray, target: np.ndarray, objects: ObjectsAre) -> np.ndarray:
    """Return the number of the object at each voxel: int32 (k, j, i), 0 outside of the target.

    Args:
        labels: whole numbers, (k, j, i).
        target: bool, the same shape: which voxels belong to any object.
        objects: what they are.
    """
    if objects == "parts":
        return ndimage.label(target, structure=np.ones((3, 3, 3)))[0].astype(np.int32)
    numbers = np.unique(labels[target], return_inverse=True)[1]
    found = np.zeros(labels.shape, dtype=np.int32)
    found[target] = 1 + numbers.reshape(-1)
    return found


def separated(objects: np.ndarray) -> np.ndarray:
    """Return objects with a gap where two of them touch: the borders that U-Net is to learn.

    Args:
        objects: whole numbers, axes ([k,] j, i); 0 outside.

    Returns:
        The same, 0 where a voxel's neighborhood (of 3 along each axis) holds another object.
    """
    present = np.where(objects > 0, objects, objects.max(initial=0) + 1)
    lowest = ndimage.minimum_filter(present, size=3, mode="nearest")
    highest = ndimage.maximum_filter(objects, size=3, mode="nearest")
    touches = (objects > 0) & ((lowest < objects) | (highest > objects))
    return np.where(touches, 0, objects)
