"""The cases of the opened folder, gone through one after the other; see ``worklist``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS
from DeepIGeoSLib.scene.lesions import addLesion, newSegmentation
from DeepIGeoSLib.scene.nodes import writeMaskToSegment
from DeepIGeoSLib.web.opened_folder import OpenedFolder
from DeepIGeoSLib.web.results import write_segmentation
from DeepIGeoSLib.web.session import WebSession
from DeepIGeoSLib.worklist import Status, WorkCase, Worklist


class Cases:
    """A worklist in the page.

    Attributes:
        current: the name of the case that is open, or "".
    """

    def __init__(self, folder: OpenedFolder) -> None:
        """Find the cases.

        Raises:
            InputError: see ``Worklist``.
        """
        self._folder = folder
        self._worklist = Worklist(folder.folder)
        self.current = ""

    @property
    def is_one_series(self) -> bool:
        """Whether the folder itself is a DICOM series, and nothing else is in it."""
        images = [case.image.resolve() for case in self._worklist.cases]
        return images == [self._folder.folder]

    def listed(self) -> list[dict[str, str]]:
        """Return the cases as the page shows them: name and how far each is."""
        return [
            {"value": case.name, "title": case.name, "subtitle": self._said(case)}
            for case in self._worklist.cases
        ]

    def image_of(self, name: str) -> Path:
        """Return the image of a case.

        Raises:
            InputError: there is no such case, or its image lies outside of the folder.
        """
        return self._folder.resolved(str(self._worklist.case(name).image))

    def begin(self, name: str) -> str:
        """Take up a case that was just opened; return who else has it in work, or ""."""
        self.current = name
        before = self._worklist.begin(name)
        now = self._worklist.record(name)
        others = before.status is Status.IN_WORK and before.by != now.by
        return before.by if others else ""

    def show_stored(self, session: WebSession) -> bool:
        """Put the segmentation that is stored with the case into the scene; say if there was one.

        Raises:
            InputError: it can't be read, or lies elsewhere than the image.
        """
        path = self._worklist.segmentation_of(self.current)
        if path is None:
            return False
        node = _loaded(self._folder.resolved(str(path)), session)
        segments = node.GetSegmentation().GetSegmentIDs()
        session.take_up(node, segments[0] if segments else "")
        return True

    def beside(self, step: int) -> str:
        """Return the name of the next open case (step 1) or the one before (-1), or "".

        Cases whose image is gone are passed over.
        """
        if not self.current:
            case = self._worklist.first()
        else:
            case = self._worklist.following(self.current, step)
        while case is not None and not case.image.exists():
            case = self._worklist.following(case.name, step)
        return "" if case is None else case.name

    def save(self, session: WebSession, *, accept: bool = False) -> Path:
        """Store the segmentation beside the image; return the file.

        Args:
            session: what was done.
            accept: whether the case is done.

        Raises:
            InputError: no case is open, nothing is segmented, or see ``Worklist.save``.
        """
        if not self.current:
            raise InputError("No case of the list is open.")
        return self._worklist.save(
            self.current, partial(write_segmentation, session), accept=accept
        )

    def reopen(self) -> None:
        """Put the open case back in work."""
        self._worklist.reopen(self.current)

    @property
    def is_accepted(self) -> bool:
        """Whether the open case is done."""
        return bool(self.current) and (
            self._worklist.record(self.current).status is Status.ACCEPTED
        )

    def _said(self, case: WorkCase) -> str:
        record = self._worklist.record(case.name)
        gone = "" if case.image.exists() else "; its image is gone"
        return record.status.value + (f", {record.by}" if record.by else "") + gone


def _loaded(path: Path, session: WebSession) -> Any:
    """Return a segmentation node that holds what a file does."""
    volume, volume_node = session.opened.volume, session.bench.volumeNode
    labels = volume.read_labels(path)  # also where Slicer reads it: it says if it lies elsewhere
    if path.name.lower().endswith(SEGMENTATION_ENDINGS):
        node = slicer.util.loadSegmentation(str(path))
        node.CreateDefaultDisplayNodes()
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
        return node
    node = newSegmentation(volume_node)
    for label in np.unique(labels[labels > 0]):
        writeMaskToSegment(labels == label, volume_node, node, addLesion(node))
    return node
