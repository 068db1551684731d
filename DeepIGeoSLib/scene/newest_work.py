"""One computation at a time, and always the newest that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.scene.computation import Computation

Start = Callable[[Progress], Computation]
Finished = Callable[[Computation], object]


class NewestWork:
    """Runs what was asked for last; what it replaces is cancelled and never written.

    All methods are called on the thread that owns the scene, and none of them waits.

    Attributes:
        kind: what was asked for last, or "".
        progress: share done and a text, while something runs.
    """

    def __init__(self) -> None:
        """Begin idle."""
        self.kind = ""
        self.progress: tuple[float, str] = (0.0, "")
        self._running: Computation | None = None
        self._finished: Finished | None = None
        self._waiting: tuple[Start, Finished] | None = None

    @property
    def busy(self) -> bool:
        """Whether somebody waits for a result."""
        return self._finished is not None or self._waiting is not None

    def begin(self, kind: str, text: str, *, start: Start, finished: Finished) -> None:
        """Start a computation at once, or as soon as the running one has stopped.

        Args:
            kind: what it is.
            text: of the progress, until the computation tells another one.
            start: begins it, and gets what it tells its progress to, on any thread.
            finished: gets it when it is done, and calls its ``finish``.
        """
        self.progress = (0.0, text)
        self.poll()
        if self._running is None:
            self._running, self._finished = start(self._tell), finished
        else:
            self._running.cancel()
            self._finished, self._waiting = None, (start, finished)
        self.kind = kind

    def poll(self) -> None:
        """Hand over what is done, and start what has waited for it. Called by a timer."""
        if self._running is None or not self._running.done:
            return
        done, finished, waiting = self._running, self._finished, self._waiting
        self._running = self._finished = self._waiting = None
        if finished is not None:
            finished(done)
        if waiting is not None:
            self._running, self._finished = waiting[0](self._tell), waiting[1]

    def cancel(self) -> None:
        """Stop; whoever waits for the running computation gets it, cancelled."""
        self._waiting = None
        if self._running is not None:
            self._running.cancel()

    def drop(self) -> None:
        """Stop, and tell nobody: nobody is interested any more."""
        self.cancel()
        self._finished = None

    def _tell(self, share: float, text: str) -> None:
        self.progress = (share, text)
