"""Progress of commands that take minutes to days: on a terminal, in logs, and as events."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from DeepIGeoSLib.commands.console import one_line, say

# Seconds between lines of a log and between events; the first of a log comes after so many.
_LOG_EVERY, _EVENT_EVERY = 30.0, 1.0


class LongProgress:
    """Shows progress in the way that who reads it can use.

    On a terminal a bar with the remaining time; where the error output goes to a file, a plain line
    twice a minute; as events a line of JSON once a second.
    """

    def __init__(
        self, *, events: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin.

        Args:
            events: whether lines of JSON are wanted instead.
            clock: seconds.
        """
        self._events = events
        self._clock = clock
        self._last = self._began = clock()
        self._bar = None if events or not _on_terminal() else _bar()
        self._task = None

    def __call__(self, fraction: float, text: str) -> None:
        """Take the share that is done and what is being done."""
        text = one_line(text)
        if self._bar is not None:
            self._show(fraction, text)
            return
        now = self._clock()
        every = _EVENT_EVERY if self._events else _LOG_EVERY
        if now - self._last < every and fraction < 1:
            return
        if fraction >= 1 and not self._events and now - self._began < _LOG_EVERY:
            return  # it was too short for a log
        self._last = now
        if self._events:
            self._write("progress", {"fraction": round(fraction, 4), "text": text})
        else:
            say(f"{datetime.now():%Y-%m-%d %H:%M:%S}  {fraction:4.0%}  {text}", sys.stderr)

    def event(self, kind: str, values: dict[str, Any], text: str) -> None:
        """Tell that something has happened, at once.

        Args:
            kind: of event, such as "case".
            values: what JSON can hold.
            text: what a person reads where events are not wanted; nothing is shown when empty.
        """
        if self._events:
            self._write(kind, values)
        elif text:
            if self._bar is not None:
                self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            else:
                say(text, sys.stderr)

    def __enter__(self) -> LongProgress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _show(self, fraction: float, text: str) -> None:
        assert self._bar is not None
        if self._task is None:
            self._task = self._bar.add_task(text, total=1.0)
        self._bar.update(self._task, completed=fraction, description=text)

    def _write(self, kind: str, values: dict[str, Any]) -> None:
        since = round(self._clock() - self._began, 3)
        say(json.dumps({"event": kind, "since": since, **_plain(values)}), sys.stderr)


def _on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _bar() -> Any:
    """Return rich's bar; None where rich is not installed."""
    try:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.progress import TimeRemainingColumn as Remaining
    except ImportError:
        return None
    return Progress(
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("left"),
        Remaining(),
        TextColumn("{task.description}", markup=False),
        console=Console(stderr=True),
        transient=True,
    )


def _plain(value: Any) -> Any:
    """Return a value with infinite numbers, which JSON lacks, as null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    return value
