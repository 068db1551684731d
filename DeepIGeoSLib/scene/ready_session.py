"""A session on a volume, made before anybody has asked for an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor

from DeepIGeoSLib.errors import DeepIGeoSError
from DeepIGeoSLib.scene.segment_session import SegmentSession


class ReadySession:
    """Makes a session while the user looks at the volume; the first target without one takes it."""

    def __init__(self) -> None:
        """Begin without any."""
        self._stamp: tuple[object, ...] = ()
        self._session: SegmentSession | None = None
        self._cancel = threading.Event()

    def begin(
        self,
        stamp: tuple[object, ...],
        open_session: Callable[[], SegmentSession],
        executor: Executor,
    ) -> None:
        """Make a session, instead of one that was made or begun before; return at once.

        Args:
            stamp: the state of the volume's voxels.
            open_session: returns a session on them; called on the executor.
            executor: runs it, one thing at a time.
        """
        self.forget()
        cancel = self._cancel

        def make() -> None:
            if cancel.is_set():
                return
            try:
                session = open_session()
                session.getReady(cancel)
            except DeepIGeoSError:
                return  # the user's first step fails in the same way, and says so
            if not cancel.is_set():
                self._stamp, self._session = stamp, session

        executor.submit(make)

    def taken(self, stamp: tuple[object, ...]) -> SegmentSession | None:
        """Hand the session out, if there is one on voxels in this state."""
        if self._session is None or self._stamp != stamp:
            return None
        session, self._session = self._session, None
        return session

    def forget(self) -> None:
        """Free the session; one that is being made is stopped."""
        self._cancel.set()
        self._cancel = threading.Event()
        self._session = None
