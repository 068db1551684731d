"""The computations for the target that is worked on: one at a time, and the newest one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from DeepIGeoSLib.bundles import GEODESIC
from DeepIGeoSLib.errors import Cancelled, InputError, Progress
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.scene.computation import Computation
from DeepIGeoSLib.scene.growth_area import GrowthArea
from DeepIGeoSLib.scene.lesions import isGrownFromSeeds
from DeepIGeoSLib.scene.newest_work import NewestWork
from DeepIGeoSLib.scene.nodes import isEmpty
from DeepIGeoSLib.scene.places import frameOf
from DeepIGeoSLib.scene.region_node import RegionNode
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.slice_views import goToBox
from DeepIGeoSLib.scene.target import Target
from DeepIGeoSLib.scene.target_segments import segmentsOfTargets, targetOf
from DeepIGeoSLib.scene.target_strokes import TargetStrokes
from DeepIGeoSLib.scene.torch_loading import isTorchLoaded
from DeepIGeoSLib.scene.translation import tr as _
from DeepIGeoSLib.scene.work_options import WorkOptions

Say = Callable[[str], object]
Found = Callable[[list[tuple[int, int, int]]], object]


class TargetWork(NewestWork):
    """Begins a round or a look for places, and brings the answer into the scene.

    Attributes:
        region: the region of influence.
    """

    def __init__(
        self, logic: SegmentationLogic, strokes: TargetStrokes, *, options: WorkOptions, say: Say
    ) -> None:
        """Begin idle.

        Args:
            logic: computes and writes.
            strokes: those of the target.
            options: how the user wants to work.
            say: gets the sentence about how it went.
        """
        super().__init__()
        self.region = RegionNode()
        self._logic = logic
        self._strokes = strokes
        self._options = options
        self._say = say
        self._area = GrowthArea()

    def segment(self, target: Target) -> None:
        """Begin to segment a target automatically.

        Raises:
            InputError: it can't be changed.
        """
        done = _("Segmented. Paint what is missing or too much.")
        targets = self._logic.targets
        if targets and self._options.allTargets:
            done = _("Segmented: {targets}. Choose a segment and paint where it is wrong.").format(
                targets=", ".join(one.name for one in targets)
            )
            self._beginRound("segment", target, self._startTargets, done)
        else:
            self._beginRound("segment", target, self._startSegment, done)

    def refine(self, target: Target) -> None:
        """Begin to correct a target by its strokes.

        Raises:
            InputError: it can't be changed.
        """
        done = _("Refined. Paint where it is still wrong.")
        self._beginRound("refine", target, self._startRefine, done)
        self._strokes.due = False

    def lookIntoBox(self, target: Target, box: Box) -> None:
        """Begin to look for a target in a box (voxels k, j, i); its new strokes count, too.

        Raises:
            InputError: it can't be changed.
        """
        done = _("The box is answered. Paint where the result is still wrong.")
        self._beginRound("box", target, partial(self._startRefine, box=box), done)
        self._strokes.due = False

    def findObjects(self, target: Target, found: Callable[[list[str]], object]) -> None:
        """Begin to find objects; ``found`` gets the IDs of their segments, the surest first."""
        self.begin(
            "objects",
            self._loadingText() or _("Looking for objects"),
            start=lambda tell: self._logic.startInstances(
                target.volumeNode, target.segmentationNode, progress=tell
            ),
            finished=lambda computation: self._finishObjects(computation, found),
        )

    def look(self, target: Target, found: Found) -> None:
        """Begin to look for uncertain places; ``found`` gets voxels (k, j, i), worst first."""
        self.begin(
            "look",
            _("Looking for uncertain places"),
            start=lambda _tell: self._logic.startLook(*target.place),
            finished=lambda computation: found(computation.finish()),
        )

    def takeStrokesBack(self) -> None:
        """Erase the strokes that no round has answered; what answers them is stopped."""
        self.dropRefine()
        self._strokes.takeBack()

    def dropRefine(self) -> None:
        """Stop what answers strokes, and tell nobody."""
        if self.kind == "refine":
            self.drop()

    def goTo(self, target: Target, changed: Box, center: bool = False) -> None:
        """Let the slice views show what changed, if that is wished."""
        if self._options.goToChanges:
            goToBox(target.volumeNode, changed, center)

    def _beginRound(
        self,
        kind: str,
        target: Target,
        start: Callable[[Target, Progress], Computation],
        done: str,
    ) -> None:
        target.check()
        self.begin(
            kind,
            self._loadingText(),
            start=lambda tell: start(target, tell),
            finished=lambda computation: self._finish(kind, target, computation, done),
        )

    def _loadingText(self) -> str:
        loads = self._logic.bundle != GEODESIC and not isTorchLoaded()
        return _("Loading PyTorch, once per start of Slicer") if loads else ""

    def _finishObjects(
        self, computation: Computation, found: Callable[[list[str]], object]
    ) -> None:
        try:
            segments = computation.finish()
        except Cancelled:
            self._onCancelled("objects")
            return
        found(segments)

    def _startSegment(self, target: Target, tell: Progress) -> Computation:
        return self._logic.startPropose(
            *target.place,
            progress=tell,
            editable=self._area.begin(target, self._options.editableArea),
        )

    def _startTargets(self, target: Target, tell: Progress) -> Computation:
        segments = segmentsOfTargets(target.segmentationNode, target.segmentId, self._logic.targets)
        computation = self._logic.startProposeTargets(
            target.volumeNode,
            target.segmentationNode,
            segments,
            progress=tell,
            editable=self._area.begin(target, self._options.editableArea),
        )
        shown = targetOf(target.segmentationNode, target.segmentId)
        return computation.showing(
            lambda results: results.get(shown) or next(iter(results.values()))
        )

    def _startRefine(self, target: Target, tell: Progress, box: Box | None = None) -> Computation:
        seeds = target.seeds
        if seeds is None:
            raise InputError(
                _("The strokes were deleted before they were answered; nothing was changed.")
            )
        return self._logic.startRefine(
            *target.place,
            seeds.foregroundId,
            seeds.backgroundId,
            progress=tell,
            seedsNode=seeds.segmentationNode,
            region=self.region.pinnedBox(target.volumeNode),
            editable=self._area.begin(target, self._options.editableArea),
            proposeFirst=not isGrownFromSeeds(target.segmentationNode, target.segmentId),
            box=box,
            outlines=self._options.outlines,
            neighbors=self._options.neighbors,
        )

    def _finish(self, kind: str, target: Target, computation: Computation, done: str) -> None:
        self._area.check(target, self._options.editableArea)
        strokes = self._strokes
        try:
            with strokes.own():
                result = computation.finish()
        except Cancelled:
            self._onCancelled(kind)
            return
        if kind == "segment" and target.seeds is not None:
            strokes.unanswered = strokes.due = not target.seeds.empty
        elif kind in ("refine", "box"):
            strokes.rememberFilled()
            strokes.unanswered = strokes.due  # those that were painted meanwhile
            with strokes.own():
                self.region.show(target.volumeNode, result.region)
        self.goTo(target, result.changed_box, center=kind == "segment")
        if kind == "box" and isEmpty(target.segmentationNode, target.segmentId):
            done = _("Nothing was found in the box: paint a stroke inside your target.")
        frame = frameOf(target.volumeNode)
        if frame is not None:
            done += " " + _("(Frame {number} of {count} of {sequence}.)").format(
                sequence=frame[0], number=frame[1], count=frame[2]
            )
        self._say(done)

    def _onCancelled(self, kind: str) -> None:
        if kind == "refine" and self._options.autoRefine and self._strokes.unanswered:
            self.takeStrokesBack()
            self._say(_("Cancelled; the stroke was taken back. Redo paints it again."))
        else:
            self._say(_("Cancelled; nothing was changed."))
