"""The voxels of a stroke of a round brush."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import vtk
from numpy.typing import ArrayLike
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.scene.nodes import ijkToRasOf, shapeOf

# Balls along a stroke lie so close that the hollows between them are this share of a voxel deep.
_HOLLOW = 0.05


def strokeBox(
    volumeNode: Any, points: Sequence[tuple[float, float, float]], radius: float
) -> tuple[Box, np.ndarray]:
    """Return the voxels within ``radius`` of a stroke.

    Args:
        volumeNode: whose grid.
        points: RAS positions (mm, world) along the stroke, in order; in any plane.
        radius: mm. The voxels that the stroke itself goes through always belong to it.

    Returns:
        Slices (k, j, i) of the volume, and bool of that shape; empty outside of the volume.
    """
    matrix, shape = ijkToRasOf(volumeNode), np.array(shapeOf(volumeNode))
    places = (np.linalg.inv(matrix) @ fromWorld(volumeNode, points)).T[:, 2::-1]
    radii = radius / np.linalg.norm(matrix[:3, :3], axis=0)[::-1]
    low = np.clip(np.floor(places.min(axis=0) - radii).astype(int), 0, shape)
    high = np.clip(np.ceil(places.max(axis=0) + radii).astype(int) + 1, 0, shape)
    box = three(slice(int(a), int(max(a, b))) for a, b in zip(low, high, strict=True))
    stroke = np.zeros([part.stop - part.start for part in box], dtype=bool)
    if stroke.size:
        centers = _along(places - low, np.maximum(np.sqrt(8 * _HOLLOW * radii), 0.5).min())
        _addBalls(stroke, centers, radii)
        nearest = np.rint(_along(places - low, 0.5)).astype(int)
        inside = np.all((nearest >= 0) & (nearest < stroke.shape), axis=1)
        stroke[tuple(nearest[inside].T)] = True
    return box, stroke


def _along(places: np.ndarray, step: float) -> np.ndarray:
    """Return positions along a line, at most ``step`` voxels apart; one a row."""
    parts = [places[:1]]
    for start, end in itertools.pairwise(places):
        count = max(1, int(np.ceil(np.abs(end - start).max() / step)))
        parts.append(start + np.linspace(0, 1, count + 1)[1:, None] * (end - start))
    return np.vstack(parts)


def _addBalls(mask: np.ndarray, centers: np.ndarray, radii: np.ndarray) -> None:
    """Set the voxels within balls: in each row along i a ball is one interval."""
    begins = np.zeros((*mask.shape[:2], mask.shape[2] + 1), dtype=np.int16)
    for center in centers:
        low = np.maximum(np.ceil(center - radii), 0).astype(int)
        high = np.minimum(np.floor(center + radii) + 1, mask.shape).astype(int)
        if (low >= high).any():
            continue
        k, j = np.ogrid[low[0] : high[0], low[1] : high[1]]
        rest = 1 - ((k - center[0]) / radii[0]) ** 2 - ((j - center[1]) / radii[1]) ** 2
        half = np.sqrt(np.maximum(rest, 0)) * radii[2]
        first = np.maximum(np.ceil(center[2] - half), 0).astype(int)
        last = np.minimum(np.floor(center[2] + half) + 1, mask.shape[2]).astype(int)
        rows = np.nonzero((rest >= 0) & (first < last))
        inMask = (rows[0] + low[0], rows[1] + low[1])
        begins[(*inMask, first[rows])] += 1
        begins[(*inMask, last[rows])] -= 1
    np.greater(np.cumsum(begins, axis=2, dtype=np.int16)[..., :-1], 0, out=mask)


def fromWorld(volumeNode: Any, points: ArrayLike) -> np.ndarray:
    """Return world positions in the volume's own RAS, homogeneous, one a column."""
    places = np.ascontiguousarray(points, dtype=float)
    parent = volumeNode.GetParentTransformNode()
    if parent is not None:
        fromWorld = vtk.vtkGeneralTransform()
        parent.GetTransformFromWorld(fromWorld)
        given, found = vtk.vtkPoints(), vtk.vtkPoints()
        for both in (given, found):
            both.SetDataTypeToDouble()
        given.SetData(numpy_to_vtk(places))
        fromWorld.TransformPoints(given, found)
        places = vtk_to_numpy(found.GetData())
    return np.vstack([places.T, np.ones(len(places))])
