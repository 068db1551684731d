"""The rounds of a session, to be undone and redone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.interactions import Interactions
from DeepIGeoSLib.preprocessing import Box, bounding_box


@dataclass(frozen=True)
class State:
    """What a round starts from beside the probability.

    Attributes:
        interactions: all scribbles so far.
        initial: the probability that the rounds began with (P-Net's or a given mask); shared by
            the rounds, never written to.
    """

    interactions: Interactions
    initial: np.ndarray


@dataclass(frozen=True)
class _Round:
    box: Box | None
    values_before: np.ndarray | None
    values_after: np.ndarray | None
    state_before: State
    state_after: State


class History:
    """The probability of the moment and the rounds that led to it.

    A round keeps only the box that it changed, before and after, so that many rounds of a large
    volume fit into memory.
    """

    def __init__(self, probability: np.ndarray, state: State, limit: int) -> None:
        """Begin with a first result, which is taken over."""
        self.probability = probability
        self.state = state
        self._limit = limit
        self._done: list[_Round] = []
        self._undone: list[_Round] = []

    @property
    def can_undo(self) -> bool:
        """Whether there is a round to take back."""
        return bool(self._done)

    @property
    def can_redo(self) -> bool:
        """Whether there is an undone round to bring back."""
        return bool(self._undone)

    def commit(self, probability: np.ndarray, state: State) -> Box | None:
        """Make ``probability`` the newest result; undone rounds are forgotten.

        Returns:
            The smallest box whose labels changed, or None.
        """
        box = bounding_box(probability != self.probability)
        before = None if box is None else self.probability[box].copy()
        after = None if box is None else probability[box].copy()
        self._done.append(_Round(box, before, after, self.state, state))
        del self._done[: -self._limit]
        self._undone.clear()
        self.state = state
        return self._write(box, after)

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

    def _write(self, box: Box | None, values: np.ndarray | None) -> Box | None:
        if box is None:
            return None
        changed = bounding_box((values >= 0.5) != (self.probability[box] >= 0.5))
        self.probability[box] = values
        if changed is None:
            return None
        return tuple(
            slice(outer.start + inner.start, outer.start + inner.stop)
            for outer, inner in zip(box, changed, strict=True)
        )
