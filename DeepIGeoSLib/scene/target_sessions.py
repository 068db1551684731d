"""The sessions of the segments that are being worked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.scene.computation import Computation
from DeepIGeoSLib.scene.segment_session import SegmentSession

# Each session holds its volume two or three times over; the one used longest ago makes room.
_SESSIONS_KEPT = 4


@dataclass
class TargetSession:
    """The session of a segment, the volume's state it belongs to, and what it computes."""

    stamp: tuple[object, ...] = ()
    session: SegmentSession | None = None
    computation: Computation | None = None


class TargetSessions:
    """Keeps the sessions that were used last."""

    def __init__(self) -> None:
        """Begin without any."""
        self._sessions: dict[tuple[str, str, str], TargetSession] = {}

    def idle(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> TargetSession:
        """Return the session of a segment, a new one where there is none.

        Raises:
            InputError: it is still computing.
        """
        key = _key(volumeNode, segmentationNode, segmentId)
        found = self._sessions.pop(key, None) or TargetSession()
        self._sessions[key] = found  # as the one used last
        if found.computation is not None and not found.computation.done:
            raise InputError(
                f"The segment {segmentId!r} is still being computed; wait for it or cancel it."
            )
        while len(self._sessions) > _SESSIONS_KEPT:
            del self._sessions[next(iter(self._sessions))]
        return found

    def forget(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Free the session of a segment."""
        self._sessions.pop(_key(volumeNode, segmentationNode, segmentId), None)

    def clear(self) -> None:
        """Free all sessions."""
        self._sessions.clear()


def _key(volumeNode: Any, segmentationNode: Any, segmentId: str) -> tuple[str, str, str]:
    return (volumeNode.GetID(), segmentationNode.GetID(), segmentId)
