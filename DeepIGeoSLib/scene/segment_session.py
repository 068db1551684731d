"""A session whose rounds follow a segment that others may change in between.

Users edit the segment by hand, undo in the Segment Editor, or never see a result because it was
cancelled. What the scene shows is the truth: before each step the session goes to the round that
equals it, or takes it over as a round of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

from DeepIGeoSLib.bundles import Bundle
from DeepIGeoSLib.session import InteractiveSession, Segmentation
from DeepIGeoSLib.volume import Volume


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

    @property
    def canUndo(self) -> bool:
        """Whether ``undo`` has a round to take back."""
        return self._session.can_undo

    @property
    def canRedo(self) -> bool:
        """Whether ``redo`` has a round to bring back."""
        return self._session.can_redo

    def propose(self, shown: np.ndarray, **options: Any) -> Segmentation:
        """Segment the volume automatically; see ``InteractiveSession.propose``."""
        return self._step(shown, lambda: self._session.propose(**options))

    def refine(
        self,
        shown: np.ndarray,
        foreground: np.ndarray | None,
        background: np.ndarray | None,
        **options: Any,
    ) -> Segmentation:
        """Correct what is shown by seeds; see ``InteractiveSession.refine``.

        An empty segment without any round before it is proposed first.
        """
        return self._step(shown, lambda: self._session.refine(foreground, background, **options))

    def undo(self, shown: np.ndarray) -> Segmentation:
        """Take the newest round back, be it the networks' or the user's own edit."""
        return self._step(shown, self._session.undo)

    def redo(self, shown: np.ndarray) -> Segmentation:
        """Bring the last undone round back."""
        return self._step(shown, self._session.redo)

    def _step(self, shown: np.ndarray, step: Callable[[], Segmentation]) -> Segmentation:
        self._follow(shown)
        result = step()
        self._known.add(_digest(result.labels))
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
            self._session.edit(shown)
        self._known.add(_digest(shown))

    def _walk(self, direction: str, shown: np.ndarray) -> bool:
        """Go to the round that equals ``shown``, or stay where the session is."""
        opposite = {"undo": "redo", "redo": "undo"}[direction]
        steps = 0
        while getattr(self._session, f"can_{direction}"):
            steps += 1
            if np.array_equal(getattr(self._session, direction)().labels, shown):
                return True
        for _ in range(steps):
            getattr(self._session, opposite)()
        return False


def _digest(mask: np.ndarray) -> bytes:
    return hashlib.blake2b(np.packbits(np.asarray(mask, dtype=bool))).digest()
