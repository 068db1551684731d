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

    Hardening changes the parent transform and the reference geometry at once. Cropping and
    resampling change the geometry alone, and leave what is there where it is.

    Args:
        before: from ``anchorOf``.
        after: the same, later.

    Returns:
        None when it was not moved.
    """
    (oldParent, _, oldGeometry), (parent, _, geometry) = (
        anchor.partition(" ") for anchor in (before, after)
    )
    if oldParent == parent or oldGeometry == geometry or "" in (oldGeometry, geometry):
        return None
    new, old = (_matrixOf(serialized) for serialized in (geometry, oldGeometry))
    return new @ np.linalg.inv(old)


def _matrixOf(geometry: str) -> np.ndarray:
    image = slicer.vtkOrientedImageData()
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(geometry, image, False)
    return matrixOf(image)
