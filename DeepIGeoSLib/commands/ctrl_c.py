"""Ctrl-C, which must end every command in one sentence, whatever it interrupts."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType
from typing import Any

# After so many seconds a Ctrl-C that Python had to drop is given again.
_AGAIN = 0.05


class CtrlC:
    """Remembers that Ctrl-C was pressed while this context is open.

    Python drops a KeyboardInterrupt that meets a destructor or a callback (imports have many), and
    prints a traceback; extension modules make other errors of one. With what is remembered here,
    the first is raised again, and the second is told apart from an error.

    Attributes:
        pressed: whether it was.
    """

    def __init__(self) -> None:
        self.pressed = False
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> CtrlC:
        if self._active:
            self._handler = signal.signal(signal.SIGINT, self._press)
            self._hook, sys.unraisablehook = sys.unraisablehook, self._dropped
            self._thread_hook, threading.excepthook = threading.excepthook, self._failed
        return self

    def __exit__(self, *_: object) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._handler)
            sys.unraisablehook = self._hook
            # Threads that still run when the program ends meet interrupted imports, too.
            if not self.pressed:
                threading.excepthook = self._thread_hook

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt

    def _dropped(self, unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            threading.Timer(_AGAIN, _thread.interrupt_main).start()
        elif not self.pressed:
            self._hook(unraisable)

    def _failed(self, failure: threading.ExceptHookArgs) -> None:
        # A thread may meet a package whose import Ctrl-C interrupted.
        if not self.pressed:
            self._thread_hook(failure)
