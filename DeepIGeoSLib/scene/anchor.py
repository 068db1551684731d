"""Noticing that a segmentation was moved: what belongs to it has to move along."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.scene.nodes import matrixOf


def anchorOf(segmentationNode: Any) -> str:
    """Return what says where a segmentation lies: its parent transform and reference geometry."""
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    geometry = segmentationNode.GetSegmentation().GetConversionParameter(name) or ""
    return f"{segmentationNode.GetTransformNodeID() or ''} {geometry}"


def movement(before: str, after: str) -> np.ndarray | None:
    """Return how a hardened transform has moved the voxels of a segmentation: 4 x 4, in its RAS.

    Hardening changes the matrix of the reference geometry and keeps its extent. Cropping and
    resampling change the extent, and leave what is there where it is. Which parent transform there
    was doesn't matter: one may have been set and hardened before anybody looked.

    Args:
        before: from ``anchorOf``.
        after: the same, later.

    Returns:
        None when it was not moved.
    """
    oldGeometry, geometry = (anchor.partition(" ")[2] for anchor in (before, after))
    if oldGeometry == geometry or "" in (oldGeometry, geometry):
        return None
    new, old = (_imageOf(serialized) for serialized in (geometry, oldGeometry))
    if new.GetExtent() != old.GetExtent():
        return None
    return matrixOf(new) @ np.linalg.inv(matrixOf(old))


def _imageOf(geometry: str) -> Any:
    image = slicer.vtkOrientedImageData()
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, image, False)
    return image
