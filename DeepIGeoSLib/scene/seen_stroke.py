"""The voxels that a slice view shows under a brush.

Paint fills a disk as thick as the view's slices are taken to be. Where a view is oblique to thick
slices, the voxels between their centers are missed: the stroke becomes stripes, which the answer
leaks through. What the user saw is the plane, and every voxel that it cuts below the brush.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from DeepIGeoSLib.preprocessing import Box
from DeepIGeoSLib.scene.nodes import ijkToRasOf, shapeOf
from DeepIGeoSLib.scene.places import worldPosition
from DeepIGeoSLib.scene.stroke import fromWorld

# Samples in the plane are this share of the smallest voxel edge apart: neighbors differ by at most
# one voxel along each axis, so that a stroke is connected. Corners that the plane cuts off more
# narrowly may be missed.
_STEP = 1 / 4


def seenBox(
    volumeNode: Any,
    points: list[tuple[float, float, float]],
    radius: float,
    normal: Sequence[float],
) -> tuple[Box, np.ndarray]:
    """Return every voxel that a view shows within ``radius`` of a stroke.

    Args:
        volumeNode: whose grid.
        points: RAS positions (mm, world) along the stroke, in order, in one plane.
        radius: mm.
        normal: of the plane, in world coordinates; any length.

    Returns:
        Slices (k, j, i) of the volume, and bool of that shape; empty outside of the volume.
    """
    axes = np.vstack(_planeAxes(np.asarray(normal, dtype=float)))
    path = np.asarray(points, dtype=float)
    step = _STEP * _worldSpacing(volumeNode).min()
    below = _samplesNear((path - path[0]) @ axes.T / step, radius / step) * step
    voxels = voxelsAt(volumeNode, path[0] + below @ axes)
    voxels = voxels[np.all((voxels >= 0) & (voxels < shapeOf(volumeNode)), axis=1)]
    if not len(voxels):
        return (slice(0, 0),) * 3, np.zeros((0, 0, 0), dtype=bool)
    low, high = voxels.min(axis=0), voxels.max(axis=0) + 1
    stroke = np.zeros(high - low, dtype=bool)
    stroke[tuple((voxels - low).T)] = True
    return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)), stroke


def voxelsAt(volumeNode: Any, points: np.ndarray) -> np.ndarray:
    """Return the voxels (k, j, i), one a row, that RAS positions (mm, world) lie in.

    They may lie outside of the grid.
    """
    places = np.linalg.inv(ijkToRasOf(volumeNode)) @ fromWorld(volumeNode, points)
    return np.rint(places[2::-1].T).astype(int)


def _worldSpacing(volumeNode: Any) -> np.ndarray:
    """Return the edges of a voxel in the middle of a volume: mm along (k, j, i) in the world."""
    middle = np.array(shapeOf(volumeNode)) // 2
    center = np.array(worldPosition(volumeNode, tuple(middle)))
    ends = [worldPosition(volumeNode, tuple(middle + axis)) for axis in np.eye(3, dtype=int)]
    return np.linalg.norm(np.array(ends) - center, axis=1)


def _planeAxes(normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two unit vectors that span the plane."""
    normal = normal / np.linalg.norm(normal)
    along = np.cross(normal, np.eye(3)[np.argmin(np.abs(normal))])
    along /= np.linalg.norm(along)
    return along, np.cross(normal, along)


def _samplesNear(path: np.ndarray, radius: float) -> np.ndarray:
    """Return the points of a square grid of edge 1 within ``radius`` of a path, and the path's own.

    The path's own always count, however thin the brush is.
    """
    low = np.floor(path.min(axis=0) - radius).astype(int)
    near = np.zeros(np.ceil(path.max(axis=0) + radius).astype(int) - low + 1, dtype=bool)
    own = []
    for start, end in zip(path, np.vstack([path[1:], path[-1:]]), strict=True):
        first = np.floor(np.minimum(start, end) - radius).astype(int) - low
        last = np.ceil(np.maximum(start, end) + radius).astype(int) - low
        part = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
        x, y = (axis + offset for axis, offset in zip(np.ogrid[part], low - start, strict=True))
        way = end - start
        share = np.clip((x * way[0] + y * way[1]) / max(way @ way, 1e-12), 0, 1)
        near[part] |= (x - share * way[0]) ** 2 + (y - share * way[1]) ** 2 <= radius**2
        count = int(np.ceil(np.linalg.norm(way))) + 1
        own.append(start + np.linspace(0, 1, count)[:, None] * way)
    return np.vstack([np.argwhere(near) + low, *own])
