"""The volume of a segment in milliliters."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy


def segmentMilliliters(segmentationNode: Any, segmentId: str) -> float:
    """Return the number of a segment's voxels times the volume of one, in milliliters.

    A voxel is the parallelepiped that its grid spans, so oblique and sheared grids count right.
    Parent transforms don't count, as in Slicer's Segment Statistics. 0 where there is no labelmap.
    """
    labelmap, value = _labelmapOf(segmentationNode, segmentId)
    if labelmap is None:
        return 0.0
    toWorld = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(toWorld)
    voxel = abs(np.linalg.det(slicer.util.arrayFromVTKMatrix(toWorld)[:3, :3]))
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars())
    return float(np.count_nonzero(voxels == value) * voxel / 1000)


class VolumeMeter:
    """Counts a segment's voxels when they have changed, however often it is asked."""

    def __init__(self) -> None:
        """Begin without any count."""
        self._state: tuple[Any, ...] | None = None
        self._milliliters = 0.0

    def milliliters(self, segmentationNode: Any, segmentId: str) -> float:
        """See ``segmentMilliliters``."""
        labelmap, value = _labelmapOf(segmentationNode, segmentId)
        changed = None if labelmap is None else labelmap.GetMTime()
        state = (segmentationNode.GetID(), segmentId, value, changed)
        if state != self._state:
            self._milliliters = segmentMilliliters(segmentationNode, segmentId)
            self._state = state
        return self._milliliters


def _labelmapOf(segmentationNode: Any, segmentId: str) -> tuple[Any, int]:
    """Return a segment's labelmap, which others may share, and the segment's value in it."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    if segment is None:
        return None, 0
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    labelmap = segment.GetRepresentation(name)
    if labelmap is None or labelmap.GetPointData().GetScalars() is None:
        return None, 0
    return labelmap, segment.GetLabelValue()
