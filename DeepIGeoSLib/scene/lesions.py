"""The user's own segments: new ones, empty ones, completed ones."""

from __future__ import annotations

from typing import Any

import slicer

from DeepIGeoSLib.scene.colors import lesionColor
from DeepIGeoSLib.scene.translation import tr as _

_FROM_SEEDS_TAG = "DeepIGeoS.FromSeeds"


def newSegmentation(volumeNode: Any) -> Any:
    """Add a segmentation on the volume's grid and under its transform to the scene."""
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", f"{volumeNode.GetName()} segmentation"
    )
    node.CreateDefaultDisplayNodes()
    # The transform first: the reference geometry is expressed below it.
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    return node


def addLesion(segmentationNode: Any) -> str:
    """Add an empty segment with a name and a color of its own; return its ID."""
    segmentation = segmentationNode.GetSegmentation()
    names = {segmentation.GetSegment(i).GetName() for i in segmentation.GetSegmentIDs()}
    name, number = _("Lesion"), 1
    while name in names:
        number += 1
        name = _("Lesion {number}").format(number=number)
    return segmentation.AddEmptySegment("", name, lesionColor(segmentation))


def isAutomaticName(name: str) -> bool:
    """Return whether a segment's name is one that ``addLesion`` gives."""
    numbered = _("Lesion {number}").split("{number}")
    middle = name.removeprefix(numbered[0]).removesuffix(numbered[-1])
    return name == _("Lesion") or (name != middle and middle.isdigit())


def isCompleted(segmentationNode: Any, segmentId: str) -> bool:
    """Return whether a segment has the status "completed", which locks it here."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    logic = slicer.modules.segmentations.logic()
    return segment is not None and logic.GetSegmentStatus(segment) == logic.Completed


def setCompleted(segmentationNode: Any, segmentId: str, completed: bool) -> None:
    """Give a segment the status "completed", or "in progress"."""
    logic = slicer.modules.segmentations.logic()
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    logic.SetSegmentStatus(segment, logic.Completed if completed else logic.InProgress)


def isGrownFromSeeds(segmentationNode: Any, segmentId: str) -> bool:
    """Return whether a segment began empty, and no model is to fill it before its first stroke."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    return segment is not None and segment.HasTag(_FROM_SEEDS_TAG)


def setGrownFromSeeds(segmentationNode: Any, segmentId: str) -> None:
    """Let no model fill a segment before its first stroke; this is saved with the segment."""
    segmentationNode.GetSegmentation().GetSegment(segmentId).SetTag(_FROM_SEEDS_TAG, "1")
