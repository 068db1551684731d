"""Boxes and voxels of a volume as things to see in Slicer's views."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.scene.nodes import SegmentPlace, ijkToRasOf
from DeepIGeoSLib.scene.translation import tr as _


def showBox(roiNode: Any, volumeNode: Any, box: Box) -> None:
    """Put a ROI node around a box of the volume's voxels, turned as the volume is.

    Args:
        roiNode: a vtkMRMLMarkupsROINode; it comes under the volume's parent transform.
        volumeNode: whose voxels they are.
        box: slices (k, j, i).
    """
    matrix = ijkToRasOf(volumeNode)
    starts = np.array([part.start for part in box[::-1]], dtype=float)
    stops = np.array([part.stop for part in box[::-1]], dtype=float)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    toNode = np.eye(4)
    toNode[:3, :3] = matrix[:3, :3] / spacing
    middle = matrix @ [*((starts + stops - 1) / 2), 1]
    toNode[:3, 3] = middle[:3]
    with slicer.util.NodeModify(roiNode):
        roiNode.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
        roiNode.SetXYZ(0.0, 0.0, 0.0)
        roiNode.SetAndObserveObjectToNodeMatrix(slicer.util.vtkMatrixFromArray(toNode))
        roiNode.SetSize(*((stops - starts) * spacing))


def boxOfRoi(roiNode: Any, volumeNode: Any) -> Box:
    """Return the voxels whose centers lie in the smallest box of the grid around a ROI.

    Raises:
        InputError: the ROI lies outside of the volume.
    """
    toWorld = vtk.vtkMatrix4x4()
    toWorld.DeepCopy(roiNode.GetObjectToWorldMatrix())
    half = np.array(roiNode.GetSize()) / 2
    corners = np.array(np.meshgrid(*[(-h, h) for h in half])).reshape(3, -1)
    inWorld = slicer.util.arrayFromVTKMatrix(toWorld) @ np.vstack([corners, np.ones(8)])
    parent = volumeNode.GetParentTransformNode()
    fromWorld = np.eye(4)
    if parent is not None:
        matrix = vtk.vtkMatrix4x4()
        parent.GetMatrixTransformFromWorld(matrix)
        fromWorld = slicer.util.arrayFromVTKMatrix(matrix)
    ijk = (np.linalg.inv(ijkToRasOf(volumeNode)) @ fromWorld @ inWorld)[:3]
    # A face in the middle between two voxels belongs to neither; rounding must not decide.
    low = np.ceil(ijk.min(axis=1) - 1e-3).astype(int)
    high = np.floor(ijk.max(axis=1) + 1e-3).astype(int)
    box = three(
        slice(max(0, int(start)), min(int(stop) + 1, size))
        for start, stop, size in zip(
            low[::-1],
            high[::-1],
            volumeNode.GetImageData().GetDimensions()[::-1],
            strict=True,
        )
    )
    if any(part.start >= part.stop for part in box):
        raise InputError(
            _(
                "The box {region!r} does not touch the volume {volume!r}; move it there, or, where "
                "it is the region of influence, unpin it."
            ).format(region=roiNode.GetName(), volume=volumeNode.GetName())
        )
    return box


def worldPosition(volumeNode: Any, voxel: tuple[int, int, int]) -> tuple[float, float, float]:
    """Return the RAS position (mm, world) of a voxel (k, j, i), parent transforms included."""
    position = (ijkToRasOf(volumeNode) @ [*voxel[::-1], 1])[:3]
    parent = volumeNode.GetParentTransformNode()
    if parent is None:
        return three(float(value) for value in position)
    toWorld = vtk.vtkGeneralTransform()
    parent.GetTransformToWorld(toWorld)
    return toWorld.TransformPoint(*position)


def jumpTo(volumeNode: Any, voxel: tuple[int, int, int]) -> None:
    """Show a voxel in the middle of every slice view."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(
        slicer.mrmlScene,
        *worldPosition(volumeNode, voxel),
        slicer.vtkMRMLSliceNode.CenteredJumpSlice,
    )


def frameOf(volumeNode: Any) -> tuple[str, int, int] | None:
    """Return which frame of a sequence a volume shows: sequence, number from 1, number of frames.

    None when the volume is not the current frame of a sequence.
    """
    for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
        if browser.IsProxyNodeID(volumeNode.GetID()):
            sequence = browser.GetSequenceNode(volumeNode)
            number = browser.GetSelectedItemNumber() + 1
            return sequence.GetName(), number, sequence.GetNumberOfDataNodes()
    return None


class EditableArea(NamedTuple):
    """Where a target may grow, as the Segment Editor's masking says it.

    Attributes:
        mode: an "editable area" of the Segment Editor, vtkMRMLSegmentationNode.EditAllowed...
        maskSegmentId: the segment of the mode "inside a single segment".
        intensities: the lowest and highest editable intensity, both included.
    """

    mode: int
    maskSegmentId: str = ""
    intensities: tuple[float, float] | None = None


def editableVoxels(place: SegmentPlace, area: EditableArea) -> np.ndarray | None:
    """Return which voxels the target may take: bool, axes (k, j, i).

    Args:
        place: the target, whose own voxels are always editable as far as segments go.
        area: where it may grow.

    Returns:
        None when all are.
    """
    volumeNode, segmentationNode, segmentId = place
    mode, maskSegmentId, intensities = area
    editable = None
    if mode != segmentationNode.EditAllowedEverywhere:
        grid = slicer.vtkOrientedImageData()
        grid.SetExtent(volumeNode.GetImageData().GetExtent())
        toWorld = slicer.util.vtkMatrixFromArray(ijkToRasOf(volumeNode))
        grid.SetGeometryFromImageToWorldMatrix(toWorld)
        forbidden = slicer.vtkOrientedImageData()
        if not segmentationNode.GenerateEditMask(forbidden, mode, grid, segmentId, maskSegmentId):
            raise InputError(
                _("Slicer could not work out the editable area of {segmentation!r}.").format(
                    segmentation=segmentationNode.GetName()
                )
            )
        scalars = vtk_to_numpy(forbidden.GetPointData().GetScalars())
        editable = scalars.reshape(forbidden.GetDimensions()[::-1]) == 0
    if intensities is not None:
        array = slicer.util.arrayFromVolume(volumeNode)
        inRange = (array >= intensities[0]) & (array <= intensities[1])
        editable = inRange if editable is None else editable & inRange
    return editable
