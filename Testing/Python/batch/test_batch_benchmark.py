"""The benchmark of batch runs: what it hands out comes back, and it says what it has measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

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
