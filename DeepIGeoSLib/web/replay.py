"""Doing a recorded session again, step by step."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.web.recording import read_recording
from DeepIGeoSLib.web.session import WebSession

_TICK = 0.01  # s

# What a button did. The answers ("round") come by themselves; what was only looked at is left out.
_BUTTONS = {
    *("segment", "refine", "undo", "redo", "accept", "reopen", "next target", "clear strokes"),
}


async def replay(session: WebSession, path: Path) -> int:
    """Do what a recording says on the opened image, waiting for each answer.

    Strokes that were drawn while an answer was computed are answered one after the other here, so
    that the result does not depend on how fast a computer is.

    Args:
        session: with the recording's image opened.
        path: the recording.

    Returns:
        How many steps were done.

    Raises:
        InputError: it is no recording, or one of another image.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} can't be read.") from error
    fingerprint, events = read_recording(text, path)
    if fingerprint != session.opened.fingerprint:
        raise InputError(f"{path} was recorded on another image than {session.opened.title}.")
    targets: dict[str, str] = {}  # segments of the recording, and those of this session
    done = 0
    for event in events:
        try:
            known = _do(session, event, targets)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is damaged: step {done + 1} can't be done.") from error
        if known:
            done += 1
            await _answered(session)
            targets.setdefault(event.get("segment_id", ""), session.bench.segmentId)
    return done


def _do(session: WebSession, event: dict[str, Any], targets: dict[str, str]) -> bool:
    """Do one step; return whether there was anything to do."""
    action = event["action"]
    if action == "stroke":
        session.paint(
            event["brush"],
            event["points"],
            event["normal"],
            diameter=event["diameter"],
            ball=event["ball"],
        )
    elif action == "model":
        session.use_model(event["name"])
    elif action == "auto refine":
        session.set_auto_refine(event["enabled"])
    elif action == "target":
        session.choose_target(targets.get(event["segment_id"], ""))
    elif action in _BUTTONS:
        session.act(action)
    else:
        return False
    return True


async def _answered(session: WebSession) -> None:
    session.poll()
    while session.bench.busy:
        await asyncio.sleep(_TICK)
        session.poll()
