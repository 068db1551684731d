"""The most memory that the process holds while something runs."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil

# How often the memory is looked at, in seconds.
_LOOK = 0.002


@contextmanager
def peak_memory() -> Generator[dict[str, int], None, None]:
    """Give a mapping that holds, at the end, the most memory that was in use.

    ``process`` is all of the process, ``bytes`` what lies above the use at the beginning.
    """
    process, stop = psutil.Process(), threading.Event()
    before = process.memory_info().rss
    found = {"bytes": 0, "process": before}

    def look() -> None:
        while not stop.wait(_LOOK):
            now = process.memory_info().rss
            found["process"] = max(found["process"], now)
            found["bytes"] = max(found["bytes"], now - before)

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield found
    finally:
        stop.set()
        watcher.join()
