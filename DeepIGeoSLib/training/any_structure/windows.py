"""Cutting training windows out of real images, at random zoom."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.resampling import resample
from DeepIGeoSLib.training.any_structure.images import RealImage

# How large an object is to look, in parts of the window, and its smallest size in working pixels.
# Those much larger than the window teach the network what it can't know from there.
_LOOKS, _SMALLEST = (0.06, 4.0), 4.0


def cut(
    real: RealImage,
    target: np.ndarray | None,
    shape: Sequence[int],
    *,
    random: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray | None, tuple[float, float, float]]:
    """Return a window of an image around a voxel of a target, at a zoom that suits its size.

    Args:
        real: the image.
        target: bool, axes of the image; None for a window anywhere.
        shape: of the window, working voxels (k, j, i).
        random: source of every choice.

    Returns:
        The image (float32) and the target (bool) in the window, and the spacing of its voxels in
        working pixels.
    """
    anchor, size = _anchor(real, target, shape, random)
    largest = max(1.0, max(real.image.shape[1:]) / shape[1])
    zoom = 1.0
    if size > 0:
        wanted = shape[1] * np.exp(random.uniform(*np.log(_LOOKS)))
        zoom = size / max(wanted, _SMALLEST)
    else:
        zoom = np.exp(random.uniform(0, np.log(largest)))
    zoom = float(np.clip(zoom, 1.0, max(1.0, min(1.5 * largest, size / _SMALLEST or largest))))
    thick = max(real.spacing[0], zoom)
    if shape[0] > 1 and random.random() < 0.3:
        thick *= random.uniform(1, 4)
    steps = (thick / real.spacing[0] if shape[0] > 1 else 1.0, zoom, zoom)
    source = [max(1, round(n * step)) for n, step in zip(shape, steps, strict=True)]
    start = [
        round(voxel - (random.uniform(0.2, 0.8) * size_ if size_ > 1 else 0))
        for voxel, size_ in zip(anchor, source, strict=True)
    ]
    image = resample(_mirrored(real.image, start, source), shape)
    inside = None
    if target is not None:
        inside = resample(_mirrored(target, start, source).astype(np.float32), shape) >= 0.5
    return image, inside, (thick / zoom if shape[0] > 1 else 1.0, 1.0, 1.0)


def turned(
    image: np.ndarray, masks: Sequence[np.ndarray], random: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return an image and masks mirrored, transposed, and half of the time rotated and sheared."""
    flips = [axis for axis in range(3) if random.random() < 0.5]
    swap = image.shape[1] == image.shape[2] and random.random() < 0.5
    matrix = None
    if random.random() < 0.5:
        angle = random.uniform(-np.pi / 4, np.pi / 4)
        c, s = np.cos(angle), np.sin(angle)
        scale = np.exp(random.normal(0, 0.12, size=2))
        plane = np.array([[c, s], [-s, c]]) @ np.diag(scale)
        plane[0, 1] += random.normal(0, 0.08)
        matrix = np.eye(3)
        matrix[1:, 1:] = plane

    def change(array: np.ndarray) -> np.ndarray:
        array = np.flip(array, flips)
        if swap:
            array = array.swapaxes(1, 2)
        if matrix is not None:
            middle = (np.array(array.shape) - 1) / 2
            offset = middle - matrix @ middle
            array = ndimage.affine_transform(
                np.ascontiguousarray(array, dtype=np.float32),
                matrix,
                offset,
                order=1,
                mode="mirror",
            )
        return np.ascontiguousarray(array)

    return change(image), [change(mask) >= 0.5 for mask in masks]


def _anchor(
    real: RealImage, target: np.ndarray | None, shape: Sequence[int], random: np.random.Generator
) -> tuple[list[int], float]:
    """Return the voxel a window is placed by, and the target's size in pixels of the image."""
    if target is None:
        return [int(random.integers(n)) for n in real.image.shape], 0.0
    voxels = np.flatnonzero(target)
    place = np.unravel_index(voxels[random.integers(voxels.size)], target.shape)
    extents = []
    for axis in (1, 2) if shape[0] == 1 else (0, 1, 2):
        others = tuple(a for a in range(3) if a != axis)
        hits = np.flatnonzero(target.any(axis=others))
        extents.append((hits[-1] - hits[0] + 1) * real.spacing[axis])
    return [int(p) for p in place], float(max(extents))


def _mirrored(array: np.ndarray, start: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Return a box that may reach beyond the array, mirrored at its borders."""
    indices = []
    for first, size, n in zip(start, shape, array.shape, strict=True):
        index = np.arange(first, first + size) % (2 * n)
        indices.append(np.where(index < n, index, 2 * n - 1 - index))
    return array[np.ix_(*indices)]
