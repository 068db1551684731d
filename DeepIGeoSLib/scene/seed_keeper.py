"""Keeping seeds and their targets together while nodes and segments come and go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import slicer
import vtk

from DeepIGeoSLib.scene.seeds import isCompanion, ownerOf, removeOrphans


class SeedKeeper:
    """Removes the seeds of what is deleted, and tells when seeds are deleted themselves."""

    def __init__(
        self,
        deleted: Callable[[Any], object],
        own: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """Begin without a scene.

        Args:
            deleted: gets each segmentation whose seeds are deleted.
            own: entered while seeds are removed here, which is no stroke of the user.
        """
        self._deleted = deleted
        self._own = own
        self._scene: Any = None
        self._observed: list[tuple[Any, int]] = []

    def start(self) -> None:
        """Watch the scene; does nothing when it is watched already."""
        if self._scene is slicer.mrmlScene:
            return
        self.stop()
        self._scene = slicer.mrmlScene
        events = slicer.vtkMRMLScene
        for event, callback in (
            (events.NodeAddedEvent, self._onNodeAdded),
            (events.NodeAboutToBeRemovedEvent, self._onNodeLeaves),
            (events.NodeRemovedEvent, self._onSomethingRemoved),
            (events.EndImportEvent, self._onSomethingRemoved),
        ):
            self._observe(self._scene, event, callback)
        for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
            self._observe(node, slicer.vtkSegmentation.SegmentRemoved, self._onSomethingRemoved)
        with self._own():
            removeOrphans(self._scene)

    def stop(self) -> None:
        """Let go of the scene."""
        for watched, tag in self._observed:
            watched.RemoveObserver(tag)
        self._observed, self._scene = [], None

    def _observe(self, watched: Any, event: int, callback: Callable[..., None]) -> None:
        self._observed.append((watched, watched.AddObserver(event, callback)))

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, _caller: Any, _event: str, node: Any) -> None:
        if node.IsA("vtkMRMLSegmentationNode"):
            self._observe(node, slicer.vtkSegmentation.SegmentRemoved, self._onSomethingRemoved)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeLeaves(self, _caller: Any, _event: str, node: Any) -> None:
        self._observed = [(watched, tag) for watched, tag in self._observed if watched is not node]
        if not self._scene.IsClosing() and isCompanion(node) and ownerOf(node) is not None:
            self._deleted(ownerOf(node))

    def _onSomethingRemoved(self, _caller: Any, _event: str) -> None:
        if not (self._scene.IsClosing() or self._scene.IsBatchProcessing()):
            with self._own():
                removeOrphans(self._scene)
