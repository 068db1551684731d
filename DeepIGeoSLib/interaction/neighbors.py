"""Targets beside each other: what a round takes from others, and what undo gives back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.interaction.draft import Draft
from DeepIGeoSLib.interaction.history import Change, History

# "keep": others keep their voxels, but those that foreground strokes mark. "give way": others lose
# what the target takes. "overlap": a voxel may belong to several.
NEIGHBORS = ("keep", "give way", "overlap")


def check_neighbors(rule: str) -> None:
    """Refuse what is no rule.

    Raises:
        InputError: it is none.
    """
    if rule not in NEIGHBORS:
        raise InputError(f"neighbors is {rule!r}; choose one of {list(NEIGHBORS)}.")


def held_by(neighbors: Sequence[History]) -> np.ndarray:
    """Return which voxels one neighbor or more hold: bool, on the oriented grid."""
    return np.logical_or.reduce([history.probability >= 0.5 for history in neighbors])


class GivenWay:
    """What neighbors lost by the rounds of a target, so that undo gives it back."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lost: list[tuple[Change, History, Change]] = []

    def take(self, taker: History, box: Box | None, neighbors: Iterable[History]) -> None:
        """Take from neighbors the voxels that the newest round gave to the taker.

        Args:
            taker: of the target; its newest round counts.
            box: the smallest one whose labels changed by it; None when none did.
            neighbors: of the targets that exclude it.
        """
        if box is None or taker.newest is None:
            return
        own = taker.probability[box] >= 0.5
        for history in neighbors:
            values = history.probability[box]
            both = own & (values >= 0.5)
            if not both.any():
                continue
            draft = Draft(history.probability)
            draft.write(box, np.where(both, np.float32(0), values))
            history.commit(draft, history.state.interactions)
            if history.newest is not None:
                self._lost.append((taker.newest, history, history.newest))

    def give_back(self, undone: Change | None) -> None:
        """Undo what neighbors lost by a round, unless they have gone on since."""
        for _, history, change in self._of(undone):
            if history.newest is change:
                history.undo()

    def take_again(self, redone: Change | None) -> None:
        """Redo what neighbors lost by a round, unless they have gone on since."""
        for _, history, change in self._of(redone):
            if history.newest_undone is change:
                history.redo()

    def _of(self, round_: Change | None) -> list[tuple[Change, History, Change]]:
        return [entry for entry in self._lost if entry[0] is round_]
