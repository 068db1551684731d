"""The rounds of a session, to be undone and redone.

A round costs what its box costs, never what the volume costs: rounds keep the voxels of the box
that they changed, and earlier results are read from the present one and those boxes.
"""

from __future__ import annotations

import functools
import math
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, absolute_box, bounding_box, hull_of, whole_box
from DeepIGeoSLib.interaction.draft import Draft, patched
from DeepIGeoSLib.interaction.scribbles import Interactions

Reader = Callable[[Box], np.ndarray]

# A snapshot keeps boxes that overlap until they hold so many times the voxels of the box around
# them: rounds without end then take no memory without end.
_MOST_OVERLAP = 2


@dataclass(frozen=True)
class State:
    """What a round starts from beside the probability.

    Attributes:
        interactions: all scribbles so far.
        initial: returns a box of the probability that the rounds began with (P-Net's or a given
            mask) as an array of its own.
    """

    interactions: Interactions
    initial: Reader


@dataclass(frozen=True, eq=False)
class Change:
    """One round: the box that it changed, with what was there before and after."""

    box: Box | None
    values_before: np.ndarray | None
    values_after: np.ndarray | None
    state_before: State
    state_after: State


class Snapshot:
    """The probability as it is now, whatever rounds follow; nothing is copied until it is read."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._overwritten: list[tuple[Box, np.ndarray]] = []

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (k, j, i)."""
        return self._history.probability.shape

    def remember(self, box: Box, values: np.ndarray) -> None:
        """Keep what a box held, which is about to be overwritten."""
        if any(_covers(known, box) for known, _ in self._overwritten):
            return
        self._overwritten.append((box, values))
        around = functools.reduce(hull_of, (known for known, _ in self._overwritten))
        if sum(kept.size for _, kept in self._overwritten) > _MOST_OVERLAP * _voxels(around):
            merged = patched(self._history.probability, reversed(self._overwritten), around)
            self._overwritten = [(around, merged)]

    def read(self, box: Box) -> np.ndarray:
        """Return a copy of a box of the probability at the time of the snapshot."""
        with self._history.lock:
            return patched(self._history.probability, reversed(self._overwritten), box)

    def read_labels(self) -> np.ndarray:
        """Return the labels at the time of the snapshot: uint8, 1 = target."""
        whole = whole_box(self.shape)
        labels = np.empty(self.shape, dtype=np.uint8)
        for k in range(len(labels)):  # slice by slice, because a second copy may not fit
            part = slice(k, k + 1)
            np.greater_equal(self.read((part, *whole[1:])), 0.5, out=labels[part])
        return labels


class History:
    """The probability of the moment and the rounds that led to it.

    Attributes:
        probability: float32; changed in place by every round.
        state: what belongs to it.
        lock: held while the probability is written, so that snapshots may be read on any thread.
    """

    def __init__(self, probability: np.ndarray, interactions: Interactions, limit: int) -> None:
        """Begin with a first result, which is taken over."""
        self.probability = probability
        self.lock = threading.Lock()
        self._limit = limit
        self._done: list[Change] = []
        self._undone: list[Change] = []
        self._snapshots: weakref.WeakSet[Snapshot] = weakref.WeakSet()
        self.state = State(interactions, self.snapshot().read)

    @property
    def can_undo(self) -> bool:
        """Whether there is a round to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone round to bring back."""
        return bool(self._undone)

    @property
    def newest(self) -> Change | None:
        """The round that ``undo`` takes back."""
        return self._done[-1] if self._done else None

    @property
    def newest_undone(self) -> Change | None:
        """The round that ``redo`` brings back."""
        return self._undone[-1] if self._undone else None

    def snapshot(self) -> Snapshot:
        """Return the result of the moment, to be read at any later time."""
        taken = Snapshot(self)
        self._snapshots.add(taken)
        return taken

    def commit(
        self,
        draft: Draft,
        interactions: Interactions,
        initial: Reader | None = None,
        *,
        begins: bool = False,
    ) -> Box | None:
        """Make a draft of the present probability the newest result; undone rounds are forgotten.

        Args:
            draft: of ``probability``.
            interactions: all scribbles so far.
            initial: what this round and the next ones began with; as before when None.
            begins: the rounds begin anew with this result.

        Returns:
            The smallest box whose labels changed, or None.
        """
        box, before, after = self._difference(draft)
        changed = self._write(box, after)
        if begins:
            initial = self.snapshot().read
        state = State(interactions, initial or self.state.initial)
        self._done.append(Change(box, before, after, self.state, state))
        del self._done[: -self._limit]
        self._undone.clear()
        self.state = state
        return changed

    def remember(self, interactions: Interactions) -> None:
        """Take scribbles for those that the newest result has answered."""
        self.state = State(interactions, self.state.initial)

    def undo(self) -> Box | None:
        """Take the newest round back; return the smallest box whose labels changed."""
        if not self._done:
            raise InputError("There is no round to undo.")
        last = self._done.pop()
        self._undone.append(last)
        self.state = last.state_before
        return self._write(last.box, last.values_before)

    def redo(self) -> Box | None:
        """Bring the last undone round back; return the smallest box whose labels changed."""
        if not self._undone:
            raise InputError("There is no round to redo.")
        last = self._undone.pop()
        self._done.append(last)
        self.state = last.state_after
        return self._write(last.box, last.values_after)

    def _difference(self, draft: Draft) -> tuple[Box | None, np.ndarray | None, np.ndarray | None]:
        """Return the smallest box that the draft changes, and its values before and after."""
        if draft.box is None:
            return None, None, None
        drafted = draft.read(draft.box)
        inner = bounding_box(drafted != self.probability[draft.box])
        if inner is None:
            return None, None, None
        box = absolute_box(draft.box, inner)
        return box, self.probability[box].copy(), drafted[inner].copy()

    def _write(self, box: Box | None, values: np.ndarray | None) -> Box | None:
        if box is None or values is None:
            return None
        before = self.probability[box].copy()
        with self.lock:
            for snapshot in list(self._snapshots):
                snapshot.remember(box, before)
            self.probability[box] = values
        changed = bounding_box((values >= 0.5) != (before >= 0.5))
        return None if changed is None else absolute_box(box, changed)


def _voxels(box: Box) -> int:
    return math.prod(part.stop - part.start for part in box)


def _covers(outer: Box, inner: Box) -> bool:
    return all(
        around.start <= part.start and part.stop <= around.stop
        for around, part in zip(outer, inner, strict=True)
    )
