"""The benchmark measures methods that compute the same."""

from __future__ import annotations

import json

import pytest

from DeepIGeoSLib.cli import main
from DeepIGeoSLib.geodesic import thread_count

pytest.importorskip("numba", reason="numba is not installed")


def test_all_methods_agree(capsys: pytest.CaptureFixture[str]) -> None:
    before = thread_count()
    assert (
        main(["benchmark", "crf", "--size", "12", "--turns", "2", "--threads", "1", "--json"]) == 0
    )
    result = json.loads(capsys.readouterr().out)
    assert [len(row["seconds"]) for row in result["methods"]] == [2, 2, 2]
    assert all(row["largest_error"] < 1e-4 for row in result["methods"])
    assert result["table_error"] < 1e-4
    assert len(result["faster_than_unfold"]) == 2
    assert thread_count() == before


def test_numbers_below_one_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "crf", "--turns", "0"]) == 2
    assert "--turns is 0" in capsys.readouterr().err
