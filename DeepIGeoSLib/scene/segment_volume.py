"""The voxels of a segment as they are stored, and their volume in milliliters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy


@dataclass(frozen=True)
class SegmentVoxels:
    """A segment's own labelmap, which other segments may share.

    Attributes:
        labelmap: the vtkOrientedImageData; not a copy.
        value: the segment's value in it.
    """

    labelmap: Any
    value: int

    @property
    def changed(self) -> int:
        """A number that grows with each change of the labelmap."""
        return self.labelmap.GetMTime()

    @property
    def toWorld(self) -> np.ndarray:
        """The 4 x 4 matrix from the labelmap's own voxels (i, j, k) to mm."""
        matrix = vtk.vtkMatrix4x4()
        self.labelmap.GetImageToWorldMatrix(matrix)
        return slicer.util.arrayFromVTKMatrix(matrix)

    def count(self) -> int:
        """Return how many voxels the segment has."""
        return int(np.count_nonzero(self._values() == self.value))

    def copied(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a bool array (k, j, i) of the segment's box, and its voxels' matrix to mm."""
        mask = (self._values() == self.value).reshape(self.labelmap.GetDimensions()[::-1])
        matrix = self.toWorld
        matrix[:3, 3] += matrix[:3, :3] @ self.labelmap.GetExtent()[::2]
        return mask, matrix

    def _values(self) -> np.ndarray:
        return vtk_to_numpy(self.labelmap.GetPointData().GetScalars())


def segmentVoxels(segmentationNode: Any, segmentId: str) -> SegmentVoxels | None:
    """Return where a segment is stored, or None where there is no such segment or labelmap."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    labelmap = segment and segment.GetRepresentation(name)
    if not labelmap or labelmap.GetPointData().GetScalars() is None:
        return None
    return SegmentVoxels(labelmap, segment.GetLabelValue())


def segmentMilliliters(segmentationNode: Any, segmentId: str) -> float:
    """Return the number of a segment's voxels times the volume of one, in milliliters.

    A voxel is the parallelepiped that its grid spans, so oblique and sheared grids count right.
    Parent transforms don't count, as in Slicer's Segment Statistics. 0 where there is no labelmap.
    """
    voxels = segmentVoxels(segmentationNode, segmentId)
    if voxels is None:
        return 0.0
    return float(voxels.count() * abs(np.linalg.det(voxels.toWorld[:3, :3])) / 1000)


class VolumeMeter:
    """Counts a segment's voxels when they have changed, however often it is asked."""

    def __init__(self) -> None:
        """Begin without any count."""
        self._state: tuple[Any, ...] | None = None
        self._milliliters = 0.0

    def milliliters(self, segmentationNode: Any, segmentId: str) -> float:
        """See ``segmentMilliliters``."""
        voxels = segmentVoxels(segmentationNode, segmentId)
        state = (segmentationNode.GetID(), segmentId)
        if voxels is not None:
            state += (voxels.value, voxels.changed)
        if state != self._state:
            self._milliliters = segmentMilliliters(segmentationNode, segmentId)
            self._state = state
        return self._milliliters
