"""The segments of a model's several targets: found by their tags, made where they are missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.scene.labels import Change
from DeepIGeoSLib.scene.lesions import addLesion, isAutomaticName, isCompleted
from DeepIGeoSLib.scene.nodes import SegmentPlace, isEmpty
from DeepIGeoSLib.scene.segment_voxels import changeSegment, labelsOfSegment
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.targets import CLASSES_TAG, TARGET_TAG, Target, colored, tags_of


def targetOf(segmentationNode: Any, segmentId: str) -> str:
    """Return the name of the target that a segment was proposed as; "" when it was not."""
    return _tag(segmentationNode, segmentId, TARGET_TAG)


def segmentsOfTargets(
    segmentationNode: Any, segmentId: str, targets: Sequence[Target]
) -> dict[str, str]:
    """Return the IDs of the segments of targets, by the targets' names.

    Segments that were proposed before are found by their tags. A target without one gets the chosen
    segment, if that is empty and nobody's, or a new segment with its name and color.

    Args:
        segmentationNode: holds the segments.
        segmentId: the chosen one, or "".
        targets: of the model.
    """
    segmentation = segmentationNode.GetSegmentation()
    known = {targetOf(segmentationNode, known): known for known in segmentation.GetSegmentIDs()}
    found = {}
    with slicer.util.NodeModify(segmentationNode):
        for target in colored(targets):
            own = known.get(target.name)
            if own is None and _isFree(segmentationNode, segmentId):
                own = segmentId
            elif own is None:
                own = addLesion(segmentationNode)
            found[target.name] = own
            _mark(segmentationNode, own, target)
    return found


def markAsTarget(segmentationNode: Any, segmentId: str, targets: Sequence[Target]) -> None:
    """Make a segment that of the target that it was proposed as, or that it is named like.

    Raises:
        InputError: it is none of them.
    """
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    words = (targetOf(segmentationNode, segmentId), segment.GetName())
    own = [target for word in words for target in targets if target.name == word]
    if not own:
        raise InputError(
            _(
                "This model knows several targets; give the segment the name of one: {names}."
            ).format(names=", ".join(target.name for target in targets))
        )
    _mark(segmentationNode, segmentId, own[0])


def neighborsOf(segmentationNode: Any, segmentId: str) -> list[str]:
    """Return the IDs of the segments whose targets exclude that of a segment."""
    own = _classes(segmentationNode, segmentId)
    if not own:
        return []
    others = segmentationNode.GetSegmentation().GetSegmentIDs()
    return [
        other
        for other in others
        if other != segmentId
        and (classes := _classes(segmentationNode, other))
        and not own & classes
    ]


def heldByNeighbors(
    volumeNode: Any, segmentationNode: Any, segmentId: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return which voxels neighbors hold, and which of them are of completed ones.

    Bool, axes (k, j, i); None when there is no neighbor.
    """
    held = locked = None
    for other in neighborsOf(segmentationNode, segmentId):
        labels = labelsOfSegment(volumeNode, segmentationNode, other)
        if held is None or locked is None:
            held, locked = (np.zeros(labels.shape, dtype=bool) for _ in range(2))
        inside = labels.read(labels.box)
        held[labels.box] |= inside
        if isCompleted(segmentationNode, other):
            locked[labels.box] |= inside
    return None if held is None or locked is None else (held, locked)


def takeFromNeighbors(place: SegmentPlace, box: Box) -> None:
    """Take the voxels of a segment in a box away from its neighbors; completed ones stay.

    Args:
        place: of the segment that keeps its voxels.
        box: slices (k, j, i) of the volume.
    """
    volumeNode, segmentationNode, segmentId = place
    own = labelsOfSegment(*place).read(box)
    for other in neighborsOf(segmentationNode, segmentId):
        labels = labelsOfSegment(volumeNode, segmentationNode, other)
        both = own & labels.read(box)
        if both.any() and not isCompleted(segmentationNode, other):
            changeSegment((volumeNode, segmentationNode, other), Change(box, both), labels)


def _isFree(segmentationNode: Any, segmentId: str) -> bool:
    """Return whether a segment is there, empty, open and of no target."""
    if not segmentId or segmentationNode.GetSegmentation().GetSegment(segmentId) is None:
        return False
    return (
        not targetOf(segmentationNode, segmentId)
        and not isCompleted(segmentationNode, segmentId)
        and isEmpty(segmentationNode, segmentId)
    )


def _mark(segmentationNode: Any, segmentId: str, target: Target) -> None:
    """Say in a segment's tags what it is; a new one gets name and color."""
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    isNew = not targetOf(segmentationNode, segmentId)
    for key, text in tags_of(target).items():
        segment.SetTag(key, text)
    if isNew and isAutomaticName(segment.GetName()):
        segment.SetName(target.name)
        segment.SetColor(*(part / 255 for part in target.color or (255, 255, 255)))


def _classes(segmentationNode: Any, segmentId: str) -> set[str]:
    return {part for part in _tag(segmentationNode, segmentId, CLASSES_TAG).split(",") if part}


def _tag(segmentationNode: Any, segmentId: str, key: str) -> str:
    segment = segmentationNode.GetSegmentation().GetSegment(segmentId)
    found = vtk.reference("")
    if segment is None or not segment.GetTag(key, found):
        return ""
    return str(found)
