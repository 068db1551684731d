"""Voxels that were painted in both classes of seeds: the later stroke wins.

The Segment Editor lets strokes of both kinds overlap, and a saved scene can't tell which came
later. So the seeds are settled in the scene itself, as soon as a stroke is finished.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from DeepIGeoSLib.scene.labels import VoxelReader
from DeepIGeoSLib.scene.seeds import Seeds, findSeeds
from DeepIGeoSLib.scene.segment_voxels import labelsOfSegment


class Overlaps:
    """Follows the seeds of one target from stroke to stroke."""

    def __init__(self) -> None:
        """Begin without seeds."""
        self._before: tuple[VoxelReader, VoxelReader] | None = None

    def begin(self, volumeNode: Any, seeds: Seeds) -> None:
        """Take what is painted already."""
        self._before = seeds.voxels(volumeNode)

    def settle(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Erase from each class the voxels that the other one got later.

        Of voxels that had both classes before, the target tells which came later: every round obeys
        its strokes. Those that got both at once stay, and are refused by the next round.
        """
        seeds = findSeeds(segmentationNode, segmentId)
        if seeds is None:
            return
        if seeds.overlap and self._before is not None:
            foreground, background = seeds.voxels(volumeNode)
            both = np.intersect1d(foreground(), background())
            before = [np.isin(both, read(), assume_unique=True) for read in self._before]
            target = labelsOfSegment(volumeNode, segmentationNode, segmentId).holds(both)
            wasForeground = before[0] & (~before[1] | ~target)
            wasBackground = before[1] & (~before[0] | target)
            seeds.erase(volumeNode, (both[wasForeground], both[wasBackground]))
        self.begin(volumeNode, seeds)
