"""The segments that seeds are painted in.

Each segmentation of a user has a companion node for seeds, so that the user's own segmentation
holds lesions and nothing else, and a stroke can never overwrite one. Each target has two segments
there, marked by tags; both are saved with the scene.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from DeepIGeoSLib.scene.colors import SEED_COLORS
from DeepIGeoSLib.scene.nodes import seedsFromSegment, writeMaskToSegment

SEEDS_ROLE = "DeepIGeoS.Seeds"
_TARGET_TAG = "DeepIGeoS.Target"
_CLASS_TAG = "DeepIGeoS.Class"


@dataclass(frozen=True)
class Seeds:
    """Where the seeds of one target are painted.

    Attributes:
        segmentationNode: the companion node.
        foregroundId: its segment for what belongs to the target.
        backgroundId: its segment for what does not.
    """

    segmentationNode: Any
    foregroundId: str
    backgroundId: str

    def read(self, volumeNode: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return both classes on the volume's grid: bool, axes (k, j, i)."""
        return tuple(
            seedsFromSegment(volumeNode, self.segmentationNode, segmentId)
            for segmentId in (self.foregroundId, self.backgroundId)
        )

    def write(self, volumeNode: Any, foreground: np.ndarray, background: np.ndarray) -> None:
        """Replace both classes."""
        writeMaskToSegment(foreground, volumeNode, self.segmentationNode, self.foregroundId)
        writeMaskToSegment(background, volumeNode, self.segmentationNode, self.backgroundId)

    def clear(self) -> None:
        """Remove every seed."""
        logic = slicer.modules.segmentations.logic()
        for segmentId in (self.foregroundId, self.backgroundId):
            logic.ClearSegment(self.segmentationNode, segmentId)


def holdsSeeds(segmentationNode: Any) -> bool:
    """Return whether a segmentation is one for seeds, be the user's one still there or not."""
    segmentation = segmentationNode.GetSegmentation()
    return any(
        _tag(segmentation.GetSegment(segmentId), _CLASS_TAG) is not None
        for segmentId in segmentation.GetSegmentIDs()
    )


def seedsNodes() -> list[Any]:
    """Return the scene's segmentations for seeds, which are nothing to segment into."""
    return [
        node for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode") if holdsSeeds(node)
    ]


def findSeeds(segmentationNode: Any, segmentId: str) -> Seeds | None:
    """Return where the seeds of a target are painted, or None when there is no place yet."""
    node = segmentationNode.GetNodeReference(SEEDS_ROLE)
    if node is None:
        return None
    found = {name: _segmentFor(node.GetSegmentation(), segmentId, name) for name in SEED_COLORS}
    if None in found.values():
        return None
    return Seeds(node, found["foreground"], found["background"])


def makeSeeds(volumeNode: Any, segmentationNode: Any, segmentId: str) -> Seeds:
    """Return where the seeds of a target are painted, and make what is missing."""
    node = segmentationNode.GetNodeReference(SEEDS_ROLE)
    if node is None:
        node = _makeNode(volumeNode, segmentationNode)
    # Strokes are painted on the volume's grid and belong to it, whatever moves the volume.
    node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    segmentation = node.GetSegmentation()
    for name, color in SEED_COLORS.items():
        if _segmentFor(segmentation, segmentId, name) is None:
            title = f"{segmentationNode.GetSegmentation().GetSegment(segmentId).GetName()} {name}"
            made = segmentation.AddEmptySegment("", title, color)
            segmentation.GetSegment(made).SetTag(_TARGET_TAG, segmentId)
            segmentation.GetSegment(made).SetTag(_CLASS_TAG, name)
    return findSeeds(segmentationNode, segmentId)


def showOnly(seeds: Seeds) -> None:
    """Show the seeds of one target and hide those of the others."""
    display = seeds.segmentationNode.GetDisplayNode()
    shown = (seeds.foregroundId, seeds.backgroundId)
    for segmentId in seeds.segmentationNode.GetSegmentation().GetSegmentIDs():
        display.SetSegmentVisibility(segmentId, segmentId in shown)


def _segmentFor(segmentation: Any, target: str, name: str) -> str | None:
    for segmentId in segmentation.GetSegmentIDs():
        segment = segmentation.GetSegment(segmentId)
        if _tag(segment, _TARGET_TAG) == target and _tag(segment, _CLASS_TAG) == name:
            return segmentId
    return None


def _tag(segment: Any, name: str) -> str | None:
    value = vtk.reference("")
    return str(value) if segment.GetTag(name, value) else None


def _makeNode(volumeNode: Any, segmentationNode: Any) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", f"{segmentationNode.GetName()} seeds"
    )
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    segmentationNode.SetNodeReferenceID(SEEDS_ROLE, node.GetID())
    return node
