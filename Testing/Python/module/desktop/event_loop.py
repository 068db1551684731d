"""Qt's event loop as Slicer runs it: the main thread keeps Python's interpreter lock.

PythonQt's thread support is off in Slicer, so other Python threads stand still while Qt waits for
events and handles them. PySide lets go of the lock there, and would be too kind.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import PySide6
from PySide6 import QtCore

_WAIT_FOR_MORE_EVENTS = 4

# A PyDLL's functions are called without letting go of the lock.
_library = ctypes.PyDLL(str(Path(PySide6.__file__).parent / "Qt/lib/libQt6Core.so.6"))
_process_events = (
    _library._ZN16QCoreApplication13processEventsE6QFlagsIN10QEventLoop17ProcessEventsFlagEE
)
_process_events.argtypes = [ctypes.c_int]
_process_events.restype = None


# Wait for events, and handle them: all in C.
wait_for_events = partial(_process_events, _WAIT_FOR_MORE_EVENTS)


def process_events() -> None:
    """Handle the events that there are."""
    _process_events(0)


def run_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Handle events until the condition holds, which is asked after each of them."""
    alarm = QtCore.QTimer()  # so that the loop never waits for an event that does not come
    alarm.start(100)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still waiting after {seconds} s"
        wait_for_events()
    alarm.stop()
