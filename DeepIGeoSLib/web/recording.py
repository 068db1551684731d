"""What a user did, as JSON: strokes, buttons, rounds and times; enough to do it again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from DeepIGeoSLib.errors import InputError

FORMAT, VERSION = "deepigeos-interactions", 1


class Recording:
    """The actions on one volume, in order.

    Attributes:
        volume: name, shape (k, j, i), spacing (k, j, i) in mm, and fingerprint of the volume.
        events: each a dictionary with "seconds" since the start and "action"; see ``replay``.
    """

    def __init__(self, volume: dict[str, Any], now: Callable[[], float] = time.monotonic) -> None:
        """Begin without any action; ``now`` tells seconds."""
        self.volume = volume
        self.events: list[dict[str, Any]] = []
        self._now = now
        self._began = now()

    def add(self, action: str, **details: Any) -> None:
        """Note an action that was done just now."""
        seconds = round(self._now() - self._began, 3)
        self.events.append({"seconds": seconds, "action": action, **details})

    def text(self) -> str:
        """Return the recording as JSON."""
        return json.dumps(
            {"format": FORMAT, "version": VERSION, "volume": self.volume, "events": self.events},
            indent=1,
        )

    def go_on_from(self, text: str) -> None:
        """Put what was recorded before in front, such as before a crash.

        Raises:
            InputError: it is no recording.
        """
        _fingerprint, before = read_recording(text)
        last = before[-1]["seconds"] if before else 0.0
        self._began -= last
        self.events = [*before, *self.events]


def read_recording(
    text: str, name: str | Path = "The recording"
) -> tuple[str, list[dict[str, Any]]]:
    """Return the fingerprint of the volume of a recording, and the events.

    Args:
        text: the JSON.
        name: how the error calls it.

    Raises:
        InputError: it is no recording, or of a version that is not known here.
    """
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise KeyError("format")
        if found["version"] != VERSION:
            raise InputError(
                f"{name} has version {found['version']}; this program knows version {VERSION}."
            )
        fingerprint, events = str(found["volume"]["fingerprint"]), list(found["events"])
        if not all(isinstance(e["seconds"], (int, float)) and e["action"] for e in events):
            raise KeyError("events")
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} is no recording of a session ({FORMAT}).") from error
    return fingerprint, events
