"""A session whose rounds follow a segment that others may change in between.

Users edit the segment by hand, undo in the Segment Editor, or never see a result because it was
cancelled. What the scene shows is the truth: before each step the session goes to the round that
equals it, or takes it over as a round of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from DeepIGeoSLib.attention import uncertain_places
from DeepIGeoSLib.bundles import Bundle
from DeepIGeoSLib.session import InteractiveSession, Segmentation
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class Round:
    """One step of a target's history.

    Attributes:
        kind: what made it: the networks, or an edit by hand.
        changed: milliliters that became target or stopped being it.
        total: milliliters of the target after it.
    """

    kind: Literal["segmented", "refined", "edited"]
    changed: float
    total: float


class SegmentSession:
    """The rounds of one segment on one volume.

    Every method takes ``shown``, the segment as it is in the scene (bool, axes (k, j, i)).
    """

    def __init__(self, bundle: Bundle, volume: Volume, device: str = "auto") -> None:
        """Open a session on a volume.

        Raises:
            InputError: the volume does not fit the bundle, or is constant.
        """
        self._session = InteractiveSession(bundle, device=device)
        self._session.set_volume(volume)
        self._known: set[bytes] = set()
        self._spacing = volume.spacing
        self._rounds: list[Round] = []
        self._done = 0

    def setCrf(self, crf: bool | None) -> None:
        """See ``InteractiveSession.crf``."""
        self._session.crf = crf

    @property
    def canUndo(self) -> bool:
        """Whether ``undo`` has a round to take back."""
        return self._session.can_undo

    @property
    def canRedo(self) -> bool:
        """Whether ``redo`` has a round to bring back."""
        return self._session.can_redo

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds that ``undo`` would take back, the newest last."""
        return tuple(self._rounds[: self._done])

    @property
    def scribbles(self) -> tuple[np.ndarray, np.ndarray]:
        """The seeds that the newest round was given; see ``InteractiveSession.scribbles``."""
        return self._session.scribbles

    def uncertainPlaces(self) -> list[tuple[int, int, int]]:
        """Return where to look next, the worst first; see ``attention``."""
        current = self._session.current
        return [] if current is None else uncertain_places(current.probability, self._spacing)

    def propose(self, shown: np.ndarray, **options: Any) -> Segmentation:
        """Segment the volume automatically; see ``InteractiveSession.propose``.

        ``undo`` brings back what was shown before, be it nothing.
        """
        if self._session.current is None:
            self._takeOver(shown)
        return self._step(shown, "segmented", lambda: self._session.propose(**options))

    def refine(
        self,
        shown: np.ndarray,
        foreground: np.ndarray | None,
        background: np.ndarray | None,
        proposeFirst: bool = True,
        **options: Any,
    ) -> Segmentation:
        """Correct what is shown by seeds; see ``InteractiveSession.refine``.

        Args:
            shown: what to correct.
            foreground: all foreground seeds so far, or None.
            background: the same for the background.
            proposeFirst: an empty segment without any round before it is proposed first, instead
                of being grown from the seeds alone.
            **options: for ``InteractiveSession.refine``.
        """
        if self._session.current is None and not proposeFirst:
            self._takeOver(shown)
        return self._step(
            shown, "refined", lambda: self._session.refine(foreground, background, **options)
        )

    def undo(self, shown: np.ndarray) -> Segmentation:
        """Take the newest round back, be it the networks' or the user's own edit."""
        self._follow(shown)
        return self._move("undo")

    def redo(self, shown: np.ndarray) -> Segmentation:
        """Bring the last undone round back."""
        self._follow(shown)
        return self._move("redo")

    def follow(self, shown: np.ndarray) -> None:
        """Go to the round that is shown, or take what is shown over as an edit by hand."""
        self._follow(shown)

    def _step(self, shown: np.ndarray, kind: str, step: Callable[[], Segmentation]) -> Segmentation:
        self._follow(shown)
        result = step()
        self._known.add(_digest(result.labels))
        self._log(kind, shown, result.labels)
        return result

    def _log(self, kind: str, before: np.ndarray, after: np.ndarray) -> None:
        milliliters = float(np.prod(self._spacing)) / 1000
        changed = np.count_nonzero((before > 0) != (after > 0)) * milliliters
        self._rounds[self._done :] = [Round(kind, changed, np.count_nonzero(after) * milliliters)]
        self._done += 1

    def _move(self, direction: str) -> Segmentation:
        result = getattr(self._session, direction)()
        self._done += {"undo": -1, "redo": 1}[direction]
        return result

    def _follow(self, shown: np.ndarray) -> None:
        """Make the session's newest round equal to what is shown."""
        current = self._session.current
        if current is None:
            if shown.any():
                self._takeOver(shown)
            return
        if np.array_equal(current.labels, shown):
            return
        known = _digest(shown) in self._known
        if not (known and (self._walk("undo", shown) or self._walk("redo", shown))):
            self._takeOver(shown)

    def _takeOver(self, shown: np.ndarray) -> None:
        if self._session.current is None:
            self._session.refine(initial=shown)
        else:
            before = self._session.current.labels
            self._session.edit(shown)
            self._log("edited", before, shown)
        self._known.add(_digest(shown))

    def _walk(self, direction: str, shown: np.ndarray) -> bool:
        """Go to the round that equals ``shown``, or stay where the session is."""
        opposite = {"undo": "redo", "redo": "undo"}[direction]
        steps = 0
        while getattr(self._session, f"can_{direction}"):
            steps += 1
            if np.array_equal(self._move(direction).labels, shown):
                return True
        for _ in range(steps):
            self._move(opposite)
        return False


def _digest(mask: np.ndarray) -> bytes:
    return hashlib.blake2b(np.packbits(np.asarray(mask, dtype=bool))).digest()
