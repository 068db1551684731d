"""Objects that were found, each as a segment of its own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import slicer

from DeepIGeoSLib.instances import Instances
from DeepIGeoSLib.scene.colors import LESION_COLORS
from DeepIGeoSLib.scene.segment_voxels import setVoxels
from DeepIGeoSLib.scene.translation import tr as _


def addInstances(instances: Instances, volumeNode: Any, segmentationNode: Any) -> list[str]:
    """Add a segment for each object, the surest first; the other segments stay as they are.

    Args:
        instances: found in the volume.
        volumeNode: the image.
        segmentationNode: gets the segments.

    Returns:
        Their IDs.
    """
    segmentation = segmentationNode.GetSegmentation()
    taken = {segmentation.GetSegment(i).GetName() for i in segmentation.GetSegmentIDs()}
    names: dict[str, Iterator[str]] = {}
    added = []
    with slicer.util.NodeModify(segmentationNode):
        for number, one in enumerate(instances.found):
            kind = one.kind or _("Object")
            name = next(names.setdefault(kind, _freeNames(kind, taken)))
            color = LESION_COLORS[number % len(LESION_COLORS)]
            segmentId = segmentation.AddEmptySegment("", name, color)
            setVoxels((volumeNode, segmentationNode, segmentId), one.box, one.mask, belongs=True)
            added.append(segmentId)
    return added


def _freeNames(kind: str, taken: set[str]) -> Iterator[str]:
    """Yield the kind with a number, without the names that segments have already."""
    for number in count(1):
        name = f"{kind} {number}"
        if name not in taken:
            yield name
