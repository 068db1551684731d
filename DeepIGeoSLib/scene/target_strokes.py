"""The strokes of the target that is worked on, from the brush until a round has answered them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import DeepIGeoSError, InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.scene.ledger.book import strokesOf
from DeepIGeoSLib.scene.nodes import shapeOf
from DeepIGeoSLib.scene.overlaps import Overlaps
from DeepIGeoSLib.scene.seed_keeper import SeedKeeper
from DeepIGeoSLib.scene.seed_watch import SeedWatch
from DeepIGeoSLib.scene.seeds import Seeds, Strokes, makeSeeds, showOnly
from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
from DeepIGeoSLib.scene.target import Target


class TargetStrokes:
    """Knows which of the painted strokes a round has answered, and which none has.

    Attributes:
        unanswered: whether there are strokes that no round has answered.
        due: whether they are to be answered without being asked.
        unsettled: whether strokes were painted since ``settle``.
    """

    def __init__(
        self,
        logic: SegmentationLogic,
        painted: Callable[[], object],
        lost: Callable[[], object],
    ) -> None:
        """Begin without a target.

        Args:
            logic: knows what was answered.
            painted: called after each stroke of the user.
            lost: called when strokes are deleted that were not answered yet.
        """
        self.unanswered = self.due = self.unsettled = False
        self._logic = logic
        self._painted = painted
        self._lost = lost
        self._target = Target()
        self._takenBack: Strokes | None = None
        self._overlaps = Overlaps()
        self._watch = SeedWatch(self._onPainted)
        self._keeper = SeedKeeper(self._onSeedsDeleted, self._watch.own)

    def begin(self, target: Target) -> None:
        """Follow the strokes of this target, and of no other one."""
        self._target = target
        self.unanswered = self.due = self.unsettled = False
        self._takenBack = None
        self._keeper.start()
        with self.own():
            if target.seeds is not None:
                showOnly(target.seeds)
                self._remember()
            self.findUnanswered()
        self._watch.watch(target.seeds)

    def end(self) -> None:
        """Let go of the scene."""
        self._target = Target()
        self.unsettled = False
        self._watch.watch(None)
        self._keeper.stop()

    @property
    def seeds(self) -> Seeds | None:
        """Where the strokes are painted; None before ``prepare``."""
        return self._target.seeds

    @property
    def areTakenBack(self) -> bool:
        """Whether ``bringBack`` has strokes to bring back."""
        return self._takenBack is not None

    @property
    def ownWriting(self) -> bool:
        """Whether the program itself is changing the scene just now."""
        return self._watch.writing

    def own(self) -> AbstractContextManager[None]:
        """Return what is entered while the program writes what is no stroke of the user."""
        return self._watch.own()

    def prepare(self) -> Seeds:
        """Return where the strokes are painted, and make it where it is missing.

        Raises:
            InputError: the target can't be changed.
        """
        self._target.check()
        with self.own():
            isNew = self.seeds is None
            seeds = makeSeeds(*self._target.place)
            showOnly(seeds)
            if isNew:
                self._showAnswered()
                self._remember()
        self._watch.watch(seeds)
        return seeds

    def paint(self, box: Box, stroke: np.ndarray, foreground: bool, *, erase: bool = False) -> None:
        """Add voxels to the strokes, or take them away.

        Args:
            box: slices (k, j, i) of the volume.
            stroke: bool of that shape.
            foreground: which class.
            erase: whether they are taken away.
        """
        seeds = self.seeds or self.prepare()
        change = seeds.rubOut if erase else seeds.paint
        with self.own():
            change(self._target.volumeNode, box, stroke, foreground=foreground)
        self.unanswered = self.due = True
        self._takenBack = None

    def answered(self) -> Interactions:
        """Return the strokes that the newest round and those before it have answered."""
        known = self._logic.strokes(*self._target.place)
        return Interactions(shapeOf(self._target.volumeNode)) if known is None else known

    def painted(self) -> Strokes:
        """Return the strokes that are painted."""
        if self.seeds is None:
            return strokesOf(Interactions(shapeOf(self._target.volumeNode)))
        foreground, background = self.seeds.voxels(self._target.volumeNode)
        return foreground(), background()

    def followTarget(self) -> None:
        """Let rounds and strokes follow what was done to the target elsewhere."""
        with self.own():
            self._logic.follow(*self._target.place)

    def findUnanswered(self) -> None:
        """Find out whether there are strokes that no round has answered.

        A copied segmentation knows what was answered, but has no seeds yet: they are made.
        """
        if not self._target.isWhole or self._target.isAccepted:
            return
        known = self._logic.strokes(*self._target.place)
        if self.seeds is None and (known is None or known.empty):
            return
        wasKnown = known is not None
        try:
            self.followTarget()
            seeds = self.seeds or self.prepare()
        except InputError:
            return  # whoever wants to work on this choice is told then
        if seeds.takeCleared():
            self._showAnswered()
        answered = strokesOf(self.answered())
        self.unanswered = not all(map(np.array_equal, self.painted(), answered))
        self.due = self.unanswered and wasKnown

    def takeBack(self) -> None:
        """Erase the strokes that no round has answered."""
        painted = self.painted()
        self._showAnswered()
        self.unanswered = self.due = False
        self._takenBack = painted

    def bringBack(self) -> None:
        """Paint again what ``takeBack`` has erased."""
        painted, self._takenBack = self._takenBack, None
        if painted is None:
            return
        seeds = self.seeds or self.prepare()
        with self.own():
            seeds.exchange(self._target.volumeNode, self.painted(), painted)
        self.unanswered = self.due = True

    def forgetTakenBack(self) -> None:
        """Have nothing to bring back any more."""
        self._takenBack = None

    def clear(self, forNow: bool = False) -> None:
        """Erase all strokes; see ``Seeds.clear``."""
        if self.seeds is not None:
            with self.own():
                self.seeds.clear(forNow)
            self._remember()
        self.unanswered = self.due = False
        self._takenBack = None

    def settle(self) -> None:
        """Where strokes of both kinds overlap, let the later one stay in the scene.

        A saved scene can't tell which came later.
        """
        self.unsettled = False
        if self.seeds is not None:
            with self.own():
                self._overlaps.settle(*self._target.place)

    def _showAnswered(self) -> None:
        """Paint the strokes that were answered, and no others."""
        if self.seeds is not None:
            self.followTarget()
            with self.own():
                answered = strokesOf(self.answered())
                self.seeds.exchange(self._target.volumeNode, self.painted(), answered)

    def rememberFilled(self) -> None:
        """Know the areas of outlines that a round painted, if nothing was painted after it."""
        if not self.unsettled:
            self._remember()

    def _remember(self) -> None:
        """Know the strokes that there are, to tell later ones from them."""
        if self._target.volumeNode is not None and self.seeds is not None:
            with suppress(DeepIGeoSError):  # said as soon as something is to be done with them
                self._overlaps.begin(self._target.volumeNode, self.seeds)

    def _onPainted(self) -> None:
        self.unanswered = self.due = self.unsettled = True
        self._takenBack = None
        self._painted()

    def _onSeedsDeleted(self, segmentationNode: Any) -> None:
        self._logic.forgetStrokes(segmentationNode)
        if segmentationNode is not self._target.segmentationNode:
            return
        self._watch.watch(None)
        self._takenBack = None
        if self.unanswered:
            self.unanswered = self.due = False
            self._lost()
