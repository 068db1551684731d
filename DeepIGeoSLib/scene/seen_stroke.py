"""The voxels that a slice view shows under a brush or inside an outline.

Paint and Draw fill a sheet as thick as the view's slices are taken to be. Where a view is oblique
to thick slices, the voxels between their centers are missed: the stroke becomes stripes, which the
answer leaks through. What the user saw is the plane, and every voxel that it cuts there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.scene.flat_shapes import pointsBeside, pointsInside, pointsOn
from DeepIGeoSLib.scene.nodes import ijkToRasOf, shapeOf
from DeepIGeoSLib.scene.places import worldPosition
from DeepIGeoSLib.scene.stroke import fromWorld

# Samples in the plane are this share of the smallest voxel edge apart: neighbors differ by at most
# one voxel along each axis, so that a stroke is connected. Corners that the plane cuts off more
# narrowly may be missed.
_STEP = 1 / 4


def seenBox(
    volumeNode: Any,
    points: Sequence[tuple[float, float, float]],
    radius: float,
    *,
    normal: ArrayLike,
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
    plane = _Plane(volumeNode, points, normal)
    brush = pointsBeside(plane.path, radius / plane.step)
    return plane.box(np.vstack([brush, pointsOn(plane.path)]))


def seenOutline(
    volumeNode: Any, points: Sequence[tuple[float, float, float]], normal: ArrayLike
) -> tuple[Box, np.ndarray]:
    """Return every voxel that a view shows inside an outline, and on it.

    Args:
        volumeNode: whose grid.
        points: RAS positions (mm, world) along the outline, in order, in one plane.
        normal: of the plane, in world coordinates; any length.

    Returns:
        Slices (k, j, i) of the volume, and bool of that shape; empty outside of the volume.
    """
    plane = _Plane(volumeNode, [*points, points[0]], normal)
    return plane.box(np.vstack([pointsInside(plane.path), pointsOn(plane.path)]))


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


class _Plane:
    """A view's plane with a grid of samples, and what was drawn on it.

    Attributes:
        step: mm between the samples.
        path: what was drawn, in samples; one position (x, y) a row.
    """

    def __init__(
        self,
        volumeNode: Any,
        points: Sequence[tuple[float, float, float]],
        normal: ArrayLike,
    ) -> None:
        """Take points (RAS, mm) that lie in the plane; see ``seenBox``."""
        self._volumeNode = volumeNode
        self._axes = np.vstack(_planeAxes(np.asarray(normal, dtype=float)))
        drawn = np.asarray(points, dtype=float)
        self._origin = drawn[0]
        self.step = _STEP * _worldSpacing(volumeNode).min()
        self.path = (drawn - self._origin) @ self._axes.T / self.step

    def box(self, samples: np.ndarray) -> tuple[Box, np.ndarray]:
        """Return the voxels that samples lie in: slices (k, j, i), and bool of that shape."""
        voxels = voxelsAt(self._volumeNode, self._origin + samples * self.step @ self._axes)
        inside = (voxels >= 0) & (voxels < shapeOf(self._volumeNode))
        voxels = voxels[inside[:, 0] & inside[:, 1] & inside[:, 2]]
        if not len(voxels):
            return three([slice(0, 0)] * 3), np.zeros((0, 0, 0), dtype=bool)
        low, high = voxels.min(axis=0), voxels.max(axis=0) + 1
        where = np.zeros(high - low, dtype=bool)
        where[tuple((voxels - low).T)] = True
        return three(slice(int(a), int(b)) for a, b in zip(low, high, strict=True)), where
