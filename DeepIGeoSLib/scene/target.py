"""What is worked on: a segment, its segmentation, and the volume that it is drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.scene.lesions import isCompleted
from DeepIGeoSLib.scene.nodes import (
    SegmentPlace,
    checkLattice,
    checkOpen,
    checkSegment,
    checkVolumeNode,
)
from DeepIGeoSLib.scene.seeds import Seeds, findSeeds
from DeepIGeoSLib.scene.translation import tr as _


@dataclass(frozen=True)
class Target:
    """A choice of nodes and segment, of which each may still be missing (None or "")."""

    volumeNode: Any = None
    segmentationNode: Any = None
    segmentId: str = ""

    @property
    def place(self) -> SegmentPlace:
        """The three, as the methods of ``SegmentationLogic`` take them."""
        return (self.volumeNode, self.segmentationNode, self.segmentId)

    @property
    def isWhole(self) -> bool:
        """Whether nothing is missing."""
        return None not in (self.volumeNode, self.segmentationNode) and bool(self.segmentId)

    @property
    def isAccepted(self) -> bool:
        """Whether the segment is completed and so stays as it is."""
        return self.isWhole and isCompleted(self.segmentationNode, self.segmentId)

    @property
    def seeds(self) -> Seeds | None:
        """Where the segment's seeds are painted; None before there are any."""
        if self.segmentationNode is None or not self.segmentId:
            return None
        return findSeeds(self.segmentationNode, self.segmentId)

    def checkVolume(self) -> None:
        """Raise ``InputError`` unless there is a volume that can be worked on."""
        if self.volumeNode is None:
            raise InputError(_("Load an image and choose it as source volume."))
        checkVolumeNode(self.volumeNode)

    def check(self) -> None:
        """Raise ``InputError`` unless the segment can be changed."""
        self.checkVolume()
        checkSegment(*self.place)
        checkOpen(self.segmentationNode, self.segmentId)
        checkLattice(*self.place)
