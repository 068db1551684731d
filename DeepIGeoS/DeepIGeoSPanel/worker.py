"""The thread that computes, and the timer that lets it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from typing import Any

import qt
from slicer.i18n import tr as _

from DeepIGeoSPanel.library import importLibrary

# Slicer's main thread keeps Python's interpreter lock while it is in Qt's event loop, so another
# thread advances only while Python code of the main thread waits. While something is computed, the
# timer therefore waits for it most of the time: an event of the user interface is handled at the
# latest after _WAIT, and the computation has the lock for _WAIT of every _WAIT + _PAUSE.
_WAIT = 0.015  # s
_PAUSE = 2  # ms
_IDLE = 50  # ms: often enough that a stroke is answered at once, and seldom enough to cost nothing


class Worker(Executor):
    """Runs what is submitted, in order, on one thread of its own.

    Every method is called on the main thread. A thread that dies is noticed: its work fails with a
    sentence for the user, and the next work gets a new thread.
    """

    def __init__(self, poll: Callable[[], Any]) -> None:
        """Make the thread and the timer; ``poll`` is called at each of its ticks."""
        self._poll = poll
        self._pool: ThreadPoolExecutor | None = None
        self._thread: threading.Thread | None = None
        self._pending: list[Future] = []
        self._closed = False
        self._timer = qt.QTimer()
        self._timer.setInterval(_IDLE)
        self._timer.connect("timeout()", self._tick)

    def start(self) -> None:
        """Let the timer tick, and the thread work."""
        self._timer.start()

    def stop(self) -> None:
        """Stop the timer; the thread stands still as long as Slicer is in its event loop."""
        self._timer.stop()

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future:
        """Return a future; see ``concurrent.futures.Executor``."""
        if self._closed:
            raise RuntimeError("The worker was shut down.")
        self._replaceIfDead()
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="DeepIGeoS")
        future = Future()
        self._pending.append(future)
        self._pool.submit(self._run, future, lambda: work(*arguments, **keywords))
        self._timer.setInterval(_PAUSE)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more work; what the thread still computes, nobody gets."""
        self._closed = True
        self._timer.stop()
        self._timer.deleteLater()  # now, on this thread: garbage is collected on any
        if self._pool is not None:
            self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _run(self, future: Future, work: Callable[..., Any]) -> None:
        self._thread = threading.current_thread()
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except Exception as error:  # handed on by future.result(), as every executor does
            future.set_exception(error)
        except BaseException as error:  # raised on the main thread, SystemExit would end Slicer
            future.set_exception(_ended(error))

    def _tick(self) -> None:
        if self._pending:
            wait(self._pending, timeout=_WAIT)
            self._replaceIfDead()
            self._pending = [future for future in self._pending if not future.done()]
            self._timer.setInterval(_PAUSE if self._pending else _IDLE)
        self._poll()

    def _replaceIfDead(self) -> None:
        if self._thread is None or self._thread.is_alive():
            return
        logging.error("The computing thread of DeepIGeoS ended; the next step starts another one.")
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._pool = self._thread = None
        for future in self._pending:
            if not future.done():
                future.set_exception(_ended())


def _ended(cause: BaseException | None = None) -> Exception:
    """Return the error for the user."""
    error = importLibrary("DeepIGeoSLib.errors").DeepIGeoSError(
        _("The computation ended unexpectedly; nothing was changed. Please try again.")
    )
    error.__cause__ = cause
    return error
