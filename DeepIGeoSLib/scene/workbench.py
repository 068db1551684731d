"""Workbench: what the buttons of a front end do, without any button.

It holds what the user works on, runs one computation at a time, and says in one sentence how it
went and what to do next. The desktop module and the Segment Editor effect are two faces of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.bundles import GEODESIC
from DeepIGeoSLib.errors import Cancelled, DeepIGeoSError, InputError
from DeepIGeoSLib.interactions import Interactions
from DeepIGeoSLib.preprocessing import Box
from DeepIGeoSLib.scene.computation import Computation
from DeepIGeoSLib.scene.ledger import Round
from DeepIGeoSLib.scene.ledger_book import strokesOf
from DeepIGeoSLib.scene.lesions import (
    addLesion,
    isCompleted,
    isGrownFromSeeds,
    newSegmentation,
    setCompleted,
    setGrownFromSeeds,
)
from DeepIGeoSLib.scene.newest import NewestWork
from DeepIGeoSLib.scene.next_step import nextStep, whyNoUndo
from DeepIGeoSLib.scene.nodes import (
    checkLattice,
    checkOpen,
    checkSegment,
    checkVolumeNode,
    isEmpty,
    shapeOf,
)
from DeepIGeoSLib.scene.overlaps import Overlaps
from DeepIGeoSLib.scene.places import editableVoxels, frameOf, jumpTo
from DeepIGeoSLib.scene.region_node import RegionNode
from DeepIGeoSLib.scene.seed_keeper import SeedKeeper
from DeepIGeoSLib.scene.seed_watch import SeedWatch
from DeepIGeoSLib.scene.seeds import Seeds, Strokes, findSeeds, makeSeeds, showOnly
from DeepIGeoSLib.scene.seen_stroke import seenBox
from DeepIGeoSLib.scene.segment_volume import VolumeMeter
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.slice_views import goToBox
from DeepIGeoSLib.scene.stroke import strokeBox
from DeepIGeoSLib.scene.torch_loading import isTorchLoaded
from DeepIGeoSLib.scene.translation import tr as _

_log = logging.getLogger(__name__)


class Workbench:
    """One volume, one target segment, its seeds, and the work on them.

    Every method is called on the thread that owns the scene and returns at once; ``poll`` brings
    results in and is called by a timer.

    Attributes:
        volumeNode, segmentationNode, segmentId: what is worked on; see ``choose``.
        autoRefine: whether each new stroke is answered at once.
        goToChanges: whether the slice views go to what Segment and Refine changed.
        editableArea: where the target may grow: the arguments of ``editableVoxels`` from ``mode``.
        region: the region of influence.
        mouseButtonsPaint: whether strokes are painted with the left and the right mouse button
            rather than by the module's buttons; advice speaks of what there is.
        message: how the last action went, or "".
        progress: share done and a text, while something runs.
    """

    def __init__(self, logic: SegmentationLogic, changed: Callable[[], object] = int) -> None:
        """Begin with nothing to work on.

        Args:
            logic: does the work; with an executor that has one thread, nothing here ever waits.
            changed: called whenever there is something new to show.
        """
        self.logic = logic
        self.volumeNode: Any = None
        self.segmentationNode: Any = None
        self.segmentId = ""
        self.autoRefine = True
        self.goToChanges = False
        self.editableArea = (slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere,)
        self.region = RegionNode()
        self.mouseButtonsPaint = False
        self.message = ""
        self.progress: tuple[float, str] = (0.0, "")
        self._changed = changed
        self._polled = (False, self.progress)  # what the newest ``poll`` found
        self._work = NewestWork()
        self._kind = ""
        self._computedFor: np.ndarray | None = None  # voxels that the running computation may take
        self._strokes = False  # there are seeds that no round has answered
        self._due = False  # they are to be answered without being asked
        self._changedElsewhere = False  # the target, by an undo or an edit of the Segment Editor
        self._watch = SeedWatch(self._onPainted)
        self._meter = VolumeMeter()
        self._overlaps = Overlaps()
        self._unsettled = False  # strokes were painted since the overlaps were settled last
        self._keeper = SeedKeeper(self._onSeedsDeleted, self._watch.own)
        self._dropped: Strokes | None = None
        self._places: list[tuple[int, int, int]] | None = None
        self._placesSeen = 0

    # What is worked on

    def choose(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Work on these from now on; what runs for others is cancelled. Any may be None or ""."""
        chosen = (volumeNode, segmentationNode, segmentId or "")
        if chosen == (self.volumeNode, self.segmentationNode, self.segmentId):
            return
        self._work.drop()
        self.volumeNode, self.segmentationNode, self.segmentId = chosen
        self.message = ""
        self._strokes = self._due = self._unsettled = False
        self._dropped = self._places = None
        self._keeper.start()
        with self._watch.own():
            if self.seeds is not None:
                showOnly(self.seeds)
                self._rememberSeeds()
            self._findUnanswered()
        self._watch.watch(self.seeds)
        self._changed()

    def close(self) -> None:
        """Let go of the scene: nothing that runs is written any more."""
        self._work.drop()
        self._watch.watch(None)
        self._unsettled = False
        self._keeper.stop()
        self.logic.forgetAll()
        self.volumeNode = self.segmentationNode = None
        self.segmentId = ""
        self.message = ""

    def useModel(self, bundle: Any, crf: bool | None = None) -> None:
        """Use a model; see ``SegmentationLogic.setBundle`` and ``setCrf``."""
        if bundle != self.logic.bundle:
            self._work.drop()
            self.logic.setBundle(bundle)
            self._places = None
            self.message = ""  # it was about what the other model did
        with self._telling():
            self.logic.setCrf(crf)

    @property
    def seeds(self) -> Seeds | None:
        """Where the target's seeds are painted; None before ``prepareSeeds``."""
        if self.segmentationNode is None or not self.segmentId:
            return None
        return findSeeds(self.segmentationNode, self.segmentId)

    # What can be done, and what is known

    @property
    def busy(self) -> bool:
        """Whether a computation runs."""
        return self._work.busy

    @property
    def hasTarget(self) -> bool:
        """Whether volume and target are chosen."""
        return None not in (self.volumeNode, self.segmentationNode) and bool(self.segmentId)

    @property
    def isAccepted(self) -> bool:
        """Whether the target is completed and so stays as it is."""
        return self.hasTarget and isCompleted(self.segmentationNode, self.segmentId)

    @property
    def canUndo(self) -> bool:
        """Whether there is a stroke or a round to take back."""
        return self.hasTarget and (self._strokes or self.logic.canUndo(*self._target))

    @property
    def canRedo(self) -> bool:
        """Whether there is a stroke or a round to bring back."""
        return self.hasTarget and (self._dropped is not None or self.logic.canRedo(*self._target))

    @property
    def milliliters(self) -> float:
        """The volume of the target."""
        if not self.hasTarget:
            return 0.0
        return self._meter.milliliters(self.segmentationNode, self.segmentId)

    @property
    def undoHint(self) -> str:
        """One sentence: what Undo takes back, or why there is nothing to take back."""
        if self.hasTarget and self._strokes:
            return _("Take back the strokes that are not answered yet.")
        if self.canUndo:
            return _("Take back the newest round, with its strokes.")
        why = self.logic.shortened(*self._target) if self.hasTarget else ""
        return whyNoUndo(why)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The target's rounds, the newest last."""
        return self.logic.rounds(*self._target) if self.hasTarget else ()

    @property
    def status(self) -> str:
        """One sentence: what happens, how it went, or what to do next."""
        if self.busy:
            share, text = self.progress
            return f"{text} ({share:.0%})" if text else _("Working...")
        return self.message or nextStep(self)

    # What the buttons do

    def segment(self) -> None:
        """Segment the volume automatically."""
        if not self.logic.proposes:
            self._say(
                _("There is no automatic segmentation with this model: paint inside your target.")
            )
            return
        with self._telling():
            self.prepareTarget()
            self._begin(
                "segment",
                lambda **told: self.logic.startPropose(
                    *self._target, editable=self._editable(), **told
                ),
                _("Segmented. Paint what is missing or too much."),
            )

    def refine(self) -> None:
        """Correct the target by its seeds."""
        with self._telling():
            self.prepareSeeds()
            self._settleSeeds()
            self._follow()
            if self.seeds.empty and self._answered().empty:
                raise InputError(_("No seeds are painted yet: mark where the result is wrong."))
            self._begin("refine", self._startRefine, _("Refined. Paint where it is still wrong."))
            self._due = False

    def undo(self) -> None:
        """Take back the strokes that no round has answered yet, or else the newest round."""
        with self._telling():
            self._check()
            if self._strokes:
                self._takeStrokesBack()
                self._say(_("The last strokes were taken back."))
                return
            if self.busy and self._kind == "segment":
                self._work.drop()
                self._say(_("The segmentation under way was taken back."))
                return
            self._work.drop()
            self._places = None
            with self._watch.own():
                changed = self.logic.undo(*self._target)
            self._goTo(changed)
            self._findUnanswered()
            self._say(_("The last step was taken back."))

    def redo(self) -> None:
        """Bring back what was undone last."""
        with self._telling():
            self._check()
            if self._dropped is not None:
                painted, self._dropped = self._dropped, None
                with self._watch.own():
                    self.seeds.exchange(self.volumeNode, self._paintedStrokes(), painted)
                self._strokes = self._due = True
                self._say(_("The strokes are back."))
                return
            self._work.drop()
            self._places = None
            with self._watch.own():
                changed = self.logic.redo(*self._target)
            self._goTo(changed)
            self._say(_("The step is back."))

    def lookAtNextPlace(self) -> None:
        """Show the most uncertain place in the slice views; called again, the next one."""
        if self._places is None:
            with self._telling():
                self._check()
                self._work.begin(lambda: self.logic.startLook(*self._target), self._foundPlaces)
                self._kind, self.progress = "look", (0.0, _("Looking for uncertain places"))
                self._changed()
            return
        if not self._places:
            self._say(_("There is no uncertain place: look through the slices yourself."))
            return
        number = self._placesSeen % len(self._places)
        self._placesSeen += 1
        jumpTo(self.volumeNode, self._places[number])
        self._say(
            _("Uncertain place {number} of {count}: paint here if it is wrong.").format(
                number=number + 1, count=len(self._places)
            )
        )

    def accept(self) -> None:
        """Lock the target as it is and clear its seeds."""
        with self._telling():
            self._check()
            self._work.drop()
            setCompleted(self.segmentationNode, self.segmentId, True)
            self._clearSeeds(forNow=True)
            self._strokes = self._due = False
            self._dropped = None
            self._say(_("Accepted. Press Next lesion for another one, or save the scene."))

    def reopen(self) -> None:
        """Unlock an accepted target, and bring its seeds back as far as they are remembered."""
        with self._telling():
            checkSegment(*self._target)
            setCompleted(self.segmentationNode, self.segmentId, False)
            self._findUnanswered()
            self._say(_("The segment can be changed again."))

    def nextLesion(self) -> None:
        """Accept the target if it holds anything, and begin another segment.

        The new one is grown from its own seeds: a model would find all lesions once more.
        """
        with self._telling():
            self._checkVolume()
            if self.hasTarget and not isEmpty(self.segmentationNode, self.segmentId):
                if not self.isAccepted:
                    self.accept()
                segmentation = self.segmentationNode
            else:
                segmentation = self.segmentationNode or newSegmentation(self.volumeNode)
            segmentId = addLesion(segmentation)
            setGrownFromSeeds(segmentation, segmentId)
            with self._watch.own():
                makeSeeds(self.volumeNode, segmentation, segmentId)
            self.choose(self.volumeNode, segmentation, segmentId)
            self._say(_("New lesion: paint a stroke inside it."))

    def pinRegion(self, pinned: bool) -> None:
        """Let only the region of influence change from now on, or let it follow the strokes."""
        with self._telling():
            self._checkVolume()
            self.region.pin(self.volumeNode, pinned)

    def addStroke(
        self,
        points: list[tuple[float, float, float]],
        radius: float,
        foreground: bool,
        normal: np.ndarray | None = None,
    ) -> None:
        """Paint seeds along a stroke; voxels of the other class below it change over.

        Args:
            points: RAS positions (mm, world), in order; in any plane.
            radius: of the brush in mm.
            foreground: whether the target is missing there, or too much.
            normal: of the plane of a view that is oblique to the volume: what it shows belongs to
                the stroke as well.
        """
        with self._telling():
            self.prepareSeeds()
            self._paint(*strokeBox(self.volumeNode, points, radius), foreground)
            if normal is not None:
                self._paint(*seenBox(self.volumeNode, points, radius, normal), foreground)

    def completeStroke(
        self,
        points: list[tuple[float, float, float]],
        radius: float,
        foreground: bool,
        normal: np.ndarray,
        erase: bool = False,
    ) -> None:
        """Add what a brush of Slicer's leaves out on a view that is oblique to the volume.

        Args:
            points: see ``addStroke``, as the following ones.
            radius: of the brush in mm.
            foreground: which class is painted or erased.
            normal: of the plane of the view.
            erase: whether the brush takes seeds away.
        """
        with self._telling():
            self.prepareSeeds()
            self._paint(*seenBox(self.volumeNode, points, radius, normal), foreground, erase)

    def clearStrokes(self) -> None:
        """Forget all strokes; the target stays as it is."""
        with self._telling():
            self._check()
            self._clearSeeds()
            self.logic.reset(*self._target)
            setGrownFromSeeds(self.segmentationNode, self.segmentId)
            self._strokes = self._due = False
            self._dropped = None
            self._say(_("The strokes are cleared."))

    def followScene(self) -> None:
        """Let the seeds follow an undo or a redo of the Segment Editor, which knows no seeds."""
        self._changedElsewhere = not self._watch.writing
        if self._changedElsewhere:
            self.message = ""

    def cancel(self) -> None:
        """Stop what runs; the scene stays as it is."""
        self._work.cancel()

    def prepareTarget(self) -> None:
        """Make a segmentation and a segment where none is chosen."""
        self._checkVolume()
        segmentation = self.segmentationNode or newSegmentation(self.volumeNode)
        if not self.hasTarget:
            self.choose(self.volumeNode, segmentation, addLesion(segmentation))

    def prepareSeeds(self) -> None:
        """Make sure that there is a target, and segments to paint its seeds in."""
        self.prepareTarget()
        self._check()
        with self._watch.own():
            isNew = self.seeds is None
            seeds = makeSeeds(*self._target)
            showOnly(seeds)
            if isNew:
                self._showAnswered()
                self._rememberSeeds()
        self._watch.watch(seeds)

    def poll(self) -> None:
        """Bring in what is done, and answer new strokes; a timer on the scene's thread calls it."""
        with self._telling():
            self._work.poll()
        if self._unsettled:
            with self._telling():
                self._settleSeeds()
        if self._due and self.autoRefine and (not self.busy or self._kind == "refine"):
            self.refine()
        elif self._changedElsewhere and not self.busy:
            self._changedElsewhere = False
            with self._telling():
                self._follow()
        now = (self.busy, self.progress)
        if now != self._polled:
            self._polled = now
            self._changed()

    # Within

    @property
    def _target(self) -> tuple[Any, Any, str]:
        return (self.volumeNode, self.segmentationNode, self.segmentId)

    def _say(self, message: str) -> None:
        self.message = message
        self._changed()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what goes wrong into a message; the scene is as it was then."""
        try:
            yield
        except DeepIGeoSError as error:
            self._due = False
            self._say(str(error))
        except Exception as error:  # whatever torch or a full memory raises must reach the user
            _log.exception("DeepIGeoS failed")
            self._due = False
            self._say(
                _("Failed: {error}. The Python console tells more; nothing was changed.").format(
                    error=error
                )
            )

    def _checkVolume(self) -> None:
        if self.volumeNode is None:
            raise InputError(_("Load an image and choose it as source volume."))
        checkVolumeNode(self.volumeNode)

    def _check(self) -> None:
        self._checkVolume()
        checkSegment(*self._target)
        checkOpen(self.segmentationNode, self.segmentId)
        checkLattice(*self._target)

    def _editable(self) -> np.ndarray | None:
        """Return which voxels the computation that begins now may take."""
        self._computedFor = editableVoxels(*self._target, *self.editableArea)
        return self._computedFor

    def _checkEditable(self) -> None:
        """Refuse a result whose masks are others by now: options or segments changed meanwhile."""
        before = self._computedFor
        now = editableVoxels(*self._target, *self.editableArea)
        if (before is None) != (now is None) or not np.array_equal(before, now):
            raise InputError(
                _(
                    "The area where the segment may grow changed during the computation; nothing "
                    "was written. Please try again."
                )
            )

    def _begin(self, kind: str, start: Callable[..., Computation], done: str) -> None:
        self._check()
        self._places = None
        self._dropped = None
        loads = self.logic.bundle != GEODESIC and not isTorchLoaded()
        self.progress = (0.0, _("Loading PyTorch, once per start of Slicer") if loads else "")
        self._work.begin(
            lambda: start(progress=self._tellProgress),
            lambda computation: self._finish(kind, computation, done),
        )
        self._kind = kind
        self._changed()

    def _tellProgress(self, share: float, text: str) -> None:
        self.progress = (share, text)

    def _startRefine(self, **told: Any) -> Computation:
        seeds = self.seeds
        if seeds is None:
            raise InputError(
                _("The strokes were deleted before they were answered; nothing was changed.")
            )
        fromSeeds = isGrownFromSeeds(self.segmentationNode, self.segmentId)
        return self.logic.startRefine(
            *self._target,
            seeds.foregroundId,
            seeds.backgroundId,
            seedsNode=seeds.segmentationNode,
            region=self.region.pinnedBox(self.volumeNode),
            editable=self._editable(),
            proposeFirst=not fromSeeds,
            **told,
        )

    def _finish(self, kind: str, computation: Computation, done: str) -> None:
        if kind in ("segment", "refine"):
            self._checkEditable()
        try:
            with self._watch.own():
                result = computation.finish()
        except Cancelled:
            self._onCancelled(kind)
            return
        if kind == "segment" and self.seeds is not None:
            self._strokes = self._due = not self.seeds.empty
        elif kind == "refine":
            self._strokes = self._due  # those that were painted meanwhile
            with self._watch.own():
                self.region.show(self.volumeNode, result.region)
        if kind in ("segment", "refine"):
            self._goTo(result.changed_box, center=kind == "segment")
        frame = frameOf(self.volumeNode)
        if frame is not None:
            done += " " + _("(Frame {number} of {count} of {sequence}.)").format(
                sequence=frame[0], number=frame[1], count=frame[2]
            )
        self._say(done)

    def _goTo(self, changed: Box, center: bool = False) -> None:
        """Let the slice views show what changed, if that is wished."""
        if self.goToChanges:
            goToBox(self.volumeNode, changed, center)

    def _onCancelled(self, kind: str) -> None:
        if kind == "refine" and self.autoRefine and self._strokes:
            self._takeStrokesBack()
            self._say(_("Cancelled; the stroke was taken back. Redo paints it again."))
        else:
            self._say(_("Cancelled; nothing was changed."))

    def _follow(self) -> None:
        """Let rounds and strokes follow what was done to the target elsewhere."""
        with self._watch.own():
            self.logic.follow(*self._target)

    def _foundPlaces(self, computation: Computation) -> None:
        self._places, self._placesSeen = computation.finish(), 0
        self.lookAtNextPlace()

    def _answered(self) -> Interactions:
        """Return the strokes that the newest round and those before it have answered."""
        known = self.logic.strokes(*self._target)
        return Interactions(shapeOf(self.volumeNode)) if known is None else known

    def _paintedStrokes(self) -> Strokes:
        """Return the strokes that are painted."""
        seeds = self.seeds
        if seeds is None:
            return strokesOf(Interactions(shapeOf(self.volumeNode)))
        return tuple(read() for read in seeds.voxels(self.volumeNode))

    def _showAnswered(self) -> None:
        """Paint the strokes that were answered, and no others."""
        if self.seeds is not None:
            self._follow()
            with self._watch.own():
                answered = strokesOf(self._answered())
                self.seeds.exchange(self.volumeNode, self._paintedStrokes(), answered)

    def _takeStrokesBack(self) -> None:
        """Erase the strokes that no round has answered; what answers them is stopped."""
        if self._kind == "refine":
            self._work.drop()
        painted = self._paintedStrokes()
        self._showAnswered()
        self._strokes = self._due = False
        self._dropped = painted

    def _findUnanswered(self) -> None:
        """Find out whether there are strokes that no round has answered, after another choice.

        A copied segmentation knows what was answered, but has no seeds yet: they are made.
        """
        if not self.hasTarget or self.volumeNode is None or self.isAccepted:
            return
        known = self.logic.strokes(*self._target)
        if self.seeds is None and (known is None or known.empty):
            return
        wasKnown = known is not None
        try:
            self._follow()
            if self.seeds is None:
                self.prepareSeeds()
        except InputError:
            return  # whoever wants to work on this choice is told then
        if self.seeds.takeCleared():
            self._showAnswered()
        answered = strokesOf(self._answered())
        self._strokes = not all(map(np.array_equal, self._paintedStrokes(), answered))
        self._due = self._strokes and wasKnown

    def _paint(self, box: Box, stroke: np.ndarray, foreground: bool, erase: bool = False) -> None:
        change = self.seeds.rubOut if erase else self.seeds.paint
        with self._watch.own():
            change(self.volumeNode, box, stroke, foreground)
        self._strokes = self._due = True
        self._dropped = None
        self._say("")

    def _onSeedsDeleted(self, segmentationNode: Any) -> None:
        self.logic.forgetStrokes(segmentationNode)
        if segmentationNode is not self.segmentationNode:
            return
        self._watch.watch(None)
        self._dropped = None
        if self._strokes:
            self._strokes = self._due = False
            if self._kind == "refine":
                self._work.drop()
            self._say(_("The strokes were deleted before they were answered; nothing was changed."))

    def _clearSeeds(self, forNow: bool = False) -> None:
        if self.seeds is not None:
            with self._watch.own():
                self.seeds.clear(forNow)
            self._rememberSeeds()

    def _rememberSeeds(self) -> None:
        """Know the strokes that there are, to tell later ones from them."""
        if self.volumeNode is not None and self.seeds is not None:
            with suppress(DeepIGeoSError):  # said as soon as something is to be done with them
                self._overlaps.begin(self.volumeNode, self.seeds)

    def _settleSeeds(self) -> None:
        """Where strokes of both kinds overlap, let the later one stay in the scene.

        A saved scene can't tell which came later.
        """
        self._unsettled = False
        if self.seeds is not None:
            with self._watch.own():
                self._overlaps.settle(*self._target)

    def _onPainted(self) -> None:
        self._strokes = self._due = self._unsettled = True
        self._dropped = None
        self.message = ""
        self._changed()
