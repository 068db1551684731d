"""The segments that seeds are painted in.

Each segmentation of a user has a companion node for seeds, so that the user's own segmentation
holds lesions and nothing else, and a stroke can never overwrite one. Each target has two segments
there, marked by tags; both are saved with the scene. A companion belongs to one segmentation: the
copy of a segmentation gets its own, a hardened transform moves both, and deleting takes both away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from DeepIGeoSLib.grid.boxes import Box, relative_box, shared_box, three
from DeepIGeoSLib.scene.anchor import anchorOf, movement
from DeepIGeoSLib.scene.colors import SEED_COLORS
from DeepIGeoSLib.scene.labels import VoxelReader
from DeepIGeoSLib.scene.nodes import (
    extentOf,
    isEmpty,
    labelmapOf,
    seedsFromSegment,
    shapeOf,
    voxelsOf,
    writeMaskToSegment,
)
from DeepIGeoSLib.scene.segment_voxels import seedVoxels, setVoxels

SEEDS_ROLE = "DeepIGeoS.Seeds"
_OWNER_ROLE = "DeepIGeoS.SeedsOf"
_COMPANION = "DeepIGeoS.Companion"
_ANCHOR = "DeepIGeoS.Anchor"
_TARGET_TAG = "DeepIGeoS.Target"
_CLASS_TAG = "DeepIGeoS.Class"
_CLEARED_TAG = "DeepIGeoS.Cleared"

Strokes = tuple[np.ndarray, np.ndarray]


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
        foreground, background = (
            seedsFromSegment(volumeNode, self.segmentationNode, segmentId)
            for segmentId in (self.foregroundId, self.backgroundId)
        )
        return foreground, background

    def write(self, volumeNode: Any, foreground: np.ndarray, background: np.ndarray) -> None:
        """Replace both classes."""
        writeMaskToSegment(foreground, volumeNode, self.segmentationNode, self.foregroundId)
        writeMaskToSegment(background, volumeNode, self.segmentationNode, self.backgroundId)

    def voxels(self, volumeNode: Any) -> tuple[VoxelReader, VoxelReader]:
        """Return what lists the voxels of both classes as they are painted now."""
        foreground, background = (
            seedVoxels(volumeNode, self.segmentationNode, segmentId)
            for segmentId in (self.foregroundId, self.backgroundId)
        )
        return foreground, background

    def paint(self, volumeNode: Any, box: Box, stroke: np.ndarray, *, foreground: bool) -> None:
        """Add a stroke to one class; the other one loses the voxels below it.

        Args:
            volumeNode: whose grid.
            box: slices (k, j, i) of the volume.
            stroke: bool, the box's shape.
            foreground: which class.
        """
        added, lost = self.foregroundId, self.backgroundId
        if not foreground:
            added, lost = lost, added
        setVoxels((volumeNode, self.segmentationNode, lost), box, stroke, belongs=False)
        setVoxels((volumeNode, self.segmentationNode, added), box, stroke, belongs=True)

    def rubOut(self, volumeNode: Any, box: Box, stroke: np.ndarray, *, foreground: bool) -> None:
        """Erase the voxels of a stroke from one class; see ``paint``."""
        segmentId = self.foregroundId if foreground else self.backgroundId
        setVoxels((volumeNode, self.segmentationNode, segmentId), box, stroke, belongs=False)

    def erase(self, volumeNode: Any, voxels: Strokes) -> None:
        """Erase voxels of each class, by their sorted numbers."""
        self.exchange(volumeNode, voxels, (voxels[0][:0], voxels[1][:0]))

    def exchange(self, volumeNode: Any, before: Strokes, after: Strokes) -> None:
        """Erase strokes that are no more, and paint those that came; all others stay.

        Args:
            volumeNode: whose grid.
            before: sorted voxel numbers of both classes.
            after: the same, later.
        """
        segmentIds = (self.foregroundId, self.backgroundId)
        for segmentId, old, new in zip(segmentIds, before, after, strict=True):
            for voxels, belongs in (
                (np.setdiff1d(old, new, assume_unique=True), False),
                (np.setdiff1d(new, old, assume_unique=True), True),
            ):
                if voxels.size:
                    box, where = _boxed(voxels, shapeOf(volumeNode))
                    place = (volumeNode, self.segmentationNode, segmentId)
                    setVoxels(place, box, where, belongs=belongs)

    @property
    def overlap(self) -> bool:
        """Whether a voxel is painted in both classes."""
        (first, one), (second, other) = (
            labelmapOf(self.segmentationNode, segmentId)
            for segmentId in (self.foregroundId, self.backgroundId)
        )
        if first is None or second is None or first is second:
            return False  # one labelmap has one value in each voxel
        shared = shared_box(extentOf(first), extentOf(second))
        if shared is None:
            return False
        inside = [
            voxelsOf(image)[relative_box(shared, extentOf(image))] for image in (first, second)
        ]
        return bool(((inside[0] == one) & (inside[1] == other)).any())

    @property
    def empty(self) -> bool:
        """Whether nothing is painted."""
        segmentIds = (self.foregroundId, self.backgroundId)
        return all(isEmpty(self.segmentationNode, segmentId) for segmentId in segmentIds)

    def clear(self, forNow: bool = False) -> None:
        """Remove every seed.

        Args:
            forNow: the answered ones are to come back when the target is worked on again.
        """
        logic = slicer.modules.segmentations.logic()
        for segmentId in (self.foregroundId, self.backgroundId):
            logic.ClearSegment(self.segmentationNode, segmentId)
        if forNow:
            self._foreground.SetTag(_CLEARED_TAG, "1")

    def takeCleared(self) -> bool:
        """Return whether the seeds were cleared for the time being, and forget it."""
        wasCleared = self._foreground.HasTag(_CLEARED_TAG)
        self._foreground.RemoveTag(_CLEARED_TAG)
        return wasCleared

    @property
    def _foreground(self) -> Any:
        return self.segmentationNode.GetSegmentation().GetSegment(self.foregroundId)


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
    node = _companion(segmentationNode)
    if node is None:
        return None
    foreground, background = (
        _segmentFor(node.GetSegmentation(), segmentId, name)
        for name in ("foreground", "background")
    )
    if foreground is None or background is None:
        return None
    return Seeds(node, foreground, background)


def makeSeeds(volumeNode: Any, segmentationNode: Any, segmentId: str) -> Seeds:
    """Return where the seeds of a target are painted, and make what is missing."""
    node = _companion(segmentationNode) or _makeNode(segmentationNode)
    node.SetAttribute(_COMPANION, "1")
    if node.GetNodeReferenceID(_OWNER_ROLE) != segmentationNode.GetID():
        node.SetNodeReferenceID(_OWNER_ROLE, segmentationNode.GetID())
    # Strokes are painted on the volume's grid and belong to it, whatever moves the volume.
    if node.GetTransformNodeID() != volumeNode.GetTransformNodeID():
        node.SetAndObserveTransformNodeID(volumeNode.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
    node.SetAttribute(_ANCHOR, anchorOf(segmentationNode))
    segmentation = node.GetSegmentation()
    segmentIds: dict[str, str] = {}
    for name, color in SEED_COLORS.items():
        found = _segmentFor(segmentation, segmentId, name)
        if found is None:
            title = f"{segmentationNode.GetSegmentation().GetSegment(segmentId).GetName()} {name}"
            found = segmentation.AddEmptySegment("", title, color)
            segmentation.GetSegment(found).SetTag(_TARGET_TAG, segmentId)
            segmentation.GetSegment(found).SetTag(_CLASS_TAG, name)
        segmentIds[name] = found
    return Seeds(node, segmentIds["foreground"], segmentIds["background"])


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


def isCompanion(node: Any) -> bool:
    """Return whether a node holds seeds, and no user's segments."""
    return node.GetAttribute(_COMPANION) is not None


def ownerOf(companion: Any) -> Any:
    """Return the segmentation that a companion belongs to, or None."""
    return companion.GetNodeReference(_OWNER_ROLE)


def removeOrphans(scene: Any) -> None:
    """Remove the seeds of targets and segmentations that are no longer there."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode", scene)
    for node in filter(isCompanion, nodes):
        owner = ownerOf(node)
        if owner is None:
            scene.RemoveNode(node)
            continue
        targets = set(owner.GetSegmentation().GetSegmentIDs())
        segmentation = node.GetSegmentation()
        for segmentId in segmentation.GetSegmentIDs():
            segment = segmentation.GetSegment(segmentId)
            if segment is None:
                continue  # whoever watches for removals has removed it meanwhile
            if _tag(segment, _TARGET_TAG) not in (None, *targets):
                segmentation.RemoveSegment(segmentId)


def _companion(segmentationNode: Any) -> Any:
    """Return the node for the seeds of a segmentation, moved along with it, or None."""
    node = segmentationNode.GetNodeReference(SEEDS_ROLE)
    if node is None:
        return None
    if node.GetNodeReferenceID(_OWNER_ROLE) not in (None, segmentationNode.GetID()):
        return None  # a copied segmentation still refers to the companion of the original
    _moveAlong(node, segmentationNode)
    return node


def _moveAlong(node: Any, segmentationNode: Any) -> None:
    """Move the seeds as a hardened transform has moved their segmentation."""
    anchor, before = anchorOf(segmentationNode), node.GetAttribute(_ANCHOR)
    if before is None or before == anchor:
        return
    node.SetAttribute(_ANCHOR, anchor)
    node.SetAndObserveTransformNodeID(segmentationNode.GetTransformNodeID())
    moved = movement(before, anchor)
    if moved is not None:
        node.ApplyTransformMatrix(slicer.util.vtkMatrixFromArray(moved))


def _boxed(voxels: np.ndarray, shape: tuple[int, int, int]) -> tuple[Box, np.ndarray]:
    """Return the box around voxels, and which of it they are."""
    places = np.unravel_index(voxels, shape)
    box = three(slice(int(place.min()), int(place.max()) + 1) for place in places)
    where = np.zeros([part.stop - part.start for part in box], dtype=bool)
    where[tuple(place - part.start for place, part in zip(places, box, strict=True))] = True
    return box, where


def _makeNode(segmentationNode: Any) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", f"{segmentationNode.GetName()} seeds"
    )
    node.CreateDefaultDisplayNodes()
    segmentationNode.SetNodeReferenceID(SEEDS_ROLE, node.GetID())
    return node
