"""How far a run is, in words and as a share."""

from __future__ import annotations

import time

from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.errors import Progress


class Tally:
    """Counts cases, and says the rate and what remains."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        """Count up to ``total``; ``progress`` is told after each case."""
        self._total = total
        self._progress = progress
        self._done = self._failed = 0
        self._began = time.perf_counter()

    def begin(self) -> None:
        """Say that the workers are about to begin."""
        self._began = time.perf_counter()
        self._say(f"0 of {self._total} cases")

    def add(self, record: CaseRecord) -> None:
        """Count a case that was worked on."""
        self._done += 1
        self._failed += record.state is State.FAILED
        minutes = (time.perf_counter() - self._began) / 60
        text = f"{self._done} of {self._total} cases"
        if minutes > 0:
            text += f", {_number(self._done / minutes)} a minute"
        if self._failed:
            text += f", {self._failed} failed"
        self._say(text)

    def _say(self, text: str) -> None:
        if self._progress is not None:
            self._progress(self._done / max(1, self._total), text)


def _number(rate: float) -> str:
    """Return a rate with two digits at least, and no more after the point than they need."""
    return f"{rate:.{0 if rate >= 10 else 1 if rate >= 1 else 2}f}"
