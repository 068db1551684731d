"""Smooth random fields, from which shapes, textures and deformations are made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.grid.resampling import resample


def smooth_noise(
    shape: Sequence[int], spacing: Sequence[float], scale: float, *, random: np.random.Generator
) -> np.ndarray:
    """Return normal noise of about unit spread that varies over about ``scale``.

    Args:
        shape: voxels (k, j, i).
        spacing: of the voxels, in pixels.
        scale: distance between independent values, in pixels.
        random: source of every choice.

    Returns:
        float32, axes (k, j, i).
    """
    coarse = [max(2, round(n * s / scale) + 1) for n, s in zip(shape, spacing, strict=True)]
    coarse = [1 if n == 1 else min(n, c) for n, c in zip(shape, coarse, strict=True)]
    noise = resample(random.standard_normal(coarse, dtype=np.float32), shape)
    return noise / max(float(noise.std()), 1e-3)


def coordinates(
    shape: Sequence[int], spacing: Sequence[float], center: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the distances from ``center`` (a voxel) along each axis in pixels: open grids."""
    return three(
        ((np.arange(n, dtype=np.float32) - c) * s).reshape(
            [-1 if a == axis else 1 for a in range(3)]
        )
        for axis, (n, s, c) in enumerate(zip(shape, spacing, center, strict=True))
    )


def rotated(
    grids: tuple[np.ndarray, np.ndarray, np.ndarray], random: np.random.Generator, flat: bool
) -> list[np.ndarray]:
    """Return coordinates in a frame turned at random; only in plane where the volume is flat."""
    if flat:
        angle = random.uniform(0, 2 * np.pi)
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        return [grids[0], c * grids[1] + s * grids[2], c * grids[2] - s * grids[1]]
    basis, _ = np.linalg.qr(random.normal(size=(3, 3)))
    return [sum(np.float32(b) * grid for b, grid in zip(row, grids, strict=True)) for row in basis]
