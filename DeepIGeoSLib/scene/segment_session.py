"""The session that computes the rounds of one segment, on the thread of the networks.

It knows nothing of the scene. Each step says which state of the segment's ledger it starts from;
the session goes there by undo and redo, or takes the labels over when it has never been there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from DeepIGeoSLib.any_structure.box_marks import in_box
from DeepIGeoSLib.bundles import Bundle
from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.grid.boxes import Box, box_of_voxels, hull
from DeepIGeoSLib.interaction.outlines import outlined
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.interaction.uncertain_places import uncertain_places
from DeepIGeoSLib.scene.labels import Change, Digest, Labels, VoxelReader
from DeepIGeoSLib.scene.ledger.coding import packedInteractions, packedStep
from DeepIGeoSLib.scene.ledger.rounds import ROUNDS_KEPT, Kind, newState
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class Start:
    """What a step starts from.

    Attributes:
        state: its name in the ledger.
        labels: of the segment.
        interactions: the strokes that are answered.
    """

    state: str
    labels: Labels
    interactions: Interactions


@dataclass(frozen=True)
class Answer:
    """What a step leads to; all that takes time is done already.

    Attributes:
        segmentation: the session's result.
        kind: what made it.
        change: of the labels.
        digest: of the change.
        interactions: the strokes that are answered now.
        state: the name of the new state.
        packed: the round, from ``packedStep``.
        packedStrokes: from ``packedInteractions``.
        lost: the strokes that count no more, because others were painted over them later.
        filled: numbers of the voxels that became foreground strokes as the area of an outline.
    """

    segmentation: Segmentation
    kind: Kind
    change: Change
    digest: Digest
    interactions: Interactions
    state: str
    packed: bytes
    packedStrokes: bytes
    lost: tuple[np.ndarray, np.ndarray]
    filled: np.ndarray


class SegmentSession:
    """Computes the rounds of one segment on one volume."""

    def __init__(self, session: InteractiveSession, volume: Volume) -> None:
        """Take a session without any result, and the volume that is set in it."""
        self._session = session
        self._volume = volume
        self._states: list[str] = []  # of the session's own rounds, the first one included
        self._at = 0

    @classmethod
    def opened(
        cls, bundle: Bundle, volume: Volume, *, device: str = "auto", target: str = ""
    ) -> SegmentSession:
        """Open a session on a volume.

        Args:
            bundle: the model.
            volume: the image.
            device: see ``InteractiveSession``.
            target: of the segment, where it is one of the model's several targets.

        Raises:
            InputError: the volume does not fit the bundle, or is constant.
        """
        session = InteractiveSession(bundle, device=device, undo_limit=ROUNDS_KEPT)
        if target in session.targets:
            session.target = target
        session.set_volume(volume)
        return cls(session, volume)

    def getReady(self, cancel: threading.Event | None = None) -> None:
        """See ``InteractiveSession.get_ready``."""
        self._session.get_ready(cancel)

    def proposeAll(
        self,
        starts: Mapping[str, Start],
        *,
        editable: np.ndarray | None = None,
        progress: Progress | None = None,
        cancel: threading.Event | None = None,
    ) -> dict[str, tuple[SegmentSession, Answer]]:
        """Segment the volume once, for several targets.

        Args:
            starts: what each segment starts from, by its target's name.
            editable: voxels of the volume that may change; all when None.
            progress: called with the share done and a text.
            cancel: stops the work when it is set.

        Returns:
            A session of its own for each segment, and its answer, by the target's name.
        """
        proposals = self._session.propose_all(progress, cancel)
        answers = {}
        for name, start in starts.items():
            own = SegmentSession(self._session.for_target(name), self._volume)
            own.setCrf(self._session.crf or None)
            own._go(start)
            adopted = partial(own._session.adopt, proposals[name].probability, editable)
            answers[name] = own, own._proposed(start, adopted)
        return answers

    def setCrf(self, crf: bool | None) -> None:
        """See ``InteractiveSession.crf``."""
        self._session.crf = crf

    def uncertainPlaces(self, start: Start) -> list[tuple[int, int, int]]:
        """Return where to look next, the worst first; see ``uncertain_places``."""
        self._go(start)
        return uncertain_places(self._shown().probability, self._volume.spacing)

    def uncertainty(self, start: Start) -> np.ndarray:
        """Return how unsure each voxel is: float32 in [0, 1], axes (k, j, i)."""
        self._go(start)
        return self._shown().uncertainty

    def propose(self, start: Start, **options: Any) -> Answer:
        """Segment the volume automatically; see ``InteractiveSession.propose``."""
        self._go(start)
        return self._proposed(start, lambda: self._session.propose(**options))

    def _proposed(self, start: Start, step: Callable[[], Segmentation]) -> Answer:
        result, state = self._step(step)
        change, none = _change(start, result, result.changed_box), Interactions(start.labels.shape)
        return _answer(result, "segmented", start, change, none, state, none.lost, none.foreground)

    def refine(
        self,
        start: Start,
        foreground: VoxelReader,
        background: VoxelReader,
        *,
        proposeFirst: bool = False,
        settle: bool = False,
        box: Box | None = None,
        outlines: bool = False,
        held: tuple[np.ndarray, np.ndarray] | None = None,
        **options: Any,
    ) -> Answer:
        """Correct the segment by seeds; see ``InteractiveSession.refine``.

        Args:
            start: what to correct.
            foreground: lists all foreground seeds so far.
            background: the same for the background.
            proposeFirst: the segment is proposed first, in the same round.
            settle: seeds are written back after the round: of voxels with both classes only the
                one that counts is kept.
            box: around the target, in this round.
            outlines: new closed foreground strokes count as their areas.
            held: voxels that neighbors hold, and those of them that no stroke takes; a foreground
                stroke that is new takes the others.
            **options: for ``InteractiveSession.refine``.
        """
        self._go(start)
        proposed = None
        if proposeFirst:
            proposing = {name: options[name] for name in ("progress", "cancel", "editable")}
            if box is not None:
                boxed = in_box(start.labels.shape, box)
                free = proposing["editable"]
                proposing["editable"] = boxed if free is None else boxed & free
            proposal, _state = self._step(lambda: self._session.propose(**proposing))
            proposed = _orNone(proposal.changed_box)
        strokes, others = foreground(), background()
        filled = strokes[:0]
        if outlines:
            filled = self._areas(start.interactions, strokes, others)
        interactions = start.interactions.updated(np.union1d(strokes, filled), others)
        if held is not None:
            new = np.setdiff1d(interactions.foreground, start.interactions.foreground)
            options["editable"] = _beside(held, options.get("editable"), new)
        given = (interactions.given_foreground, interactions.given_background)
        options["neighbors"] = "overlap"  # other segments are the scene's business
        result, state = self._step(lambda: self._session.refine(*given, box=box, **options))
        change = _change(start, result, hull(proposed, _orNone(result.changed_box)))
        lost = interactions.lost
        if settle:
            interactions = interactions.settled()
        return _answer(result, "refined", start, change, interactions, state, lost, filled)

    def _areas(
        self, answered: Interactions, foreground: np.ndarray, background: np.ndarray
    ) -> np.ndarray:
        """Return the numbers of the voxels that outlines among the new strokes enclose."""
        new = np.setdiff1d(foreground, answered.given_foreground, assume_unique=True)
        box = box_of_voxels(new, answered.shape)
        if box is None:
            return new
        strokes = Interactions(answered.shape, foreground=new).seeds(box)[0]
        areas = outlined(strokes, self._volume.array[box]) & ~strokes
        starts = [part.start for part in box]
        filled = np.ravel_multi_index(tuple((np.argwhere(areas) + starts).T), answered.shape)
        return np.setdiff1d(filled, background, assume_unique=True)

    def _step(self, step: Callable[[], Segmentation]) -> tuple[Segmentation, str]:
        result, state = step(), newState()
        self._arrive(state)
        return result, state

    def _arrive(self, state: str) -> None:
        """Name the state behind the session's newest round."""
        self._states[self._at + 1 :] = [state]
        del self._states[: -ROUNDS_KEPT - 1]
        self._at = len(self._states) - 1

    def _go(self, start: Start) -> None:
        """Make the session's newest round equal to what a step starts from."""
        if start.state in self._states:
            there = self._states.index(start.state)
            while self._at > there:
                self._session.undo()
                self._at -= 1
            while self._at < there:
                self._session.redo()
                self._at += 1
            self._session.restore(None, start.interactions)
            return
        self._session.restore(start.labels.mask(), start.interactions)
        self._arrive(start.state)

    def _shown(self) -> Segmentation:
        """Return the session's result; there is one after ``_go``."""
        shown = self._session.current
        if shown is None:
            raise ValueError("The session has not begun.")
        return shown


def _answer(
    result: Segmentation,
    kind: Kind,
    start: Start,
    change: Change,
    interactions: Interactions,
    state: str,
    lost: tuple[np.ndarray, np.ndarray],
    filled: np.ndarray,
) -> Answer:
    return Answer(
        result,
        kind,
        change,
        change.digest(start.labels.shape),
        interactions,
        state,
        packedStep(change, start.interactions, interactions),
        packedInteractions(interactions),
        lost,
        filled,
    )


def _change(start: Start, result: Segmentation, box: Box | None) -> Change:
    if box is None or _orNone(box) is None:
        return Change()
    return Change(box, result.labels_in(box) ^ start.labels.read(box)).cropped()


def _beside(
    held: tuple[np.ndarray, np.ndarray], editable: np.ndarray | None, marked: np.ndarray
) -> np.ndarray:
    """Return which voxels may change: none that is held, but marked ones, and no locked one."""
    taken, locked = held
    free = ~taken
    free.flat[marked] = True
    free &= ~locked
    return free if editable is None else free & editable


def _orNone(box: Box) -> Box | None:
    return box if all(part.start < part.stop for part in box) else None
