"""Between MRML nodes and arrays: the only place where one becomes the other.

Arrays lie on the grid of the volume node, axes (k, j, i). Segments are read and written in place,
without temporary nodes: the scene holds exactly the nodes of the user before and after.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.colors import gray_component
from DeepIGeoSLib.grid.boxes import Box, bounding_box, three
from DeepIGeoSLib.grid.lattice import Placement, placement
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.volume import Volume

# A volume with several components names the one to use in this attribute of its node, as "0", "1"
# and so on. It is saved with the scene.
COMPONENT_ATTRIBUTE = "DeepIGeoS.Component"

# A segment and the volume whose grid it is on: volume node, segmentation node, segment ID.
SegmentPlace = tuple[Any, Any, str]

# Two parent transforms that move no voxel of a head further apart than this (mm) are the same.
_TRANSFORM_TOLERANCE = 1e-6


def volumeFromNode(volumeNode: Any) -> Volume:
    """Return voxels and IJKToRAS of a volume node; parent transforms are left out.

    A vector volume is taken when all its components are equal (gray stored as color), or by the
    component that its attribute ``COMPONENT_ATTRIBUTE`` names.

    Raises:
        InputError: no scalar volume of the scene, no image data, several different components, or
            voxels and geometry that ``Volume`` refuses.
    """
    return volumeReader(volumeNode)()


def volumeReader(volumeNode: Any) -> Callable[[], Volume]:
    """Return a function that makes the volume of ``volumeFromNode``, on any thread.

    Raises:
        InputError: no scalar volume of the scene, or no image data. The function raises the others.
    """
    checkVolumeNode(volumeNode)
    array = slicer.util.arrayFromVolume(volumeNode)  # a view, which keeps the voxels alive
    chosen, matrix = volumeNode.GetAttribute(COMPONENT_ATTRIBUTE), ijkToRasOf(volumeNode)
    quoted = _quoted(volumeNode)

    def read() -> Volume:
        voxels = array[..., _component(quoted, array, chosen)] if array.ndim == 4 else array
        return Volume(voxels, ijk_to_ras=matrix, name=f"The volume {quoted}")

    return read


def volumeStamp(volumeNode: Any) -> tuple[object, ...]:
    """Return a value that changes whenever ``volumeFromNode`` may answer differently."""
    checkVolumeNode(volumeNode)
    return (
        volumeNode.GetImageData().GetMTime(),
        ijkToRasOf(volumeNode).tobytes(),
        volumeNode.GetAttribute(COMPONENT_ATTRIBUTE),
    )


def maskFromSegment(volumeNode: Any, segmentationNode: Any, segmentId: str) -> np.ndarray:
    """Return where a segment lies: bool on the volume's grid, by the nearest voxel.

    Raises:
        InputError: see ``checkSegment``.
    """
    checkVolumeNode(volumeNode)
    checkSegment(volumeNode, segmentationNode, segmentId)
    grid = _gridOf(volumeNode)
    mask = np.zeros(grid.GetDimensions()[::-1], dtype=bool)
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    if labelmap is None:
        return mask
    onGrid = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        labelmap, grid, onGrid
    )
    voxels = voxelsOf(onGrid)
    if voxels is not None:
        i, j, k = onGrid.GetExtent()[::2]
        ends = (k + voxels.shape[0], j + voxels.shape[1], i + voxels.shape[2])
        mask[k : ends[0], j : ends[1], i : ends[2]] = voxels == value
    return mask


def seedsFromSegment(volumeNode: Any, segmentationNode: Any, segmentId: str) -> np.ndarray:
    """Return where seeds were painted: bool on the volume's grid.

    Where the segmentation is finer than the volume, a voxel is a seed as soon as it holds the
    center of a painted one: a thin stroke must not vanish between the coarser voxels.

    Raises:
        InputError: see ``checkSegment``.
    """
    seeds = maskFromSegment(volumeNode, segmentationNode, segmentId)
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    if labelmap is None:
        return seeds
    i, j, k = labelmap.GetExtent()[::2]
    painted = np.argwhere(voxelsOf(labelmap) == value)[:, ::-1] + (i, j, k)
    toVolume = np.linalg.inv(ijkToRasOf(volumeNode)) @ matrixOf(labelmap)
    places = np.rint(painted @ toVolume[:3, :3].T + toVolume[:3, 3]).astype(int)[:, ::-1]
    inside = np.all((places >= 0) & (places < seeds.shape), axis=1)
    seeds[tuple(places[inside].T)] = True
    return seeds


def writeMaskToSegment(
    mask: np.ndarray, volumeNode: Any, segmentationNode: Any, segmentId: str
) -> None:
    """Replace the voxels of one segment; every other segment stays as it is.

    Name, color and terminology are kept. A segment that was not started becomes "in progress", and
    surfaces are made anew if there were any. A segmentation without reference geometry takes the
    volume's.

    Args:
        mask: bool or 0 and 1, the volume's shape.
        volumeNode: whose grid the mask lies on.
        segmentationNode: holds the segment.
        segmentId: which segment.

    Raises:
        InputError: another shape, or see ``checkSegment``.
    """
    checkVolumeNode(volumeNode)
    checkSegment(volumeNode, segmentationNode, segmentId)
    grid = _gridOf(volumeNode)
    if mask.shape != grid.GetDimensions()[::-1]:
        raise InputError(
            f"The mask has the shape {mask.shape}, but the volume {_quoted(volumeNode)} has "
            f"{grid.GetDimensions()[::-1]} (k, j, i)."
        )
    segmentation = segmentationNode.GetSegmentation()
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    hadSurface = segmentation.ContainsRepresentation(surface)
    with slicer.util.NodeModify(segmentationNode):
        takeGeometryIfNone(segmentationNode, volumeNode)
        _replaceVoxels(np.asarray(mask) > 0, grid, segmentationNode, segmentId)
        if hadSurface:
            segmentationNode.CreateClosedSurfaceRepresentation()
        markInProgress(segmentation.GetSegment(segmentId))


def isEmpty(segmentationNode: Any, segmentId: str) -> bool:
    """Return whether a segment holds no voxel, or is not there."""
    if segmentationNode.GetSegmentation().GetSegment(segmentId) is None:
        return True
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    return labelmap is None or not any((part == value).any() for part in voxelsOf(labelmap))


def checkVolumeNode(volumeNode: Any) -> None:
    """Check that a node is an image to be segmented.

    Raises:
        InputError: none, removed from the scene, a labelmap or no volume, or no voxels.
    """
    _checkNode(volumeNode, "vtkMRMLScalarVolumeNode", "source volume", "a volume")
    if volumeNode.IsA("vtkMRMLLabelMapVolumeNode"):
        raise InputError(
            _(
                "The source volume {volume} is a labelmap; choose the image that it belongs to."
            ).format(volume=_quoted(volumeNode))
        )
    image = volumeNode.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0 or image.GetPointData().GetScalars() is None:
        raise InputError(_("The volume {volume} has no voxels.").format(volume=_quoted(volumeNode)))


def checkSegment(volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
    """Check that a segment exists and can be read and written on the volume's grid.

    Raises:
        InputError: no segmentation node of the scene, no such segment, no binary labelmaps, or
            another parent transform than the volume's.
    """
    _checkNode(segmentationNode, "vtkMRMLSegmentationNode", "segmentation", "a segmentation")
    named = _quoted(segmentationNode)
    segmentation = segmentationNode.GetSegmentation()
    if not segmentId or segmentation.GetSegment(segmentId) is None:
        raise InputError(
            _("The segmentation {segmentation} has no segment with the ID {segment!r}.").format(
                segmentation=named, segment=segmentId
            )
        )
    checkSegmentation(volumeNode, segmentationNode)


def checkSegmentation(volumeNode: Any, segmentationNode: Any) -> None:
    """Check that segments can be read and written on the volume's grid.

    Raises:
        InputError: no segmentation node of the scene, no binary labelmaps, or another parent
            transform than the volume's.
    """
    _checkNode(segmentationNode, "vtkMRMLSegmentationNode", "segmentation", "a segmentation")
    named = _quoted(segmentationNode)
    segmentation = segmentationNode.GetSegmentation()
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    stored = segmentation.GetSourceRepresentationName()
    if stored != binary:
        raise InputError(
            _(
                "The segmentation {segmentation} is stored as {stored}; convert it to {binary} in "
                "the module Segmentations first."
            ).format(segmentation=named, stored=stored.lower(), binary=binary.lower())
        )
    if not _sameTransform(volumeNode, segmentationNode):
        raise InputError(
            _(
                "The segmentation {segmentation} and the volume {volume} are under different "
                "transforms; put both under the same one in the module Transforms."
            ).format(segmentation=named, volume=_quoted(volumeNode))
        )


def checkOpen(segmentationNode: Any, segmentId: str) -> None:
    """Check that a segment is not locked: its status is anything but "completed".

    Raises:
        InputError: it is completed.
    """
    logic = slicer.modules.segmentations.logic()
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    if logic.GetSegmentStatus(segment) == logic.Completed:
        raise InputError(
            _(
                "The segment {segment!r} is completed, and stays as it is; set its status to in "
                "progress to change it."
            ).format(segment=segment.GetName())
        )


def checkLattice(volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
    """Check that what a segment holds lies on the volume's voxels, so that nothing is resampled.

    Raises:
        InputError: it lies on another grid.
    """
    labelmap, _value = labelmapOf(segmentationNode, segmentId)
    if labelmap is None:
        return
    if placementOf(extentOf(labelmap), matrixOf(labelmap), ijkToRasOf(volumeNode)) is None:
        segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
        raise InputError(
            _(
                "The segment {segment!r} lies on another grid than the volume {volume}; choose the "
                "volume that it was made on, or begin a new segment."
            ).format(segment=segment.GetName(), volume=_quoted(volumeNode))
        )


def _checkNode(node: Any, className: str, role: str, expected: str) -> None:
    if node is None:
        raise InputError(f"No {role} was given.")
    if not hasattr(node, "IsA") or not node.IsA("vtkMRMLNode"):
        raise InputError(f"The {role} is a {type(node).__name__}; a MRML node is expected.")
    if not node.IsA(className):
        raise InputError(
            f"The {role} {_quoted(node)} is a {node.GetClassName()}; {expected} is expected."
        )
    if node.GetScene() is None:
        raise InputError(f"The {role} {_quoted(node)} is no longer in the scene.")


def _quoted(node: Any) -> str:
    return repr(node.GetName())


def _component(quoted: str, array: np.ndarray, chosen: str | None) -> int:
    """Return which component (the last axis of ``array``) stands for the image."""
    count = array.shape[-1]
    if chosen is not None:
        if not chosen.isdigit() or int(chosen) >= count:
            raise InputError(
                _(
                    "The volume {volume} has the attribute {attribute} = {chosen!r}; a number from "
                    "0 to {last} is expected."
                ).format(
                    volume=quoted,
                    attribute=COMPONENT_ATTRIBUTE,
                    chosen=chosen,
                    last=count - 1,
                )
            )
        return int(chosen)
    gray = gray_component(array)
    if gray is not None:
        return gray
    raise InputError(
        _(
            "The volume {volume} has {count} components per voxel (color?); make a gray volume of "
            "it in the module Vector to Scalar Volume, or name one component in its attribute "
            "{attribute}."
        ).format(volume=quoted, count=count, attribute=COMPONENT_ATTRIBUTE)
    )


def ijkToRasOf(volumeNode: Any) -> np.ndarray:
    """Return a volume node's IJKToRAS, without parent transforms: 4 x 4."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _gridOf(volumeNode: Any) -> Any:
    """Return the volume's geometry as an oriented image without voxels."""
    grid = slicer.vtkOrientedImageData()
    grid.SetExtent(volumeNode.GetImageData().GetExtent())
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    grid.SetGeometryFromImageToWorldMatrix(matrix)
    return grid


def labelmapOf(segmentationNode: Any, segmentId: str) -> tuple[Any, int]:
    """Return the labelmap that holds a segment, perhaps with others, and the segment's value in it.

    The labelmap is the segment's own, not a copy; None where it holds no voxel at all.
    """
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    binary = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    labelmap = segment.GetRepresentation(binary)
    if labelmap is None or not hasVoxels(labelmap):
        return None, 0
    return labelmap, segment.GetLabelValue()


def extentOf(image: Any) -> Box:
    """Return which voxels (k, j, i) of its grid an oriented image has."""
    extent = image.GetExtent()
    return three(slice(extent[2 * axis], extent[2 * axis + 1] + 1) for axis in (2, 1, 0))


def matrixOf(image: Any) -> np.ndarray:
    """Return the 4 x 4 matrix from the voxels (i, j, k) of an oriented image to its RAS."""
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def placementOf(box: Box, ijkToRas: np.ndarray, ofLattice: np.ndarray) -> Placement | None:
    """Return how the array of a box lies on a lattice, or None where it lies on another one.

    Args:
        box: slices (k, j, i) of the grid ``ijkToRas``.
        ijkToRas: 4 x 4.
        ofLattice: 4 x 4 IJKToRAS of the lattice.
    """
    begin = np.eye(4)
    begin[:3, 3] = [part.start for part in box[::-1]]
    shape = tuple(part.stop - part.start for part in box)
    return placement(ijkToRas @ begin, shape, ofLattice)


def shapeOf(volumeNode: Any) -> tuple[int, int, int]:
    """Return the voxels of a volume node along (k, j, i)."""
    return tuple(volumeNode.GetImageData().GetDimensions()[::-1])


def hasVoxels(image: Any) -> bool:
    """Return whether there is anything for ``voxelsOf``."""
    return image.GetPointData().GetScalars() is not None and 0 not in image.GetDimensions()


def voxelsOf(image: Any) -> np.ndarray:
    """Return a view of the voxels of an image that has some, axes (k, j, i)."""
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])


def _replaceVoxels(mask: np.ndarray, grid: Any, segmentationNode: Any, segmentId: str) -> None:
    logic = slicer.modules.segmentations.logic()
    box = bounding_box(mask)
    if box is None:
        logic.ClearSegment(segmentationNode, segmentId)
        return
    image = slicer.vtkOrientedImageData()
    image.DeepCopy(grid)
    k, j, i = box
    image.SetExtent(i.start, i.stop - 1, j.start, j.stop - 1, k.start, k.stop - 1)
    voxels = np.ascontiguousarray(mask[box], dtype=np.uint8).ravel()
    image.GetPointData().SetScalars(numpy_to_vtk(voxels, deep=True))
    segmentIds = vtk.vtkStringArray()
    segmentIds.InsertNextValue(segmentId)
    if not logic.ImportLabelmapToSegmentationNode(image, segmentationNode, segmentIds):
        raise InputError(
            _("Slicer could not write the segment {segment!r}.").format(segment=segmentId)
        )


def takeGeometryIfNone(segmentationNode: Any, volumeNode: Any) -> None:
    """Let a segmentation without reference geometry take the volume's."""
    parameter = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    if not segmentationNode.GetSegmentation().GetConversionParameter(parameter):
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)


def markInProgress(segment: Any) -> None:
    """Give a segment that was not started the status "in progress"."""
    logic = slicer.modules.segmentations.logic()
    if logic.GetSegmentStatus(segment) == logic.NotStarted:
        logic.SetSegmentStatus(segment, logic.InProgress)


def _sameTransform(volumeNode: Any, segmentationNode: Any) -> bool:
    """Whether the parent transforms move both nodes alike."""
    parents = [node.GetParentTransformNode() for node in (volumeNode, segmentationNode)]
    if parents[0] is parents[1]:
        return True
    if not all(parent is None or parent.IsTransformToWorldLinear() for parent in parents):
        return False
    matrices = [_matrixToWorld(parent) for parent in parents]
    return bool(np.allclose(*matrices, rtol=0, atol=_TRANSFORM_TOLERANCE))


def _matrixToWorld(transformNode: Any) -> np.ndarray:
    if transformNode is None:
        return np.eye(4)
    matrix = vtk.vtkMatrix4x4()
    transformNode.GetMatrixTransformToWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)
