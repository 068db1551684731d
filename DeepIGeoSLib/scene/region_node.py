"""The region of influence as something to see and to move."""

from __future__ import annotations

from typing import Any

import slicer

from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.scene.places import boxOfRoi, showBox

_ATTRIBUTE = "DeepIGeoS.Region"


def isRegion(node: Any) -> bool:
    """Return whether a node shows the region of influence."""
    return bool(node.GetAttribute(_ATTRIBUTE))


class RegionNode:
    """Shows where a round could change something; pinned, it says where the next ones may."""

    def __init__(self) -> None:
        """Begin without a node: nothing is added to a scene that no stroke was painted in."""
        self.visible = True
        self.pinned = False

    @property
    def node(self) -> Any:
        """The ROI node of the scene, or None."""
        for node in slicer.util.getNodesByClass("vtkMRMLMarkupsROINode"):
            if isRegion(node):
                return node
        return None

    def show(self, volumeNode: Any, box: Box) -> None:
        """Move the region to a box of the volume's voxels, unless it is pinned or hidden."""
        if self.pinned or not self.visible or any(part.start >= part.stop for part in box):
            return
        showBox(self.node or self._made(), volumeNode, box)
        self.update()

    def pinnedBox(self, volumeNode: Any) -> Box | None:
        """Return the box that alone may change, or None when the region is not pinned.

        Raises:
            InputError: the region lies outside of the volume.
        """
        if not self.pinned or self.node is None:
            return None
        return boxOfRoi(self.node, volumeNode)

    def pin(self, volumeNode: Any, pinned: bool) -> None:
        """Pin the region, so that the user can move and size it, or let it follow the strokes."""
        self.pinned = pinned
        if pinned and self.node is None:
            shape = volumeNode.GetImageData().GetDimensions()[::-1]
            middle = three(slice(size // 4, max(size // 4 + 1, size * 3 // 4)) for size in shape)
            showBox(self._made(), volumeNode, middle)
        self.update()

    def update(self) -> None:
        """Show the node as the settings say."""
        node = self.node
        if node is None:
            return
        node.SetLocked(not self.pinned)
        display = node.GetDisplayNode()
        display.SetVisibility(self.visible or self.pinned)
        display.SetHandlesInteractive(self.pinned)

    def _made(self) -> Any:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Region of influence")
        node.SetAttribute(_ATTRIBUTE, "1")
        node.CreateDefaultDisplayNodes()
        display = node.GetDisplayNode()
        display.SetFillVisibility(False)
        display.SetPropertiesLabelVisibility(False)
        display.SetSelectedColor(0.3, 0.7, 1.0)
        return node
