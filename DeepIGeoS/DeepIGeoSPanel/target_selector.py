"""The selector of the target segment: a combo box that follows a segmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _


class TargetSelector:
    """Shows the segments of a segmentation, which users add, rename and delete elsewhere."""

    def __init__(self, comboBox: Any, chosen: Callable[[str], Any]) -> None:
        """Fill ``comboBox``; ``chosen`` is called with the ID of a segment, or ""."""
        self._comboBox = comboBox
        self._chosen = chosen
        self._observed = []
        self._node: Any = None
        self._listing = None
        comboBox.connect("activated(int)", self._onActivated)

    def show(self, segmentationNode: Any, segmentId: str) -> None:
        """Show the segments there are now, with one selected."""
        self._observe(segmentationNode)
        listing = [(_("New segment"), "")]
        if segmentationNode:
            segmentation = segmentationNode.GetSegmentation()
            for listed in segmentation.GetSegmentIDs():
                listing.append((segmentation.GetSegment(listed).GetName(), listed))
        if listing != self._listing:  # an open list would lose the row that the mouse is on
            self._listing = listing
            self._comboBox.clear()
            for name, listed in listing:
                self._comboBox.addItem(name, listed)
        index = max(0, self._comboBox.findData(segmentId))
        if index != self._comboBox.currentIndex:
            self._comboBox.setCurrentIndex(index)

    @property
    def text(self) -> str:
        """What is shown as selected."""
        return self._comboBox.currentText

    def release(self) -> None:
        """Let go of the segmentation."""
        self._observe(None)

    def _onActivated(self, index: int) -> None:
        self._chosen(self._comboBox.itemData(index) or "")

    def _observe(self, node: slicer.vtkMRMLNode | None) -> None:
        if node is self._node:
            return
        for tag in self._observed:
            self._node.RemoveObserver(tag)
        self._node, self._observed = node, []
        if node:
            events = slicer.vtkSegmentation
            for event in (events.SegmentAdded, events.SegmentRemoved, events.SegmentModified):
                self._observed.append(node.AddObserver(event, self._onSegments))

    def _onSegments(self, caller: object, event: object) -> None:
        current = self._comboBox.itemData(self._comboBox.currentIndex) or ""
        if current and self._node.GetSegmentation().GetSegment(current) is None:
            self._chosen("")
            return
        self.show(self._node, current)
