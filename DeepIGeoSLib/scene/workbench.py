"""Workbench: what the buttons of a front end do, without any button.

It holds what the user works on, runs one computation at a time, and says in one sentence how it
went and what to do next. The desktop module and the Segment Editor effect are two faces of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.scene.ledger.rounds import Round
from DeepIGeoSLib.scene.lesions import (
    addLesion,
    newSegmentation,
    setCompleted,
    setGrownFromSeeds,
)
from DeepIGeoSLib.scene.next_step import nextStep, undoHint
from DeepIGeoSLib.scene.nodes import checkSegment, isEmpty
from DeepIGeoSLib.scene.place_tour import PlaceTour
from DeepIGeoSLib.scene.places import boxOfRoi
from DeepIGeoSLib.scene.region_node import RegionNode
from DeepIGeoSLib.scene.seeds import Seeds, makeSeeds
from DeepIGeoSLib.scene.seen_stroke import seenBox, seenOutline
from DeepIGeoSLib.scene.segment_volume import VolumeMeter
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.stroke import strokeBox
from DeepIGeoSLib.scene.target import Target
from DeepIGeoSLib.scene.target_segments import segmentsOfTargets
from DeepIGeoSLib.scene.target_strokes import TargetStrokes
from DeepIGeoSLib.scene.target_work import TargetWork
from DeepIGeoSLib.scene.telling import telling
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.scene.user_marks import addBox, clickedPlaces, visibleBox, voxelsOfClick
from DeepIGeoSLib.scene.work_options import WorkOptions


class Workbench:
    """One volume, one target segment, its seeds, and the work on them.

    Every method is called on the thread that owns the scene and returns at once; ``poll`` brings
    results in and is called by a timer.

    Attributes:
        logic: does the work.
        options: how the user wants to work.
        target: what is worked on; see ``choose``.
        strokes: those painted for it.
        message: how the last action went, or "".
    """

    def __init__(self, logic: SegmentationLogic, changed: Callable[[], object] = int) -> None:
        """Begin with nothing to work on.

        Args:
            logic: does the work; with an executor that has one thread, nothing here ever waits.
            changed: called whenever there is something new to show.
        """
        self.logic = logic
        self.options = WorkOptions()
        self.target = Target()
        self.strokes = TargetStrokes(logic, lambda: self._say(""), self._onStrokesLost)
        self.message = ""
        self._changed = changed
        self._work = TargetWork(logic, self.strokes, options=self.options, say=self._say)
        self._polled = (False, self._work.progress)  # what the newest ``poll`` found
        self._places = PlaceTour()
        self._meter = VolumeMeter()
        self._changedElsewhere = False  # the target, by an undo or an edit of the Segment Editor

    # What is worked on

    def choose(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Work on these from now on; what runs for others is cancelled. Any may be None or ""."""
        chosen = Target(volumeNode, segmentationNode, segmentId or "")
        if chosen == self.target:
            return
        self._work.drop()
        self.target = chosen
        self.message = ""
        self._places.forget()
        self.strokes.begin(chosen)
        self._changed()

    def close(self) -> None:
        """Let go of the scene: nothing that runs is written any more."""
        self._work.drop()
        self.strokes.end()
        self.logic.forgetAll()
        self.target = Target()
        self.message = ""

    def useModel(self, bundle: Any, crf: bool | None = None) -> None:
        """Use a model; see ``SegmentationLogic.setBundle`` and ``setCrf``."""
        if bundle != self.logic.bundle:
            self._work.drop()
            self.logic.setBundle(bundle)
            self._places.forget()
            self.message = ""  # it was about what the other model did
        with self._telling():
            self.logic.setCrf(crf)

    @property
    def editableArea(self) -> tuple[Any, ...]:
        """Where the target may grow, see ``WorkOptions``."""
        return self.options.editableArea

    @editableArea.setter
    def editableArea(self, area: tuple[Any, ...]) -> None:
        self.options.editableArea = area

    @property
    def autoRefine(self) -> bool:
        """Whether each new stroke is answered at once, see ``WorkOptions``."""
        return self.options.autoRefine

    @autoRefine.setter
    def autoRefine(self, enabled: bool) -> None:
        self.options.autoRefine = enabled

    @property
    def volumeNode(self) -> Any:
        """The chosen volume, or None."""
        return self.target.volumeNode

    @property
    def segmentationNode(self) -> Any:
        """The chosen segmentation, or None."""
        return self.target.segmentationNode

    @property
    def segmentId(self) -> str:
        """The chosen segment, or ""."""
        return self.target.segmentId

    @property
    def seeds(self) -> Seeds | None:
        """Where the target's seeds are painted; None before ``prepareSeeds``."""
        return self.target.seeds

    @property
    def region(self) -> RegionNode:
        """The region of influence."""
        return self._work.region

    # What can be done, and what is known

    @property
    def busy(self) -> bool:
        """Whether a computation runs."""
        return self._work.busy

    @property
    def progress(self) -> tuple[float, str]:
        """Share done and a text, while something runs."""
        return self._work.progress

    @property
    def hasTarget(self) -> bool:
        """Whether volume and target are chosen."""
        return self.target.isWhole

    @property
    def isAccepted(self) -> bool:
        """Whether the target is completed and so stays as it is."""
        return self.target.isAccepted

    @property
    def canUndo(self) -> bool:
        """Whether there is a stroke or a round to take back."""
        return self.hasTarget and (
            self.strokes.unanswered or self.logic.canUndo(*self.target.place)
        )

    @property
    def canRedo(self) -> bool:
        """Whether there is a stroke or a round to bring back."""
        return self.hasTarget and (
            self.strokes.areTakenBack or self.logic.canRedo(*self.target.place)
        )

    @property
    def milliliters(self) -> float:
        """The volume of the target."""
        if not self.hasTarget:
            return 0.0
        return self._meter.milliliters(self.segmentationNode, self.segmentId)

    @property
    def undoHint(self) -> str:
        """One sentence: what Undo takes back, or why there is nothing to take back."""
        return undoHint(self)

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The target's rounds, the newest last."""
        return self.logic.rounds(*self.target.place) if self.hasTarget else ()

    @property
    def status(self) -> str:
        """One sentence: what happens, how it went, or what to do next."""
        if self.busy:
            share, text = self.progress
            return f"{text} ({share:.0%})" if text else _("Working...")
        return self.message or nextStep(self)

    # What the buttons do

    def segment(self) -> None:
        """Segment the volume automatically; of several targets, each into a segment of its own."""
        if not self.logic.proposes:
            self._say(
                _("There is no automatic segmentation with this model: paint inside your target.")
            )
            return
        with self._telling():
            self.prepareTarget()
            if self.logic.targets and self.options.allTargets:
                self._prepareTargets()
            self._begin(self._work.segment)

    def findObjects(self, found: Callable[[str], object] | None = None) -> None:
        """Find objects, each as a new segment; the surest one is then the target.

        Args:
            found: gets the ID of that segment before it is the target.
        """
        if not self.logic.proposes:
            self._say(_("This model finds nothing by itself: paint inside your target."))
            return
        with self._telling():
            self.target.checkVolume()
            if self.segmentationNode is None:
                self.choose(self.volumeNode, newSegmentation(self.volumeNode), "")
            self._begin(
                lambda target: self._work.findObjects(
                    target, lambda segments: self._foundObjects(segments, found)
                )
            )

    def refine(self) -> None:
        """Correct the target by its seeds."""
        with self._telling():
            self.prepareSeeds()
            self.strokes.settle()
            self.strokes.followTarget()
            seeds = self.seeds
            if (seeds is None or seeds.empty) and self.strokes.answered().empty:
                raise InputError(_("No seeds are painted yet: mark where the result is wrong."))
            self._begin(self._work.refine)

    def lookIntoBox(self) -> None:
        """Look for the target in the ROI box that is to be seen; show one where there is none."""
        with self._telling():
            self.target.checkVolume()
            node = visibleBox()
            if node is None:
                addBox(self.volumeNode)
                self._say(
                    _("Move the box around your target by its handles, then press Box again.")
                )
                return
            box = boxOfRoi(node, self.volumeNode)
            self.prepareSeeds()
            self.strokes.settle()
            self.strokes.followTarget()
            self._begin(lambda target: self._work.lookIntoBox(target, box))

    def takePoints(self, foreground: bool) -> None:
        """Take the points of the newest visible list of points as clicks.

        Args:
            foreground: whether they lie in the target, or beside it.
        """
        with self._telling():
            self.prepareSeeds()
            for place in clickedPlaces(self.volumeNode):
                self._paint(*voxelsOfClick(self.volumeNode, place), foreground)

    def undo(self) -> None:
        """Take back the strokes that no round has answered yet, or else the newest round."""
        with self._telling():
            self.target.check()
            if self.strokes.unanswered:
                self._work.takeStrokesBack()
                self._say(_("The last strokes were taken back."))
                return
            if self.busy and self._work.kind in ("segment", "box"):
                self._work.drop()
                self._say(_("The segmentation under way was taken back."))
                return
            self._work.drop()
            self._places.forget()
            with self.strokes.own():
                changed = self.logic.undo(*self.target.place)
            self._work.goTo(self.target, changed)
            self.strokes.findUnanswered()
            self._say(_("The last step was taken back."))

    def redo(self) -> None:
        """Bring back what was undone last."""
        with self._telling():
            self.target.check()
            if self.strokes.areTakenBack:
                self.strokes.bringBack()
                self._say(_("The strokes are back."))
                return
            self._work.drop()
            self._places.forget()
            with self.strokes.own():
                changed = self.logic.redo(*self.target.place)
            self._work.goTo(self.target, changed)
            self._say(_("The step is back."))

    def lookAtNextPlace(self) -> None:
        """Show the most uncertain place in the slice views; called again, the next one."""
        if self._places.isKnown:
            self._say(self._places.showNext(self.volumeNode))
            return
        with self._telling():
            self.target.check()
            self._work.look(self.target, self._foundPlaces)
            self._changed()

    def accept(self) -> None:
        """Lock the target as it is and clear its seeds."""
        with self._telling():
            self.target.check()
            self._work.drop()
            setCompleted(self.segmentationNode, self.segmentId, True)
            self.strokes.clear(forNow=True)
            self._say(_("Accepted. Press Next lesion for another one, or save the scene."))

    def reopen(self) -> None:
        """Unlock an accepted target, and bring its seeds back as far as they are remembered."""
        with self._telling():
            checkSegment(*self.target.place)
            setCompleted(self.segmentationNode, self.segmentId, False)
            self.strokes.findUnanswered()
            self._say(_("The segment can be changed again."))

    def nextLesion(self) -> None:
        """Accept the target if it holds anything, and begin another segment.

        The new one is grown from its own seeds: a model would find all lesions once more.
        """
        with self._telling():
            self.target.checkVolume()
            if self.hasTarget and not isEmpty(self.segmentationNode, self.segmentId):
                if not self.isAccepted:
                    self.accept()
                segmentation = self.segmentationNode
            else:
                segmentation = self.segmentationNode or newSegmentation(self.volumeNode)
            segmentId = addLesion(segmentation)
            setGrownFromSeeds(segmentation, segmentId)
            with self.strokes.own():
                makeSeeds(self.volumeNode, segmentation, segmentId)
            self.choose(self.volumeNode, segmentation, segmentId)
            self._say(_("New lesion: paint a stroke inside it."))

    def pinRegion(self, pinned: bool) -> None:
        """Let only the region of influence change from now on, or let it follow the strokes."""
        with self._telling():
            self.target.checkVolume()
            self.region.pin(self.volumeNode, pinned)

    def addStroke(
        self,
        points: Sequence[tuple[float, float, float]],
        radius: float,
        foreground: bool,
        *,
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
                self._paint(*seenBox(self.volumeNode, points, radius, normal=normal), foreground)

    def completeStroke(
        self,
        points: Sequence[tuple[float, float, float]],
        radius: float,
        foreground: bool,
        *,
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
            self._paint(*seenBox(self.volumeNode, points, radius, normal=normal), foreground, erase)

    def completeOutline(
        self, points: Sequence[tuple[float, float, float]], foreground: bool, normal: np.ndarray
    ) -> None:
        """Add what Slicer's Draw leaves out on a view that is oblique to the volume.

        Args:
            points: RAS positions (mm, world) along the outline, in order, in the view's plane.
            foreground: which class was drawn.
            normal: of the plane of the view.
        """
        with self._telling():
            self.prepareSeeds()
            self._paint(*seenOutline(self.volumeNode, points, normal), foreground)

    def clearStrokes(self) -> None:
        """Forget all strokes; the target stays as it is."""
        with self._telling():
            self.target.check()
            self.strokes.clear()
            self.logic.reset(*self.target.place)
            setGrownFromSeeds(self.segmentationNode, self.segmentId)
            self._say(_("The strokes are cleared."))

    def followScene(self) -> None:
        """Let the seeds follow an undo or a redo of the Segment Editor, which knows no seeds."""
        self._changedElsewhere = not self.strokes.ownWriting
        if self._changedElsewhere:
            self.message = ""

    def cancel(self) -> None:
        """Stop what runs; the scene stays as it is."""
        self._work.cancel()

    def prepareTarget(self) -> None:
        """Make a segmentation and a segment where none is chosen."""
        self.target.checkVolume()
        segmentation = self.segmentationNode or newSegmentation(self.volumeNode)
        if not self.hasTarget:
            self.choose(self.volumeNode, segmentation, addLesion(segmentation))

    def prepareSeeds(self) -> None:
        """Make sure that there is a target, and segments to paint its seeds in."""
        self.prepareTarget()
        self.strokes.prepare()

    def poll(self) -> None:
        """Bring in what is done, and answer new strokes; a timer on the scene's thread calls it."""
        with self._telling():
            self._work.poll()
        if self.strokes.unsettled:
            with self._telling():
                self.strokes.settle()
        waits = self.busy and self._work.kind != "refine"
        if self.strokes.due and self.options.autoRefine and not waits:
            self.refine()
        elif self._changedElsewhere and not self.busy:
            self._changedElsewhere = False
            with self._telling():
                self.strokes.followTarget()
        now = (self.busy, self.progress)
        if now != self._polled:
            self._polled = now
            self._changed()

    # Within

    def _say(self, message: str) -> None:
        self.message = message
        self._changed()

    def _telling(self) -> AbstractContextManager[None]:
        """Turn what goes wrong into a message; the scene is as it was then."""
        return telling(self._onFailed)

    def _onFailed(self, message: str) -> None:
        self.strokes.due = False  # it would fail again, at each tick of the timer
        self._say(message)

    def _paint(self, box: Box, stroke: np.ndarray, foreground: bool, erase: bool = False) -> None:
        self.strokes.paint(box, stroke, foreground, erase=erase)
        self._say("")

    def _begin(self, round_: Callable[[Target], None]) -> None:
        round_(self.target)
        self._places.forget()
        self.strokes.forgetTakenBack()
        self._changed()

    def _prepareTargets(self) -> None:
        """Make a segment for each of the model's targets; the chosen one is one of them then."""
        self.target.check()
        segments = segmentsOfTargets(self.segmentationNode, self.segmentId, self.logic.targets)
        if self.segmentId not in segments.values():
            self.choose(self.volumeNode, self.segmentationNode, next(iter(segments.values())))

    def _foundObjects(self, segments: list[str], found: Callable[[str], object] | None) -> None:
        """Work on the surest of the objects that were found."""
        if not segments:
            self._say(_("No object was found."))
            return
        if found is not None:
            found(segments[0])
        self.choose(self.volumeNode, self.segmentationNode, segments[0])
        self._say(
            _(
                "Objects found: {count}, each a segment. Choose one and paint where it is wrong."
            ).format(count=len(segments))
        )

    def _foundPlaces(self, places: list[tuple[int, int, int]]) -> None:
        self._places.begin(places)
        self.lookAtNextPlace()

    def _onStrokesLost(self) -> None:
        self._work.dropRefine()
        self._say(_("The strokes were deleted before they were answered; nothing was changed."))
