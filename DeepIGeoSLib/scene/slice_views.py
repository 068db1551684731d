"""Slice views: along the planes of a volume, and where something has changed."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import slicer
import vtk

from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.scene.places import worldPosition

# Axes that are this close (radians) are parallel; the Segment Editor warns beyond the same angle.
_TOLERANCE = 1e-3


class ViewGuide:
    """Turns the slice views to the planes of a volume when it is chosen, if that is wished."""

    def __init__(self) -> None:
        """Begin without a volume."""
        self._aligned: Any = None

    def follow(self, volumeNode: Any, align: bool) -> None:
        """Align the views where the volume or the wish is new; else leave them to the user."""
        wanted = volumeNode if align else None
        if wanted is not self._aligned and wanted is not None:
            alignViews(wanted)
        self._aligned = wanted


def alignViews(volumeNode: Any) -> None:
    """Turn every slice view to the nearest plane of a volume's grid, and onto a slice of it.

    Views that are aligned stay as they are, and so do all for a volume under a transform that is
    not linear: it has no planes.
    """
    matrix = _ijkToWorld(volumeNode)
    if matrix is None:
        return
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if not isAligned(view, volumeNode):
            view.RotateToVolumePlane(volumeNode)
            center = _center(view)
            ijk = np.linalg.solve(matrix, [*center, 1])[:3]
            across = np.argmax(np.abs(_directions(matrix).T @ viewNormal(view)))
            ijk[across] = np.rint(ijk[across])
            view.JumpSliceByOffsetting(*(matrix @ [*ijk, 1])[:3])


def isAligned(view: Any, volumeNode: Any) -> bool:
    """Return whether a slice view (vtkMRMLSliceNode) shows voxels of one slice of a volume."""
    matrix = _ijkToWorld(volumeNode)
    if matrix is None:
        return False
    # A plane holds two of the grid's axes, however the third one leans.
    leaning = np.abs(_directions(matrix).T @ viewNormal(view))
    return bool(np.sort(leaning)[1] < _TOLERANCE)


def goToBox(volumeNode: Any, box: Box, center: bool) -> None:
    """Let every slice view show a box of a volume's voxels.

    Args:
        volumeNode: whose voxels they are.
        box: slices (k, j, i); nothing happens when it is empty.
        center: whether all views go to the middle of the box. Otherwise only those whose plane
            misses it: a view that somebody paints in must not move.
    """
    if any(part.start >= part.stop for part in box):
        return
    middle = worldPosition(volumeNode, tuple((part.start + part.stop - 1) / 2 for part in box))
    ends = ((part.start - 0.5, part.stop - 0.5) for part in box)
    corners = [worldPosition(volumeNode, corner) for corner in itertools.product(*ends)]
    for view in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        if center:
            view.JumpSliceByCentering(*middle)
            continue
        heights = (np.array(corners) - _center(view)) @ viewNormal(view)
        if heights.min() > 0 or heights.max() < 0:
            view.JumpSliceByOffsetting(*middle)


def viewNormal(view: Any) -> np.ndarray:
    """Return the unit normal (RAS, world) of a slice view's plane."""
    normal = slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, 2]
    return normal / np.linalg.norm(normal)


def ontoPlane(view: Any, points: list[tuple[float, float, float]]) -> np.ndarray:
    """Return RAS positions (mm, world), one a row, moved straight onto a slice view's plane."""
    places, normal = np.asarray(points, dtype=float), viewNormal(view)
    return places - np.outer((places - _center(view)) @ normal, normal)


def _center(view: Any) -> np.ndarray:
    return slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())[:3, 3]


def _directions(matrix: np.ndarray) -> np.ndarray:
    """Return the unit vectors of a grid's axes, one a column."""
    return matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)


def _ijkToWorld(volumeNode: Any) -> np.ndarray | None:
    """Return the matrix from a volume's voxels to the world, or None where there is none."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    ofVolume = slicer.util.arrayFromVTKMatrix(matrix)
    parent = volumeNode.GetParentTransformNode()
    if parent is None:
        return ofVolume
    if not parent.IsTransformToWorldLinear():
        return None
    parent.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix) @ ofVolume
