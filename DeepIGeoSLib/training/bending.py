"""U-Net's elastic deformation (Ronneberger et al., MICCAI 2015).

Displacements are drawn on a coarse grid of three points along each axis and interpolated between
them bicubically.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch.nn import functional

from DeepIGeoSLib.tensors import to_array

_POINTS = 3

# Through a handful of slices nothing moves.
_FEWEST_VOXELS = 8


def displacements(
    shape: tuple[int, int, int], sigma: float, random: np.random.Generator
) -> np.ndarray:
    """Draw by how many voxels each voxel moves.

    Args:
        shape: of the crop (k, j, i); along axes of fewer than 8 voxels nothing moves.
        sigma: deviation of the displacements of the grid's points, in voxels.
        random: source of every choice.

    Returns:
        float32, axes (axis, k, j, i).
    """
    moving = [axis for axis, size in enumerate(shape) if size >= _FEWEST_VOXELS]
    grid = [_POINTS if axis in moving else 1 for axis in range(3)]
    points = np.zeros((3, *grid), dtype=np.float32)
    points[moving] = random.normal(0.0, sigma, (len(moving), *grid))
    field = points
    for axis in range(3):
        weights = _cubic_weights(shape[axis]) if axis in moving else np.ones((shape[axis], 1), "f4")
        field = np.moveaxis(np.tensordot(weights, field, axes=(1, axis + 1)), 0, axis + 1)
    return np.ascontiguousarray(field, dtype=np.float32)


def moved(array: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Return an array (k, j, i) moved by ``displacements``, mirrored where it ends.

    Real values are interpolated linearly; numbers and masks come from the nearest voxel.
    """
    places = field + np.indices(array.shape, dtype=np.float32)
    order = 1 if array.dtype.kind == "f" else 0
    values = array.astype(np.uint8) if array.dtype == bool else array
    return ndimage.map_coordinates(values, places, order=order, mode="mirror").astype(array.dtype)


def bent(
    image: np.ndarray, maps: dict[str, np.ndarray], sigma: float, *, random: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return an image (channel, k, j, i) and its maps (k, j, i) deformed together."""
    field = displacements(image.shape[1:], sigma, random)
    return (
        np.stack([moved(channel, field) for channel in image]),
        {name: moved(values, field) for name, values in maps.items()},
    )


def _cubic_weights(size: int) -> np.ndarray:
    """Return what each of the grid's points counts at each voxel: (size, points)."""
    points = torch.eye(_POINTS)[:, None, :, None]
    lines = functional.interpolate(points, (size, 1), mode="bicubic", align_corners=True)
    return to_array(lines[:, 0, :, 0].T)
