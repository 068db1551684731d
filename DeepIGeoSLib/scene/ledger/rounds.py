"""The one ledger of a segment: its rounds, the strokes that they answered, and how to undo them.

Rounds are kept as the voxels that they changed, packed to some kilobytes each. So a ledger outlives
the session that computed them, and is saved with the segment (see ``text``).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.scene.labels import Change, Digest, Labels, joined
from DeepIGeoSLib.scene.ledger.coding import packedStep, unpackedStep

# Rounds that can be undone, of one segment.
ROUNDS_KEPT = 50

Kind = Literal["segmented", "refined", "edited"]
Shortened = Literal["", "rounds", "memory", "edit", "grid"]


@dataclass(frozen=True)
class Round:
    """One step of a target's history.

    Attributes:
        kind: what made it: the networks, or an edit by hand.
        changed: milliliters that became target or stopped being it.
        total: milliliters of the target after it.
    """

    kind: Kind
    changed: float
    total: float


@dataclass(frozen=True)
class Place:
    """A state of the segment.

    Attributes:
        state: its name, unlike any other.
        digest: of the segment's labels.
        count: how many voxels the segment has.
    """

    state: str
    digest: Digest
    count: int


@dataclass(frozen=True)
class Step:
    """A round, and the states that it leads between.

    Attributes:
        round: what the user sees of it.
        before: where it starts from.
        after: where it leads to.
        packed: from ``packedStep``.
    """

    round: Round
    before: Place
    after: Place
    packed: bytes


class Ledger:
    """Rounds of one segment on one grid, and the place among them where the segment stands.

    Attributes:
        place: that place.
        interactions: the strokes that were answered until there.
        steps: rounds, the oldest first; those from ``done`` on were undone.
        done: how many of them the segment stands behind.
        shortened: why undo does not reach back further, where it could; or "".
    """

    def __init__(self, shape: Sequence[int], digest: Digest, count: int) -> None:
        """Begin with a segment as it is: without rounds and strokes.

        Args:
            shape: of the volume, (k, j, i).
            digest: of its labels.
            count: how many voxels it has.
        """
        self.place = Place(newState(), digest, count)
        self.interactions = Interactions(three(shape))
        self.steps: list[Step] = []
        self.done = 0
        self.shortened: Shortened = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the volume, (k, j, i)."""
        return self.interactions.shape

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds that ``undo`` would take back, the newest last."""
        return tuple(step.round for step in self.steps[: self.done])

    @property
    def canUndo(self) -> bool:
        """Whether there is a round to take back."""
        return self.done > 0

    @property
    def canRedo(self) -> bool:
        """Whether there is an undone round to bring back."""
        return self.done < len(self.steps)

    @property
    def memory(self) -> int:
        """Bytes that the rounds take."""
        return sum(len(step.packed) for step in self.steps)

    def commit(
        self,
        kind: Kind,
        change: Change,
        labels: Labels,
        *,
        interactions: Interactions,
        voxelVolume: float,
        state: str = "",
        packed: bytes | None = None,
        digest: Digest | None = None,
    ) -> None:
        """Add a round behind the place where the segment stands; undone rounds are forgotten.

        Args:
            kind: what made it.
            change: of the labels.
            labels: the labels after it.
            interactions: the strokes that are answered now.
            voxelVolume: of one voxel, in milliliters.
            state: a name for where it leads to; a new one when empty.
            packed: from ``packedStep`` for this round, where it is known already.
            digest: of the change, where it is known already.
        """
        flipped = int(np.count_nonzero(change.flips))
        gained = int(np.count_nonzero(labels.read(change.box) & change.flips))
        count = self.place.count + 2 * gained - flipped
        digest = joined(self.place.digest, digest or change.digest(self.shape))
        step = Step(
            Round(kind, flipped * voxelVolume, count * voxelVolume),
            self.place,
            Place(state or newState(), digest, count),
            packed or packedStep(change, self.interactions, interactions),
        )
        self.steps[self.done :] = [step]
        self.done += 1
        self.place, self.interactions = step.after, interactions
        if len(self.steps) > ROUNDS_KEPT:
            self.forgetOldest("rounds")

    def undo(self) -> Change:
        """Go back behind the newest round; return what that does to the labels."""
        step = self.steps[self.done - 1]
        change, self.interactions = unpackedStep(step.packed, self.interactions)
        self.done, self.place = self.done - 1, step.before
        return change

    def redo(self) -> Change:
        """Go forth to the round that was undone last; return what that does to the labels."""
        step = self.steps[self.done]
        change, self.interactions = unpackedStep(step.packed, self.interactions)
        self.done, self.place = self.done + 1, step.after
        return change

    def goTo(self, done: int) -> None:
        """Go behind so many rounds, where the segment stands without having been asked to."""
        while self.done > done:
            self.undo()
        while self.done < done:
            self.redo()

    def find(self, digest: Digest) -> int | None:
        """Return behind how many rounds the labels were these, the nearest place first."""
        known = [done for done, place in enumerate(self._places()) if place.digest == digest]
        return min(known, key=lambda done: abs(done - self.done), default=None)

    def findState(self, state: str) -> int | None:
        """Return behind how many rounds a state lies, or None where it is not known."""
        states = [place.state for place in self._places()]
        return states.index(state) if state in states else None

    def editedSince(self, state: str) -> bool:
        """Return whether nothing but edits by hand lies between a state and the present one."""
        done = self.findState(state)
        if done is None or done > self.done:
            return False
        return all(step.round.kind == "edited" for step in self.steps[done : self.done])

    def remember(self, interactions: Interactions) -> None:
        """Take other strokes for those that are answered in the present place."""
        for index in {self.done - 1, self.done} & set(range(len(self.steps))):
            step = self.steps[index]
            change, beyond = unpackedStep(step.packed, self.interactions)
            packed = packedStep(change, beyond, interactions)
            self.steps[index] = Step(step.round, step.before, step.after, packed)
        self.interactions = interactions

    def forgetOldest(self, why: Shortened) -> None:
        """Let the oldest round go, or, where all were undone, the last one."""
        self.shortened = why
        if self.done:
            del self.steps[0]
            self.done -= 1
        else:
            del self.steps[-1]

    def forgetRounds(self, why: Shortened, labels: Labels) -> None:
        """Begin anew with labels that no round leads to; the strokes stay answered."""
        self.shortened = why if self.steps else self.shortened
        self.steps, self.done = [], 0
        self.place = Place(newState(), labels.digest(), labels.count())

    def _places(self) -> list[Place]:
        if not self.steps:
            return [self.place]
        return [step.before for step in self.steps] + [self.steps[-1].after]


def newState() -> str:
    """Return a name for a state, unlike any other."""
    return uuid.uuid4().hex
