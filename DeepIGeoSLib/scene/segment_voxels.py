"""Voxels of segments, read and written at the cost of what is there or what changes.

Nothing here makes an array as large as the volume, unless a segment lies on another grid than the
volume and has to be resampled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, bounding_box, relative_box, shared_box, three, whole_box
from DeepIGeoSLib.scene.labels import Change, Labels, VoxelReader
from DeepIGeoSLib.scene.nodes import (
    SegmentPlace,
    extentOf,
    ijkToRasOf,
    labelmapOf,
    markInProgress,
    maskFromSegment,
    matrixOf,
    placementOf,
    seedsFromSegment,
    shapeOf,
    takeGeometryIfNone,
    voxelsOf,
    writeMaskToSegment,
)
from DeepIGeoSLib.scene.translation import tr as _


def segmentStamp(segmentationNode: Any, segmentId: str) -> tuple[int, ...]:
    """Return a value that changes whenever the voxels of a segment may have changed."""
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    return () if labelmap is None else (labelmap.GetMTime(), value)


def labelsOfSegment(volumeNode: Any, segmentationNode: Any, segmentId: str) -> Labels:
    """Return where a segment lies on the volume's grid; see ``maskFromSegment``."""
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    shape = shapeOf(volumeNode)
    if labelmap is None:
        return Labels(shape)
    extent = extentOf(labelmap)
    placed = placementOf(extent, matrixOf(labelmap), ijkToRasOf(volumeNode))
    if placed is None:
        mask = maskFromSegment(volumeNode, segmentationNode, segmentId)
        box = bounding_box(mask)
        return Labels(shape) if box is None else Labels(shape, box, mask[box].copy())
    values = placed.turned(voxelsOf(labelmap))
    onVolume = _boxAt(placed.offset, values.shape)
    inside = shared_box(onVolume, whole_box(shape))
    if inside is None:
        return Labels(shape)
    values = values[relative_box(inside, onVolume)]
    return Labels(shape, inside, values == value)


def changeSegment(place: SegmentPlace, change: Change, labels: Labels) -> None:
    """Flip the voxels of a change in one segment; every other segment stays as it is.

    Name, color, terminology and surfaces are treated as by ``writeMaskToSegment``.

    Args:
        place: which segment, and the volume whose grid it is on.
        change: on the volume's grid.
        labels: what the segment holds now.
    """
    target = labels.read(change.box)
    setVoxels(place, change.box, change.flips & ~target, belongs=True)
    setVoxels(place, change.box, change.flips & target, belongs=False)


def setVoxels(place: SegmentPlace, box: Box, where: np.ndarray, *, belongs: bool) -> None:
    """Put voxels into a segment, or take them out of it.

    Args:
        place: which segment, and the volume whose grid it is on.
        box: slices (k, j, i) of the volume.
        where: bool, the box's shape: which voxels.
        belongs: whether they belong to the segment from now on.

    Raises:
        InputError: Slicer could not write it.
    """
    volumeNode, segmentationNode, segmentId = place
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    if not where.any() or (labelmap is None and not belongs):
        return
    matrix = ijkToRasOf(volumeNode)
    if labelmap is not None:
        placed = placementOf(box, matrix, matrixOf(labelmap))
        if placed is None:
            _setResampled(box, where, belongs, volumeNode, segmentationNode, segmentId)
            return
        where, matrix = placed.turned(where), matrixOf(labelmap)
        box = _boxAt(placed.offset, where.shape)
    logic = slicer.modules.segmentations.logic()
    mode = logic.MODE_MERGE_MASK
    if not belongs:
        # Slicer takes voxels from all segments that share the labelmap: name only those of this.
        mode, where = logic.MODE_MERGE_MIN, where & _holding(labelmap, value, box)
        if not where.any():
            return
    image = _imageOf(box, where if belongs else ~where, matrix)
    segmentation = segmentationNode.GetSegmentation()
    surface = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    hadSurface = segmentation.ContainsRepresentation(surface)
    with slicer.util.NodeModify(segmentationNode):
        takeGeometryIfNone(segmentationNode, volumeNode)
        written = logic.SetBinaryLabelmapToSegment(
            image, segmentationNode, segmentId, mode, image.GetExtent()
        )
        if not written:
            raise InputError(
                _("Slicer could not write the segment {segment!r}.").format(segment=segmentId)
            )
        if hadSurface and not segmentation.ContainsRepresentation(surface):
            segmentationNode.CreateClosedSurfaceRepresentation()
        markInProgress(segmentation.GetSegment(segmentId))


def seedVoxels(volumeNode: Any, segmentationNode: Any, segmentId: str) -> VoxelReader:
    """Return a function that lists where seeds are painted now, whatever is painted later.

    The function returns the sorted numbers of the voxels in the flattened volume; it may be called
    on any thread. See ``seedsFromSegment``.
    """
    labelmap, value = labelmapOf(segmentationNode, segmentId)
    if labelmap is None:
        return lambda: np.empty(0, dtype=np.intp)
    shape = shapeOf(volumeNode)
    extent, voxels = extentOf(labelmap), voxelsOf(labelmap)
    placed = placementOf(extent, matrixOf(labelmap), ijkToRasOf(volumeNode))
    if placed is None:
        seeds = seedsFromSegment(volumeNode, segmentationNode, segmentId)
        return lambda: np.flatnonzero(seeds)
    slices = np.flatnonzero(_slicesWithAny(voxels))
    kept, size = voxels[slices], voxels.shape

    def read() -> np.ndarray:
        found = list(np.nonzero(kept == value))
        found[0] = slices[found[0]]
        places = np.stack(
            [
                (size[axis] - 1 - found[axis] if flip else found[axis]) + begin
                for axis, flip, begin in zip(placed.axes, placed.flips, placed.offset, strict=True)
            ]
        )
        inside = np.all((places >= 0) & (places < np.array(shape)[:, None]), axis=0)
        return np.sort(np.ravel_multi_index(tuple(places[:, inside]), shape))

    return read


def _holding(labelmap: Any, value: int, box: Box) -> np.ndarray:
    """Return which voxels of a box (of the labelmap's grid) have a value: bool."""
    extent = extentOf(labelmap)
    holding = np.zeros([part.stop - part.start for part in box], dtype=bool)
    shared = shared_box(box, extent)
    if shared is not None:
        inside = voxelsOf(labelmap)[relative_box(shared, extent)]
        holding[relative_box(shared, box)] = inside == value
    return holding


def _slicesWithAny(voxels: np.ndarray) -> np.ndarray:
    """Return which slices hold anything, looking at eight bytes at a time where it is possible."""
    flat = voxels.reshape(len(voxels), -1)
    if flat.flags.c_contiguous and flat.strides[0] % 8 == 0:
        flat = flat.view(np.uint64)
    return flat.max(axis=1) > 0


def _boxAt(offset: tuple[int, int, int], shape: tuple[int, ...]) -> Box:
    return three(slice(begin, begin + size) for begin, size in zip(offset, shape, strict=True))


def _imageOf(box: Box, values: np.ndarray, matrix: np.ndarray) -> Any:
    image = slicer.vtkOrientedImageData()
    k, j, i = box
    image.SetExtent(i.start, i.stop - 1, j.start, j.stop - 1, k.start, k.stop - 1)
    image.SetGeometryFromImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix))
    voxels = np.ascontiguousarray(values, dtype=np.uint8).ravel()
    image.GetPointData().SetScalars(
        numpy_to_vtk(voxels, deep=True, array_type=vtk.VTK_UNSIGNED_CHAR)
    )
    return image


def _setResampled(
    box: Box,
    where: np.ndarray,
    belongs: bool,
    volumeNode: Any,
    segmentationNode: Any,
    segmentId: str,
) -> None:
    mask = maskFromSegment(volumeNode, segmentationNode, segmentId)
    mask[box] = (mask[box] | where) if belongs else (mask[box] & ~where)
    writeMaskToSegment(mask, volumeNode, segmentationNode, segmentId)
