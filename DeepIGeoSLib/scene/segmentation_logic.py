"""SegmentationLogic: the interactive session between nodes of a MRML scene."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.bundles import Bundle
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.instances import Instances, find_instances
from DeepIGeoSLib.interaction.neighbors import check_neighbors
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.scene.chosen_model import ChosenModel
from DeepIGeoSLib.scene.computation import Computation, InlineExecutor
from DeepIGeoSLib.scene.instance_segments import addInstances
from DeepIGeoSLib.scene.labels import VoxelReader
from DeepIGeoSLib.scene.ledger.book import Entry, LedgerBook
from DeepIGeoSLib.scene.ledger.rounds import Round
from DeepIGeoSLib.scene.lesions import addLesion, isCompleted, newSegmentation
from DeepIGeoSLib.scene.nodes import (
    SegmentPlace,
    checkOpen,
    checkSegment,
    checkSegmentation,
    checkVolumeNode,
    volumeReader,
    volumeStamp,
)
from DeepIGeoSLib.scene.ready_session import ReadySession
from DeepIGeoSLib.scene.round_writer import RoundWriter
from DeepIGeoSLib.scene.segment_session import Answer, SegmentSession, Start
from DeepIGeoSLib.scene.segment_voxels import seedVoxels
from DeepIGeoSLib.scene.target_segments import (
    heldByNeighbors,
    markAsTarget,
    segmentsOfTargets,
    takeFromNeighbors,
    targetOf,
)
from DeepIGeoSLib.scene.target_sessions import TargetSessions
from DeepIGeoSLib.scene.torch_loading import loadTorch
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.targets import Target
from DeepIGeoSLib.volume import Volume

DEFAULT_BUNDLE = "flair-whole-tumor"


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
        *,
        saveStateForUndo: Callable[[], object] | None = None,
        executor: Executor | None = None,
        device: str = "auto",
        write: Callable[[np.ndarray, Any, Any, str], None] | None = None,
    ) -> None:
        """Prepare for work; the bundle is opened when it is needed first.

        Args:
            bundle: from ``load_bundle``, a shipped bundle's name, or a folder.
            saveStateForUndo: called before each write, so that the Segment Editor's undo can take
                it back; such as ``saveStateForUndo`` of a segment editor widget.
            executor: runs the computations, one at a time for each target; on the calling thread
                when None.
            device: "auto", or a torch device such as "cpu" or "cuda".
            write: puts a mask into its segment, for the Segment Editor, which has a way of its own
                that honors its masks; only what changes is written when None.
        """
        self._book = LedgerBook()
        self._writer = RoundWriter(self._book, saveStateForUndo, write)
        self._model = ChosenModel(bundle)
        self._executor = executor or InlineExecutor()
        self._device = device
        self._sessions = TargetSessions()
        self._ready = ReadySession()

    @property
    def bundle(self) -> Bundle | str | Path:
        """The model, as it was given."""
        return self._model.given

    @property
    def proposes(self) -> bool:
        """Whether the model segments by itself, before any stroke."""
        return self._model.proposes

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the model tells apart; nothing for a single target."""
        return self._model.targets

    def setBundle(self, bundle: Bundle | str | Path) -> None:
        """Use a model from now on; the rounds and strokes of all targets stay.

        Args:
            bundle: from ``load_bundle``, a shipped bundle's name, or a folder.
        """
        if bundle != self._model.given:
            self._model = ChosenModel(bundle)
            self._sessions.clear()
            self._ready.forget()

    def setCrf(self, crf: bool | None) -> None:
        """Switch the model's CRF-Nets, from the next step of every target on.

        Args:
            crf: whether they smooth the networks' answers; what the model recommends when None.

        Raises:
            InputError: they are to be on, and the model has none.
        """
        self._model.setCrf(crf)

    def getReady(self, volumeNode: Any) -> None:
        """Begin, on the executor, what the first step on a volume would begin with; return at once.

        The model is loaded, and what it proposes is computed. The next target of the volume that
        begins takes it over. A model that knows several targets is not made ready.

        Raises:
            InputError: the volume can't be used.
        """
        checkVolumeNode(volumeNode)
        if not self.targets:
            readVolume = volumeReader(volumeNode)
            model, crf = self._model, self._model.crf

            def opened() -> SegmentSession:
                return self._opened(model, crf, readVolume())

            self._ready.begin(volumeStamp(volumeNode), opened, self._executor)

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
        *,
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
        return self.startPropose(
            volumeNode, segmentationNode, segmentId, progress=progress, cancel=cancel
        ).finish()

    def findInstances(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        *,
        leastScore: float | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> list[str]:
        """Find objects, and write each one into a segment of its own.

        Strokes refine each of them as any other segment.

        Args:
            volumeNode: the image.
            segmentationNode: gets the segments, beside those that it has.
            leastScore: of an object, from 0 to 1; what the model recommends when None.
            progress: called with the share done and a text, on the computing thread.
            cancel: stops the work when it is set.

        Returns:
            IDs of the new segments, the surest object first; none when nothing was found.

        Raises:
            InputError: a node can't be used, or the model finds nothing by itself.
            Cancelled: ``cancel`` was set.
        """
        return self.startInstances(
            volumeNode, segmentationNode, leastScore=leastScore, progress=progress, cancel=cancel
        ).finish()

    def refine(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        foregroundSegmentId: str | None,
        backgroundSegmentId: str | None,
        *,
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
            progress=progress,
            cancel=cancel,
        ).finish()

    def startPropose(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        *,
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

        Raises:
            InputError: as ``propose``; or the model knows several targets, and the segment is none
                of them, by its tag or its name.
        """
        cancel = cancel or threading.Event()
        options = {"progress": progress, "cancel": cancel, "editable": editable}
        if len(self.targets) > 1:
            checkSegment(volumeNode, segmentationNode, segmentId)
            markAsTarget(segmentationNode, segmentId, self.targets)
        return self._start(
            (volumeNode, segmentationNode, segmentId),
            lambda session, start: session.propose(start, **options),
            cancel,
        )

    def proposeTargets(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str = "",
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> dict[str, str]:
        """Segment the volume into a segment for each of the model's targets.

        Args:
            volumeNode: the image.
            segmentationNode: holds the segments; those that are missing are made.
            segmentId: an empty segment to begin with, or "".
            progress: told on the computing thread.
            cancel: stops the work when it is set.

        Returns:
            The segments' IDs by the targets' names; nothing when the model has a single target.

        Raises:
            InputError: as ``propose``.
            Cancelled: ``cancel`` was set.
        """
        segments = segmentsOfTargets(segmentationNode, segmentId, self.targets)
        if segments:
            self.startProposeTargets(
                volumeNode, segmentationNode, segments, progress=progress, cancel=cancel
            ).finish()
        return segments

    def startProposeTargets(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segments: Mapping[str, str],
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        editable: np.ndarray | None = None,
    ) -> Computation:
        """Begin ``proposeTargets`` on the executor; ``Computation.finish`` writes all segments.

        Args:
            volumeNode: the image.
            segmentationNode: holds the segments.
            segments: their IDs by the names of targets; completed ones stay as they are.
            progress: told on the computing thread.
            cancel: stops the work.
            editable: voxels of the volume that may change; all when None.

        Returns:
            What ``finish`` of returns each target's ``Segmentation`` by its name.
        """
        checkVolumeNode(volumeNode)
        places = {
            name: (volumeNode, segmentationNode, own)
            for name, own in segments.items()
            if not isCompleted(segmentationNode, own)
        }
        starts = {name: _startOf(self._open(*place)) for name, place in places.items()}
        targets = {name: self._sessions.idle(*place) for name, place in places.items()}
        stamp, readVolume = volumeStamp(volumeNode), volumeReader(volumeNode)
        model, cancel = self._model, cancel or threading.Event()

        def compute() -> dict[str, Answer]:
            loadTorch()
            session = SegmentSession.opened(model.open(), readVolume(), device=self._device)
            session.setCrf(model.crf)
            answers = {}
            proposed = session.proposeAll(
                starts, editable=editable, progress=progress, cancel=cancel
            )
            for name, (own, answer) in proposed.items():
                targets[name].session, targets[name].stamp = own, stamp
                answers[name] = answer
            return answers

        def write(answers: dict[str, Answer]) -> dict[str, Segmentation]:
            _checkUnchanged(volumeNode, stamp)
            for name, place in places.items():
                self._writer.check(self._open(*place), starts[name])
            for name, place in places.items():
                self._writer.write(self._open(*place), answers[name], starts[name], place=place)
            return {name: answer.segmentation for name, answer in answers.items()}

        computation = Computation(self._executor.submit(compute), cancel, write)
        for target in targets.values():
            target.computation = computation
        return computation

    def startInstances(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        *,
        leastScore: float | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> Computation:
        """Begin ``findInstances`` on the executor; ``Computation.finish`` writes the segments."""
        checkVolumeNode(volumeNode)
        checkSegmentation(volumeNode, segmentationNode)
        cancel = cancel or threading.Event()
        stamp, readVolume = volumeStamp(volumeNode), volumeReader(volumeNode)
        model, device = self._model, self._device

        def compute() -> Instances:
            bundle = model.open()
            if bundle.has_networks:
                loadTorch()
            return find_instances(
                bundle,
                readVolume(),
                device=device,
                least_score=leastScore,
                progress=progress,
                cancel=cancel,
            )

        def write(found: Instances) -> list[str]:
            _checkUnchanged(volumeNode, stamp)
            if found.found:  # else there is nothing to take back
                self._writer.saveStateForUndo()
            return addInstances(found, volumeNode, segmentationNode)

        return Computation(self._executor.submit(compute), cancel, write)

    def startRefine(
        self,
        volumeNode: Any,
        segmentationNode: Any,
        segmentId: str,
        foregroundSegmentId: str | None,
        backgroundSegmentId: str | None,
        *,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
        seedsNode: Any = None,
        region: Box | None = None,
        editable: np.ndarray | None = None,
        proposeFirst: bool = True,
        box: Box | None = None,
        outlines: bool = False,
        neighbors: str = "keep",
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
            proposeFirst: whether an empty, new target is proposed first; with a box, in it alone.
            box: voxels (k, j, i) around the target, drawn for this round; none when None.
            outlines: whether closed foreground strokes that are new count as their areas.
            neighbors: what happens to segments that the model's targets exclude: "keep" (they
                lose nothing but what foreground strokes mark), "give way" or "overlap". Completed
                ones are never changed.
        """
        given = [i for i in (segmentId, foregroundSegmentId, backgroundSegmentId) if i is not None]
        if seedsNode is None and len(set(given)) < len(given):
            raise InputError(
                "The target, the foreground seeds and the background seeds must be different "
                f"segments, not {', '.join(repr(i) for i in given)}."
            )
        place = (volumeNode, segmentationNode, segmentId)
        check_neighbors(neighbors)
        checkVolumeNode(volumeNode)
        checkSegment(*place)
        entry = self._book.open(*place)
        foreground, background = (
            self._seeds(volumeNode, seedsNode or segmentationNode, seedId)
            for seedId in (foregroundSegmentId, backgroundSegmentId)
        )
        cancel = cancel or threading.Event()
        step = partial(
            SegmentSession.refine,
            foreground=foreground,
            background=background,
            proposeFirst=proposeFirst and _untouched(entry) and self._isProposed(*place),
            held=heldByNeighbors(*place) if neighbors == "keep" else None,
            settle=seedsNode is not None,
            box=box,
            outlines=outlines,
            progress=progress,
            cancel=cancel,
            region=region,
            editable=editable,
        )
        return self._start(place, step, cancel, takes=neighbors != "overlap")

    def undo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Box:
        """Take back the newest round of a target, or the edit made by hand after it.

        Returns:
            Slices (k, j, i) of the smallest box whose labels changed.

        Raises:
            InputError: there is nothing to undo, or as ``propose``.
        """
        entry = self._open(volumeNode, segmentationNode, segmentId)
        if not entry.ledger.canUndo:
            raise InputError(_("There is no round to undo."))
        place = (volumeNode, segmentationNode, segmentId)
        return self._writer.walk(entry, entry.ledger.undo, entry.ledger.redo, place=place)

    def redo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Box:
        """Bring the round of a target back that was undone last.

        Returns:
            Slices (k, j, i) of the smallest box whose labels changed.

        Raises:
            InputError: there is nothing to redo, or as ``propose``.
        """
        entry = self._open(volumeNode, segmentationNode, segmentId)
        if not entry.ledger.canRedo:
            raise InputError(_("There is no round to redo."))
        place = (volumeNode, segmentationNode, segmentId)
        return self._writer.walk(entry, entry.ledger.redo, entry.ledger.undo, place=place)

    def follow(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Let rounds and strokes follow an undo or an edit that was made elsewhere.

        Raises:
            InputError: a node or the segment can't be used.
        """
        checkVolumeNode(volumeNode)
        checkSegment(volumeNode, segmentationNode, segmentId)
        self._book.open(volumeNode, segmentationNode, segmentId)

    def rounds(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> tuple[Round, ...]:
        """Return the rounds of a target that ``undo`` would take back, the newest last."""
        ledger = self._book.find(segmentationNode, segmentId)
        return () if ledger is None else ledger.rounds

    def shortened(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> str:
        """Return why undo does not reach back further; see ``Ledger.shortened``."""
        ledger = self._book.find(segmentationNode, segmentId)
        return "" if ledger is None else ledger.shortened

    def strokes(
        self, volumeNode: Any, segmentationNode: Any, segmentId: str
    ) -> Interactions | None:
        """Return the strokes that were answered; None of a target without ledger."""
        ledger = self._book.find(segmentationNode, segmentId)
        return None if ledger is None else ledger.interactions

    def forgetStrokes(self, segmentationNode: Any) -> None:
        """Forget the strokes of all segments of a segmentation; the segments stay."""
        self._book.forgetStrokes(segmentationNode)

    def startLook(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Computation:
        """Begin to look for uncertain places: ``finish`` returns voxels (k, j, i), worst first."""
        entry = self._open(volumeNode, segmentationNode, segmentId)
        session = self._sessions.idle(volumeNode, segmentationNode, segmentId).session
        start = _startOf(entry)
        future = self._executor.submit(
            lambda: [] if session is None else session.uncertainPlaces(start)
        )
        return Computation(future, threading.Event(), lambda places: places)

    def startUncertainty(
        self, volumeNode: Any, segmentationNode: Any, segmentId: str
    ) -> Computation:
        """Begin to tell how unsure the target is: ``finish`` returns float32 in [0, 1] (k, j, i).

        None where nothing was computed for the target since the program was started.
        """
        entry = self._open(volumeNode, segmentationNode, segmentId)
        session = self._sessions.idle(volumeNode, segmentationNode, segmentId).session
        start = _startOf(entry)
        future = self._executor.submit(
            lambda: None if session is None else session.uncertainty(start)
        )
        return Computation(future, threading.Event(), lambda values: values)

    def canUndo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> bool:
        """Return whether a target has a round to take back."""
        ledger = self._book.find(segmentationNode, segmentId)
        return ledger is not None and ledger.canUndo

    def canRedo(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> bool:
        """Return whether a target has an undone round to bring back."""
        ledger = self._book.find(segmentationNode, segmentId)
        return ledger is not None and ledger.canRedo

    def forgetAll(self) -> None:
        """Free the memory of all targets; their rounds stay with their segments."""
        self._sessions.clear()
        self._ready.forget()
        self._book.clear()

    def reset(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Forget the rounds of a target; the next step begins with what its segment holds then."""
        self._sessions.forget(volumeNode, segmentationNode, segmentId)
        self._book.forget(segmentationNode, segmentId)

    def _open(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> Entry:
        """Check the nodes, and return what is known of a segment that may be changed."""
        checkVolumeNode(volumeNode)
        checkSegment(volumeNode, segmentationNode, segmentId)
        checkOpen(segmentationNode, segmentId)
        return self._book.open(volumeNode, segmentationNode, segmentId)

    def _isProposed(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> bool:
        """Return whether the model proposes a segment; of several targets, only what is marked."""
        names = [target.name for target in self.targets]
        return not names or targetOf(segmentationNode, segmentId) in names

    def _seeds(self, volumeNode: Any, segmentationNode: Any, segmentId: str | None) -> VoxelReader:
        if segmentId is None:
            return lambda: np.empty(0, dtype=np.intp)
        checkSegment(volumeNode, segmentationNode, segmentId)
        return seedVoxels(volumeNode, segmentationNode, segmentId)

    def _opened(
        self, model: ChosenModel, crf: bool | None, volume: Volume, target: str = ""
    ) -> SegmentSession:
        """Open a session on a volume, on the computing thread."""
        bundle = model.open()
        if bundle.has_networks:
            loadTorch()
        session = SegmentSession.opened(bundle, volume, device=self._device, target=target)
        session.setCrf(crf)
        return session

    def _start(
        self,
        place: SegmentPlace,
        step: Callable[[SegmentSession, Start], Answer],
        cancel: threading.Event | None = None,
        *,
        takes: bool = False,
    ) -> Computation:
        """Read the nodes, and begin a step of the target's session on the executor."""
        start = _startOf(self._open(*place))
        target = self._sessions.idle(*place)
        stamp = volumeStamp(place[0])
        known = target.session if target.stamp == stamp else None
        readVolume = volumeReader(place[0])
        model, crf = self._model, self._model.crf
        name = targetOf(*place[1:])

        def compute() -> Answer:
            session = known or self._ready.taken(stamp)
            if session is None:
                session = self._opened(model, crf, readVolume(), name)
            target.session, target.stamp = session, stamp
            session.setCrf(crf)
            return step(session, start)

        def write(answer: Answer) -> Segmentation:
            _checkUnchanged(place[0], stamp)
            self._writer.write(self._open(*place), answer, start, place=place)
            if takes:
                takeFromNeighbors(place, answer.change.box)
            return answer.segmentation

        future = self._executor.submit(compute)
        target.computation = Computation(future, cancel or threading.Event(), write)
        return target.computation


def _checkUnchanged(volumeNode: Any, stamp: tuple[object, ...]) -> None:
    """Raise ``InputError`` when the voxels of a volume are others than they were."""
    """Refuse to write what was computed from other voxels."""
    if volumeStamp(volumeNode) != stamp:
        raise InputError(
            _("The volume {volume!r} changed during the computation; nothing was written.").format(
                volume=volumeNode.GetName()
            )
        )


def _startOf(entry: Entry) -> Start:
    return Start(entry.ledger.place.state, entry.labels, entry.ledger.interactions)


def _untouched(entry: Entry) -> bool:
    """Return whether a segment is empty, and nothing was ever done to it."""
    ledger = entry.ledger
    return ledger.place.count == 0 and not ledger.steps and ledger.interactions.empty
