"""One computation at a time, and always the newest that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from DeepIGeoSLib.scene.computation import Computation

Start = Callable[[], Computation]
Finished = Callable[[Computation], None]


class NewestWork:
    """Runs what was asked for last; what it replaces is cancelled and never written.

    All methods are called on the thread that owns the scene, and none of them waits.
    """

    def __init__(self) -> None:
        """Begin idle."""
        self._running: Computation | None = None
        self._finished: Finished | None = None
        self._waiting: tuple[Start, Finished] | None = None

    @property
    def busy(self) -> bool:
        """Whether somebody waits for a result."""
        return self._finished is not None or self._waiting is not None

    def begin(self, start: Start, finished: Finished) -> None:
        """Start a computation at once, or as soon as the running one has stopped.

        Args:
            start: begins it.
            finished: gets it when it is done, and calls its ``finish``.
        """
        self.poll()
        if self._running is None:
            self._running, self._finished = start(), finished
        else:
            self._running.cancel()
            self._finished, self._waiting = None, (start, finished)

    def poll(self) -> None:
        """Hand over what is done, and start what has waited for it. Called by a timer."""
        if self._running is None or not self._running.done:
            return
        done, finished, waiting = self._running, self._finished, self._waiting
        self._running = self._finished = self._waiting = None
        if finished is not None:
            finished(done)
        if waiting is not None:
            self._running, self._finished = waiting[0](), waiting[1]

    def cancel(self) -> None:
        """Stop; whoever waits for the running computation gets it, cancelled."""
        self._waiting = None
        if self._running is not None:
            self._running.cancel()

    def drop(self) -> None:
        """Stop, and tell nobody: nobody is interested any more."""
        self.cancel()
        self._finished = None
