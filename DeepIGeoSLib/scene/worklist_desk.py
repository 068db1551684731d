"""One case of a worklist in the scene: read, worked on, stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.dicom.segmentation_reader import is_dicom_segmentation, read_segments
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.reading import check_image
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS
from DeepIGeoSLib.scene.lesions import addLesion, newSegmentation, setCompleted
from DeepIGeoSLib.scene.nodes import isEmpty, volumeFromNode, writeMaskToSegment
from DeepIGeoSLib.scene.seeds import SEEDS_ROLE
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.volume import Volume
from DeepIGeoSLib.worklist import Record, Status, WorkCase, Worklist

# Products of unit vectors that count as 0.
_RIGHT_ANGLES = 1e-3

# More labels than these are no segments that somebody corrects one by one.
_MOST_SEGMENTS = 32


class WorklistDesk:
    """Holds the nodes of the case that somebody works on; nodes of others are left alone.

    Attributes:
        worklist: the cases.
        case: the one in the scene, or None.
        before: how far it was before it was opened, such as in work by somebody else.
        volumeNode: its image.
        segmentationNode: its segmentation.
    """

    def __init__(self, worklist: Worklist) -> None:
        """Begin with no case."""
        self.worklist = worklist
        self.case: WorkCase | None = None
        self.before = Record()
        self.volumeNode: Any = None
        self.segmentationNode: Any = None

    @property
    def isOpen(self) -> bool:
        """Whether the case's nodes are in the scene; it may have been closed meanwhile."""
        present = slicer.mrmlScene.IsNodePresent
        return self.case is not None and all(
            node is not None and present(node) for node in (self.volumeNode, self.segmentationNode)
        )

    @property
    def hasChanges(self) -> bool:
        """Whether the segmentation was changed since it was read or stored."""
        if not self.isOpen:
            return False
        storage = self.segmentationNode.GetStorageNode()
        if storage is None or not storage.GetFileName():
            return any(
                not isEmpty(self.segmentationNode, segmentId)
                for segmentId in self.segmentationNode.GetSegmentation().GetSegmentIDs()
            )
        return bool(self.segmentationNode.GetModifiedSinceRead())

    def open(self, name: str) -> str:
        """Read a case into the scene in the place of the one before, whose changes are stored.

        Returns:
            The ID of its first segment, which is a new one where the case has none yet.

        Raises:
            InputError: there is no such case, the one before can't be stored, or a file can't be
                read; the case before stays open then.
        """
        case = self.worklist.case(name)
        if self.hasChanges:
            self.save()
        stored = self.worklist.segmentation_of(name)
        volumeNode = _readVolume(case.image)
        try:
            segmentationNode = _readSegmentation(stored, volumeNode)
            before = self.worklist.begin(name)
        except InputError:
            slicer.mrmlScene.RemoveNode(volumeNode)
            raise
        self.close()
        self.case, self.before = case, before
        self.volumeNode, self.segmentationNode = volumeNode, segmentationNode
        volumeNode.SetName(name.rpartition("/")[2])  # Slicer counts names that it has seen before
        segmentationNode.SetName(f"{volumeNode.GetName()} segmentation")
        _forgetFile(segmentationNode, stored == case.result)
        return segmentationNode.GetSegmentation().GetSegmentIDs()[0]

    def save(self, *, accept: bool = False) -> Path:
        """Store the segmentation beside the image.

        Args:
            accept: whether the case is done; its segments are completed then.

        Returns:
            The file.

        Raises:
            InputError: no case is open, or as ``Worklist.save``.
        """
        if self.case is None or not self.isOpen:
            raise InputError(_("No case of the worklist is open."))
        if accept:
            self._complete(True)
        try:
            path = self.worklist.save(self.case.name, self._write, accept=accept)
        except InputError:
            if accept:
                self._complete(False)
            raise
        self.segmentationNode.GetStorageNode().SetFileName(str(path))
        return path

    def reopen(self) -> None:
        """Put the case back in work; its segments can be changed again.

        Raises:
            InputError: no case is open, or its status can't be stored.
        """
        if self.case is None or not self.isOpen:
            raise InputError(_("No case of the worklist is open."))
        self.worklist.reopen(self.case.name)
        self._complete(False)

    def neighbor(self, step: int) -> WorkCase | None:
        """Return the next open case (step 1) or the one before (-1); the first without a case."""
        if self.case is None:
            return self.worklist.first()
        return self.worklist.following(self.case.name, step)

    @property
    def isAccepted(self) -> bool:
        """Whether the open case is accepted, as it stands on disk."""
        if self.case is None:
            return False
        return self.worklist.record(self.case.name).status is Status.ACCEPTED

    def close(self) -> None:
        """Take the case's nodes out of the scene; what was not stored is lost."""
        nodes = [self.segmentationNode, self.volumeNode]
        if self.segmentationNode is not None:
            nodes.insert(0, self.segmentationNode.GetNodeReference(SEEDS_ROLE))
        for node in nodes:
            if node is not None and slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)
        self.case = self.volumeNode = self.segmentationNode = None

    def _write(self, path: Path) -> None:
        try:
            slicer.util.saveNode(self.segmentationNode, str(path))
        except RuntimeError as error:
            raise InputError(_("Slicer could not write the segmentation.")) from error

    def _complete(self, completed: bool) -> None:
        for segmentId in self.segmentationNode.GetSegmentation().GetSegmentIDs():
            setCompleted(self.segmentationNode, segmentId, completed)


def _readVolume(path: Path) -> Any:
    """Read an image file, or a folder of DICOM files, as a volume node."""
    if is_dicom(path):
        volume = Volume.read(path)
        _checkUpright(volume)
        return slicer.util.addVolumeFromArray(
            volume.array, ijkToRAS=volume.ijk_to_ras, name=path.name
        )
    check_image(path)
    try:
        return slicer.util.loadVolume(str(path))
    except RuntimeError as error:
        raise InputError(_("Slicer can't read {path}.").format(path=path)) from error


def _checkUpright(volume: Volume) -> None:
    """Check that a volume node can hold a volume: its axes are at right angles."""
    axes = volume.ijk_to_ras[:3, :3] / np.linalg.norm(volume.ijk_to_ras[:3, :3], axis=0)
    if np.abs(axes.T @ axes - np.eye(3)).max() > _RIGHT_ANGLES:
        raise InputError(
            _(
                "{volume} was acquired with a tilted gantry; load it by Slicer's DICOM module, "
                "which straightens it."
            ).format(volume=volume.name)
        )


def _readSegmentation(path: Path | None, volumeNode: Any) -> Any:
    """Read a segmentation, or a labelmap with a segment for each label; make an empty one of None.

    Of very many labels or DICOM segments, such as those of cells, there is one segment.
    """
    if path is not None and path.name.lower().endswith(SEGMENTATION_ENDINGS):
        check_image(path)
        try:
            node = slicer.util.loadSegmentation(str(path))
        except RuntimeError as error:
            raise InputError(_("Slicer can't read {path}.").format(path=path)) from error
        node.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        if not node.GetSegmentation().GetSegmentIDs():
            addLesion(node)
        return node
    segments = [] if path is None else _segments(path, volumeFromNode(volumeNode))
    node = newSegmentation(volumeNode)
    for name, mask in segments:
        segmentId = addLesion(node)
        if name:
            node.GetSegmentation().GetSegment(segmentId).SetName(name)
        writeMaskToSegment(mask, volumeNode, node, segmentId)
    if not segments:
        addLesion(node)
    return node


def _segments(path: Path, volume: Volume) -> list[tuple[str, np.ndarray]]:
    """Return the segments of a DICOM segmentation by their names, or each label without one."""
    if is_dicom(path) and is_dicom_segmentation(path):
        segments = read_segments(path, volume.shape, volume.ijk_to_ras)
        if len(segments) <= _MOST_SEGMENTS:
            return segments
        return [("", np.any([mask for _, mask in segments], axis=0))]
    labels = volume.read_labels(path)
    present = np.unique(labels[labels > 0])
    if len(present) > _MOST_SEGMENTS:
        return [("", labels > 0)]
    return [("", labels == label) for label in present]


def _forgetFile(node: Any, isOwn: bool) -> None:
    """Let Slicer's own Save not replace what was there before the worklist."""
    storage = node.GetStorageNode()
    if storage is not None and not isOwn:
        storage.SetFileName("")
