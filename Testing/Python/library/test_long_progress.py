"""Progress of long commands in logs and as events."""

from __future__ import annotations

import json

import pytest

from DeepIGeoSLib.commands.long_progress import LongProgress


class Clock:
    """Seconds that only a test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_plain_line_twice_a_minute(capsys: pytest.CaptureFixture) -> None:
    clock = Clock()
    with LongProgress(clock=clock) as progress:
        for second in range(0, 100, 5):
            clock.now = second
            progress(second / 100, f"step {second}\nof many")
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition("  ")[2] for line in lines] == [
        " 30%  step 30 of many",
        " 60%  step 60 of many",
        " 90%  step 90 of many",
    ]


def test_what_is_over_at_once_leaves_no_line_in_a_log(capsys: pytest.CaptureFixture) -> None:
    clock = Clock()
    progress = LongProgress(clock=clock)
    for second in range(20):
        clock.now = second
        progress((second + 1) / 20, "quick")
    assert capsys.readouterr().err == ""


def test_events_are_lines_of_json_at_most_one_a_second(capsys: pytest.CaptureFixture) -> None:
    clock = Clock()
    progress = LongProgress(events=True, clock=clock)
    for tenth in range(25):
        clock.now = tenth / 10
        progress(tenth / 100, "working")
    progress.event("case", {"name": "a", "hd95": float("inf"), "parts": (1, float("nan"))}, "")
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["event"] for event in events] == ["progress", "progress", "case"]
    assert events[0] == {"event": "progress", "since": 1.0, "fraction": 0.1, "text": "working"}
    assert events[2] == {
        **{"event": "case", "since": 2.4, "name": "a", "hd95": None, "parts": [1, None]}
    }


def test_what_happens_is_told_at_once_in_a_log_too(capsys: pytest.CaptureFixture) -> None:
    progress = LongProgress(clock=Clock())
    progress.event("plan", {"cases": 3}, "3 cases to work on.")
    progress.event("case", {"name": "a"}, "")
    assert capsys.readouterr().err == "3 cases to work on.\n"


def test_a_terminal_gets_a_bar_with_what_is_done(monkeypatch, capsys) -> None:
    pytest.importorskip("rich", reason="rich is not installed")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with LongProgress() as progress:
        progress(0.5, "5 of 10 cases, [bold]3 a minute")
        progress.event("plan", {}, "ten [red]cases")
        shown = progress._bar
        assert shown is not None
        (task,) = shown.tasks
        assert (task.completed, task.description) == (0.5, "5 of 10 cases, [bold]3 a minute")
    assert "ten [red]cases" in capsys.readouterr().err
