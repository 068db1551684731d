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
        self._running: tuple[Computation, Finished] | None = None
        self._waiting: tuple[Start, Finished] | None = None

    @property
    def busy(self) -> bool:
        """Whether something runs or waits."""
        return self._running is not None

    def begin(self, start: Start, finished: Finished) -> None:
        """Start a computation at once, or as soon as the running one has stopped.

        Args:
            start: begins it.
            finished: gets it when it is done, and calls its ``finish``.
        """
        self.poll()
        if self._running is None:
            self._running = (start(), finished)
        else:
            self._running[0].cancel()
            self._waiting = (start, finished)

    def poll(self) -> None:
        """Hand over what is done, and start what has waited for it. Called by a timer."""
        if self._running is None or not self._running[0].done:
            return
        computation, finished = self._running
        waiting, self._running, self._waiting = self._waiting, None, None
        if waiting is None:
            finished(computation)
        else:
            self._running = (waiting[0](), waiting[1])

    def cancel(self) -> None:
        """Stop; whoever waits for the running computation gets it, cancelled."""
        self._waiting = None
        if self._running is not None:
            self._running[0].cancel()

    def drop(self) -> None:
        """Stop, and tell nobody: the scene is gone."""
        self.cancel()
        self._running = None
