"""SegmentationLogic: the interactive session between nodes of a MRML scene."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.bundles import Bundle, load_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.pipeline import Progress
from DeepIGeoSLib.preprocessing import Box
from DeepIGeoSLib.scene.computation import Computation, InlineExecutor
from DeepIGeoSLib.scene.lesions import addLesion, newSegmentation
from DeepIGeoSLib.scene.nodes import (
    checkOpen,
    checkSegment,
    checkVolumeNode,
    maskFromSegment,
    seedsFromSegment,
    volumeFromNode,
    volumeStamp,
    writeMaskToSegment,
)
from DeepIGeoSLib.scene.segment_session import Round, SegmentSession
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.session import Segmentation

DEFAULT_BUNDLE = "flair-whole-tumor"

# Each session holds its volume two or three times over; the one used longest ago makes room.
_SESSIONS_KEPT = 4


@dataclass
class _Target:
    """A segment that is being worked on: its session, and the volume's state it belongs to."""

    stamp: tuple[object, ...] = ()
    session: SegmentSession | None = None
    computation: Computation | None = None


class SegmentationLogic:
    """Segments a volume node into a segment, and corrects it by seeds painted as segments.

    The rounds of each target continue from call to call, also when the segment was edited by hand
    or undone in the Segment Editor meanwhile: the next step starts from what the scene shows. A
    volume whose voxels changed gets a new session.

    Every call computes first and writes in one step; when it fails or is cancelled, the scene is as
    it was. Only the target segment is ever written, and never one whose status is "completed".
    """

    def __init__(
        self,
        bundle: Bundle | str | Path = DEFAULT_BUNDLE,
        saveStateForUndo: Callable[[], object] | None = None,
        executor: Executor | None = None,
        device: str = "auto",
        write: Callable[[np.ndarray, Any, Any, str], None] = writeMaskToSegment,
    ) -> None:
        """Prepare for work; the bundle is opened when it is needed first.

        Args:
            bundle: from ``load_bundle``, a shipped bundle's name, or a folder.
            saveStateForUndo: called before each write, so that the Segment Editor's undo can take
                it back; such as ``saveStateForUndo`` of a segment editor widget.
            executor: runs the computations, one at a time for each target; on the calling thread
                when None.
            device: "auto", or a torch device such as "cpu" or "cuda".
            write: puts a result into its segment; the Segment Editor has a way of its own, which
                honors its masks.
        """
        self._write = write
        self._bundleName = bundle
        self._bundle: Bundle | None = None
        self._saveStateForUndo = saveStateForUndo
        self._executor = executor or InlineExecutor()
        self._device = device
        self._crf: bool | None = None
        self._targets: dict[tuple[str, str, str], _Target] = {}

    @property
    def bundle(self) -> Bundle | str | Path:
        """The model, as it was given."""
        return self._bundleName

    def setBundle(self, bundle: Bundle | str | Path) -> None:
        """Use a model from now on; if it is another one, the rounds of all targets are forgotten.

        Args:
            bundle: from ``load_bundle``, a shipped bundle's name, or a folder.
        """
        if bundle != self._bundleName:
            self._bundleName, self._bundle, self._crf = bundle, None, None
            self._targets.clear()

    def setCrf(self, crf: bool | None) -> None:
        """Switch the model's CRF-Nets, from the next step of every target on.

        Args:
            crf: whether they smooth the networks' answers; what the model recommends when None.

        Raises:
            InputError: they are to be on, and the model has none.
        """
        if crf and self._openBundle().manifest.crf is None:
            raise InputError(f"The model {self._openBundle().manifest.name} has no CRF.")
        self._crf = crf

    def newTarget(self, volumeNode: Any) -> tuple[Any, str]:
        """Add a segmentation for a volume to the scene; return it and its one empty segment's ID.

        Raises:
            InputError: the volume can't be used.
        """
        checkVolumeNode(volumeNode)
        segmentationNode = newSegmentation(volumeNode)
        return segmentationNode, addLesion(segmentationNode)

    def propose(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Segmentation:
        """Segment the volume automatically and write the result into the segment.

        Args:
            volumeNode: the image.
            segmentationNode: holds the target.
            segmentId: the target; what it held becomes a round that ``undo`` brings back.
            progress: called with the share done and a text, on the computing thread.
            cancel: stops the work when it is set.

        Raises:
            InputError: a node, the segment or the volume can't be used; the message says why.
            Cancelled: ``cancel`` was set.
        """
        return self.startPropose(volumeNode, segmentationNode, segmentId, progress, cancel).finish()

    def refine(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        foregroundSegmentId: str | None,
        backgroundSegmentId: str | None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Segmentation:
        """Correct the segment by all seeds painted so far and write the result into it.

        Args:
            volumeNode: the image.
            segmentationNode: holds the target and the seeds.
            segmentId: the target; when it is empty and new, it is proposed first.
            foregroundSegmentId: voxels that belong to the target, or None.
            backgroundSegmentId: voxels that do not, or None.
            progress: called with the share done and a text, on the computing thread.
            cancel: stops the work when it is set.

        Raises:
            InputError: as ``propose``; or seeds and target are the same segment, or voxels got
                both classes at once.
            Cancelled: ``cancel`` was set.
        """
        return self.startRefine(
            volumeNode,
            segmentationNode,
            segmentId,
            foregroundSegmentId,
            backgroundSegmentId,
            progress,
            cancel,
        ).finish()

    def startPropose(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        editable: np.ndarray | None = None,
    ) -> Computation:
        """Begin ``propose`` on the executor; the result is written by ``Computation.finish``.

        Args:
            volumeNode: see ``propose``, as the following ones.
            segmentationNode: holds the target.
            segmentId: the target.
            progress: told on the computing thread.
            cancel: stops the work.
            editable: voxels of the volume that may change; all when None.
        """
        cancel = cancel or threading.Event()
        options = {"progress": progress, "cancel": cancel, "editable": editable}
        return self._start(
            (volumeNode, segmentationNode, segmentId),
            lambda session, shown: session.propose(shown, **options),
            cancel,
        )

    def startRefine(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        foregroundSegmentId: str | None,
        backgroundSegmentId: str | None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        seedsNode: Any = None,
        region: Box | None = None,
        editable: np.ndarray | None = None,
        proposeFirst: bool = True,
    ) -> Computation:
        """Begin ``refine`` on the executor; the result is written by ``Computation.finish``.

        Args:
            volumeNode: see ``refine``, as the following ones.
            segmentationNode: holds the target.
            segmentId: the target.
            foregroundSegmentId: seeds, or None.
            backgroundSegmentId: seeds, or None.
            progress: told on the computing thread.
            cancel: stops the work.
            seedsNode: holds the seeds, when ``segmentationNode`` does not.
            region: voxels (k, j, i) of the only box that may change; around the strokes when None.
            editable: voxels of the volume that may change; all when None.
            proposeFirst: whether an empty, new target is proposed first.
        """
        given = [i for i in (segmentId, foregroundSegmentId, backgroundSegmentId) if i is not None]
        if seedsNode is None and len(set(given)) < len(given):
            raise InputError(
                "The target, the foreground seeds and the background seeds must be different "
                f"segments, not {', '.join(repr(i) for i in given)}."
            )
        seeds = [
            None
            if seedId is None
            else seedsFromSegment(volumeNode, seedsNode or segmentationNode, seedId)
            for seedId in (foregroundSegmentId, backgroundSegmentId)
        ]
        cancel = cancel or threading.Event()
        options = {
            "progress": progress,
            "cancel": cancel,
            "region": region,
            "editable": editable,
            "proposeFirst": proposeFirst,
        }
        return self._start(
            (volumeNode, segmentationNode, segmentId),
            lambda session, shown: session.refine(shown, *seeds, **options),
            cancel,
        )

    def startUndo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Computation:
        """Begin ``undo`` on the executor."""
        return self._start(
            (volumeNode, segmentationNode, segmentId), lambda session, shown: session.undo(shown)
        )

    def startRedo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Computation:
        """Begin ``redo`` on the executor."""
        return self._start(
            (volumeNode, segmentationNode, segmentId), lambda session, shown: session.redo(shown)
        )

    def undo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Segmentation:
        """Take back the newest round of a target, or the edit made by hand after it.

        Raises:
            InputError: there is nothing to undo, or as ``propose``.
        """
        return self.startUndo(volumeNode, segmentationNode, segmentId).finish()

    def redo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Segmentation:
        """Bring the round of a target back that was undone last.

        Raises:
            InputError: there is nothing to redo, or as ``propose``.
        """
        return self.startRedo(volumeNode, segmentationNode, segmentId).finish()

    def rounds(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> tuple[Round, ...]:
        """Return the rounds of a target that ``undo`` would take back, the newest last."""
        session = self._known(volumeNode, segmentationNode, segmentId)
        return () if session is None else session.rounds

    def scribbles(
        self, volumeNode: Any, segmentationNode: Any, segmentId: str
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the seeds that a target's newest round was given; None without any round."""
        session = self._known(volumeNode, segmentationNode, segmentId)
        return None if session is None else session.scribbles

    def startLook(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Computation:
        """Begin to look for uncertain places: ``finish`` returns voxels (k, j, i), worst first."""
        session = self._known(volumeNode, segmentationNode, segmentId)
        future = self._executor.submit(lambda: [] if session is None else session.uncertainPlaces())
        return Computation(future, threading.Event(), lambda places: None)

    def startFollow(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Computation:
        """Begin to follow an undo or an edit that was made elsewhere; nothing is written."""
        shown = maskFromSegment(volumeNode, segmentationNode, segmentId)
        session = self._known(volumeNode, segmentationNode, segmentId)
        follow = self._executor.submit(lambda: session and session.follow(shown))
        return Computation(follow, threading.Event(), lambda nothing: None)

    def canUndo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> bool:
        """Return whether a target has a round to take back."""
        session = self._known(volumeNode, segmentationNode, segmentId)
        return session is not None and session.canUndo

    def canRedo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> bool:
        """Return whether a target has an undone round to bring back."""
        session = self._known(volumeNode, segmentationNode, segmentId)
        return session is not None and session.canRedo

    def forgetAll(self) -> None:
        """Forget the rounds of all targets, and free their memory."""
        self._targets.clear()

    def reset(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Forget the rounds of a target; the next step begins with what its segment holds then."""
        self._targets.pop(_key(volumeNode, segmentationNode, segmentId), None)

    def _known(
        self, volumeNode: Any, segmentationNode: Any, segmentId: str
    ) -> SegmentSession | None:
        if volumeNode is None or segmentationNode is None:
            return None
        target = self._targets.get(_key(volumeNode, segmentationNode, segmentId))
        return None if target is None else target.session

    def _start(
        self,
        place: tuple[Any, Any, str],
        step: Callable[[SegmentSession, np.ndarray], Segmentation],
        cancel: threading.Event | None = None,
    ) -> Computation:
        """Read the nodes, and begin a step of the target's session on the executor."""
        shown = maskFromSegment(*place)
        checkOpen(*place[1:])
        target = self._target(*place)
        stamp = volumeStamp(place[0])
        volume = None if target.stamp == stamp else volumeFromNode(place[0])
        crf = self._crf

        def compute() -> Segmentation:
            if volume is not None:
                target.session = SegmentSession(self._openBundle(), volume, self._device)
                target.stamp = stamp
            target.session.setCrf(crf)
            return step(target.session, shown)

        def write(result: Segmentation) -> None:
            if volumeStamp(place[0]) != stamp:
                raise InputError(
                    _(
                        "The volume {volume!r} changed during the computation; nothing was written."
                    ).format(volume=place[0].GetName())
                )
            checkSegment(*place)
            checkOpen(*place[1:])
            if not np.array_equal(maskFromSegment(*place), shown):
                raise InputError(
                    _(
                        "The segment {segment!r} changed during the computation; nothing was "
                        "written. Please try again."
                    ).format(segment=place[2])
                )
            if np.array_equal(result.labels, shown):
                return
            if self._saveStateForUndo is not None:
                self._saveStateForUndo()
            self._write(result.labels, *place)

        future = self._executor.submit(compute)
        target.computation = Computation(future, cancel or threading.Event(), write)
        return target.computation

    def _target(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> _Target:
        """Return the state of a target, as the one used last."""
        key = _key(volumeNode, segmentationNode, segmentId)
        target = self._targets.pop(key, None) or _Target()
        if target.computation is not None and not target.computation.done:
            self._targets[key] = target
            raise InputError(
                f"The segment {segmentId!r} is still being computed; wait for it or cancel it."
            )
        self._targets[key] = target
        while len(self._targets) > _SESSIONS_KEPT:
            del self._targets[next(iter(self._targets))]
        return target

    def _openBundle(self) -> Bundle:
        if self._bundle is None:
            given = self._bundleName
            self._bundle = given if isinstance(given, Bundle) else load_bundle(given)
        return self._bundle


def _key(volumeNode: Any, segmentationNode: Any, segmentId: str) -> tuple[str, str, str]:
    return (volumeNode.GetID(), segmentationNode.GetID(), segmentId)
