"""The benchmark of batch runs: what it hands out comes back, and it says what it has measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from DeepIGeoSLib.batch import BatchResult, CaseRecord, State
from DeepIGeoSLib.benchmarks import batch
from DeepIGeoSLib.cli import main

pytest.importorskip("distributed", reason="distributed is not installed")


def test_every_case_that_is_handed_out_comes_back(monkeypatch: pytest.MonkeyPatch):
    noted = []
    note = batch._Counted.note

    def watched(self, records, started) -> None:
        noted.extend(record.name for record in records)
        note(self, records, started)

    monkeypatch.setattr(batch._Counted, "note", watched)
    result = batch.handed_out(300, 1)
    assert sorted(noted) == [f"site/{number:06d}" for number in range(300)]
    assert result["cases_per_second"] > 0


def test_the_command_says_what_a_second_process_gains(
    write_cohort: Callable[..., Path], tiny_bundle: Path, capsys: pytest.CaptureFixture
):
    given = ["--cases", "20", "--workers", "2", "--images", str(write_cohort(2))]
    assert main(["benchmark", "batch", *given, "--bundle", str(tiny_bundle)]) == 0
    said = capsys.readouterr().out
    assert "20 cases handed out to 2 processes" in said
    assert "2 images: " in said
    assert " times as fast" in said
    assert "once the processes have begun" not in said  # of two images that says nothing


def test_the_gain_of_processes_that_have_begun_is_told_apart(monkeypatch: pytest.MonkeyPatch):
    """Beginning takes 10 s, an image 2 s by one process and 1 s by two: 1.5 times, then twice."""
    clock = iter([12.0 + 2 * number for number in range(10)] + [11.0 + n for n in range(10)])
    monkeypatch.setattr(batch.time, "perf_counter", lambda: next(clock))

    def run(images, folder, *, workers, on_record, **others) -> BatchResult:
        records = [CaseRecord(name=str(n), state=State.DONE, images=()) for n in range(10)]
        for record in records:
            on_record(record)
        return BatchResult(records, 10, 0, 10 + 20 / workers.count)

    monkeypatch.setattr(batch, "run_batch", run)
    found = batch.gain("images", "tiny", 2)
    assert (found["seconds"], found["between"]) == ([30, 20], [18, 9])
    assert (found["gain"], found["gain_between"]) == (1.5, 2)
