"""A result that is being computed, and the step that puts it into the scene.

Nodes are read before and written after the computation, both on the thread that owns the scene; in
between only arrays travel, so the computation may run on any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class InlineExecutor(Executor):
    """Runs what is submitted at once, on the calling thread."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future:
        """Return a future that is done already."""
        future: Future = Future()
        try:
            future.set_result(work(*arguments, **keywords))
        except Exception as error:  # handed on by future.result(), as every executor does
            future.set_exception(error)
        return future


class Computation:
    """One round on its way.

    A front end with an event loop asks ``done`` from a timer and then calls ``finish``; a script
    calls ``finish`` at once, which waits.
    """

    def __init__(
        self,
        future: Future,
        cancel: threading.Event,
        write: Callable[[Any], Any],
    ) -> None:
        """Take the running work, the event that stops it, and what puts its result in place."""
        self.future = future
        self._cancel = cancel
        self._write = write

    @property
    def done(self) -> bool:
        """Whether ``finish`` would return without waiting."""
        return self.future.done()

    def cancel(self) -> None:
        """Ask the work to stop; ``finish`` then raises ``Cancelled`` and writes nothing."""
        self._cancel.set()

    def showing(self, choose: Callable[[Any], Any]) -> Computation:
        """Return the same computation, of whose result ``finish`` returns what ``choose`` does."""
        return Computation(self.future, self._cancel, lambda result: choose(self._write(result)))

    def finish(self) -> Any:
        """Wait for the result, write it into the segment, and return it (a ``Segmentation``).

        Call it on the thread that owns the scene.

        Raises:
            Cancelled: ``cancel`` came in time; the scene is as before.
            InputError: the input can't be used, or the target is gone; the scene is as before.
        """
        return self._write(self.future.result())
