"""Keeping what image libraries print from the user.

ITK and the libraries below it print lines of their own, with the names of their source files,
before or instead of raising an error. What is wrong is said by our own errors.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager

_STDERR = 2


class _Silence:
    """The error output of the process, shut while at least one thread wants it so."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted_by = 0
        self._kept: int | None = None

    def begin(self) -> None:
        with self._lock:
            self._wanted_by += 1
            if self._wanted_by > 1:
                return
            try:
                self._kept = os.dup(_STDERR)
            except OSError:  # a program without a console has no error output
                return
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, _STDERR)
            os.close(nothing)

    def end(self) -> None:
        with self._lock:
            self._wanted_by -= 1
            if self._wanted_by == 0 and self._kept is not None:
                os.dup2(self._kept, _STDERR)
                os.close(self._kept)
                self._kept = None


_silence = _Silence()


@contextmanager
def quiet() -> Generator[None, None, None]:
    """Let nothing of this process reach its error output."""
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
