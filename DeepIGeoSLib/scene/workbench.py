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
from DeepIGeoSLib.scene.computation import Computation
from DeepIGeoSLib.scene.lesions import addLesion, isCompleted, newSegmentation, setCompleted
from DeepIGeoSLib.scene.newest import NewestWork
from DeepIGeoSLib.scene.next_step import nextStep
from DeepIGeoSLib.scene.nodes import (
    checkLattice,
    checkOpen,
    checkSegment,
    checkVolumeNode,
    isEmpty,
    maskFromSegment,
)
from DeepIGeoSLib.scene.overlaps import Overlaps
from DeepIGeoSLib.scene.places import editableVoxels, frameOf, jumpTo, strokeMask
from DeepIGeoSLib.scene.region_node import RegionNode
from DeepIGeoSLib.scene.seed_watch import SeedWatch
from DeepIGeoSLib.scene.seeds import Seeds, findSeeds, makeSeeds, showOnly
from DeepIGeoSLib.scene.segment_session import Round
from DeepIGeoSLib.scene.segment_volume import VolumeMeter
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.slice_views import goToBox
from DeepIGeoSLib.scene.translation import tr as _

_log = logging.getLogger(__name__)


class Workbench:
    """One volume, one target segment, its seeds, and the work on them.

    Every method is called on the thread that owns the scene and returns at once; ``poll`` brings
    results in and is called by a timer.

    Attributes:
        volumeNode, segmentationNode, segmentId: what is worked on; see ``choose``.
        autoRefine: whether each new stroke is answered at once.
        goToChanges: whether the slice views go to what a step changed.
        editableArea: where the target may grow: the arguments of ``editableVoxels`` from ``mode``.
        region: the region of influence.
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
        self.message = ""
        self.progress: tuple[float, str] = (0.0, "")
        self._changed = changed
        self._polled = (False, self.progress)  # what the newest ``poll`` found
        self._work = NewestWork()
        self._kind = ""
        self._computedFor: np.ndarray | None = None  # voxels that the running computation may take
        self._strokes = False  # seeds were painted or erased since the last round
        self._changedElsewhere = False  # the target, by an undo or an edit of the Segment Editor
        self._watch = SeedWatch(self._onPainted)
        self._meter = VolumeMeter()
        self._overlaps = Overlaps()
        self._painted = False  # since the overlaps were settled last
        self._dropped: tuple[np.ndarray, np.ndarray] | None = None
        self._grownFromSeeds: set[tuple[str, str]] = set()
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
        self._strokes, self._dropped, self._places = False, None, None
        self._painted = False
        seeds = self.seeds
        if seeds is not None:
            showOnly(seeds)
            self._rememberSeeds()
        self._watch.watch(seeds)
        self._changed()

    def close(self) -> None:
        """Let go of the scene: nothing that runs is written any more."""
        self._work.drop()
        self._watch.watch(None)
        self._painted = False
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
        if self.logic.bundle == GEODESIC:
            self._say(
                _("Without a model there is no automatic segmentation: paint what belongs to it.")
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
            seeds = (*self._settleSeeds(), *self._answeredSeeds())
            if not any(mask.any() for mask in seeds):
                raise InputError(_("No seeds are painted yet: mark where the result is wrong."))
            self._begin("refine", self._startRefine, _("Refined. Paint where it is still wrong."))
            self._strokes = False

    def undo(self) -> None:
        """Take back the strokes that no round has answered yet, or else the newest round."""
        with self._telling():
            if self._strokes:
                painted = self.seeds.read(self.volumeNode)
                self._work.drop()
                self._writeSeeds(self._answeredSeeds())
                self._strokes, self._dropped = False, painted
                self._say(_("The last strokes were taken back."))
                return
            self._begin(
                "undo",
                lambda **_told: self.logic.startUndo(*self._target),
                _("The last step was taken back."),
            )

    def redo(self) -> None:
        """Bring back what was undone last."""
        with self._telling():
            if self._dropped is not None:
                painted, self._dropped = self._dropped, None
                self._writeSeeds(painted)
                self._strokes = True
                self._say(_("The strokes are back."))
                return
            self._begin(
                "redo",
                lambda **_told: self.logic.startRedo(*self._target),
                _("The step is back."),
            )

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
            self._clearSeeds()
            self._strokes, self._dropped = False, None
            self._say(_("Accepted. Press Next lesion for another one, or save the scene."))

    def reopen(self) -> None:
        """Unlock an accepted target, and bring its seeds back as far as they are remembered."""
        with self._telling():
            checkSegment(*self._target)
            setCompleted(self.segmentationNode, self.segmentId, False)
            if self.seeds is not None:
                self._writeSeeds(self._answeredSeeds())
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
            self._grownFromSeeds.add((segmentation.GetID(), segmentId))
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
        self, points: list[tuple[float, float, float]], radius: float, foreground: bool
    ) -> None:
        """Paint seeds along a stroke; voxels of the other class below it change over.

        Args:
            points: RAS positions (mm, world), in order; in any plane.
            radius: of the brush in mm.
            foreground: whether the target is missing there, or too much.
        """
        with self._telling():
            self.prepareSeeds()
            stroke = strokeMask(self.volumeNode, points, radius)
            masks = [mask & ~stroke for mask in self.seeds.read(self.volumeNode)]
            masks[0 if foreground else 1] |= stroke
            self._writeSeeds(tuple(masks))
            self._strokes, self._dropped = True, None
            self._say("")

    def clearStrokes(self) -> None:
        """Forget all strokes; the target stays as it is."""
        with self._telling():
            self._check()
            self._clearSeeds()
            self.logic.reset(*self._target)
            self._grownFromSeeds.add((self.segmentationNode.GetID(), self.segmentId))
            self._strokes, self._dropped = False, None
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
        known = self.seeds
        with self._watch.own():
            seeds = makeSeeds(*self._target)
            showOnly(seeds)
        if known is None:
            self._rememberSeeds()
        self._watch.watch(seeds)

    def poll(self) -> None:
        """Bring in what is done, and answer new strokes; a timer on the scene's thread calls it."""
        with self._telling():
            self._work.poll()
        if self._painted:
            with self._telling():
                self._settleSeeds()
        if self._strokes and self.autoRefine and (not self.busy or self._kind == "refine"):
            self.refine()
        elif self._changedElsewhere and not self.busy:
            self._changedElsewhere = False
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
            self._strokes = False
            self._say(str(error))
        except Exception as error:  # whatever torch or a full memory raises must reach the user
            _log.exception("DeepIGeoS failed")
            self._strokes = False
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
        if kind != "undo":
            self._dropped = None
        self.progress = (0.0, "")
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
        key = (self.segmentationNode.GetID(), self.segmentId)
        return self.logic.startRefine(
            *self._target,
            seeds.foregroundId,
            seeds.backgroundId,
            seedsNode=seeds.segmentationNode,
            region=self.region.pinnedBox(self.volumeNode),
            editable=self._editable(),
            proposeFirst=key not in self._grownFromSeeds,
            **told,
        )

    def _finish(self, kind: str, computation: Computation, done: str) -> None:
        if kind in ("segment", "refine"):
            self._checkEditable()
        try:
            with self._watch.own():
                result = computation.finish()
        except Cancelled:
            self._say(_("Cancelled; nothing was changed."))
            return
        if kind in ("undo", "redo"):
            self._writeSeeds(self._answeredSeeds())
        elif kind == "segment" and self.seeds is not None:
            self._strokes = any(mask.any() for mask in self.seeds.read(self.volumeNode))
        elif kind == "refine":
            with self._watch.own():
                self.region.show(self.volumeNode, result.region)
        if self.goToChanges:
            goToBox(self.volumeNode, result.changed_box, center=kind == "segment")
        frame = frameOf(self.volumeNode)
        if frame is not None:
            done += " " + _("(Frame {number} of {count} of {sequence}.)").format(
                sequence=frame[0], number=frame[1], count=frame[2]
            )
        self._say(done)

    def _follow(self) -> None:
        if not self.rounds:
            return
        with self._telling():
            self._work.begin(
                lambda: self.logic.startFollow(*self._target),
                lambda computation: (
                    computation.finish(),
                    self._writeSeeds(self._answeredSeeds()),
                    self._changed(),
                ),
            )
            self._kind = "follow"

    def _foundPlaces(self, computation: Computation) -> None:
        self._places, self._placesSeen = computation.finish(), 0
        self.lookAtNextPlace()

    def _answeredSeeds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the seeds that belong to the newest round."""
        known = self.logic.scribbles(*self._target)
        if known is not None:
            return known
        shape = self.volumeNode.GetImageData().GetDimensions()[::-1]
        return np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)

    def _writeSeeds(self, masks: tuple[np.ndarray, np.ndarray]) -> None:
        if self.seeds is not None:
            with self._watch.own():
                self.seeds.write(self.volumeNode, *masks)
            self._overlaps.begin(*masks, masks[0])

    def _clearSeeds(self) -> None:
        if self.seeds is not None:
            with self._watch.own():
                self.seeds.clear()
            self._rememberSeeds()

    def _rememberSeeds(self) -> None:
        """Know the strokes that there are, to tell later ones from them."""
        if self.volumeNode is None:
            return
        with suppress(DeepIGeoSError):  # said as soon as something is to be done with them
            self._overlaps.begin(*self.seeds.read(self.volumeNode), maskFromSegment(*self._target))

    def _settleSeeds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the seeds; where strokes of both kinds overlap, the later one stays in the scene.

        A saved scene can't tell which came later.
        """
        self._painted = False
        painted = self.seeds.read(self.volumeNode)
        settled = self._overlaps.settled(*painted)
        if (painted[0] & painted[1]).any():
            self._writeSeeds(settled)
        return settled

    def _onPainted(self) -> None:
        self._strokes, self._dropped = True, None
        self._painted = True
        self.message = ""
        self._changed()
