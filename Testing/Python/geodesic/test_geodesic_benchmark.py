"""The benchmark runs wherever the library does, and says what it left out."""

from __future__ import annotations

import argparse
import json

import pytest

from DeepIGeoSLib.evaluation.benchmarks import geodesic, geodesic_cases
from DeepIGeoSLib.geodesic import thread_count

pytest.importorskip("numba", reason="numba is not installed")
pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def small_volumes(monkeypatch, tmp_path):
    shapes = dict.fromkeys(("cube", "brain", "abdomen"), ((12, 20, 24), (2.0, 1.0, 1.0)))
    monkeypatch.setattr(geodesic_cases, "_SYNTHETIC", shapes)
    monkeypatch.setenv("DEEPIGEOS_DATA", str(tmp_path / "nowhere"))


@pytest.mark.usefixtures("small_volumes")
def test_a_small_benchmark(tmp_path):
    parser = argparse.ArgumentParser()
    geodesic.add_arguments(parser)
    output = tmp_path / "results"
    arguments = parser.parse_args(
        ["-o", str(output), "--cases", "*/sparse/0.5", "--repeats", "2", "--threads", "1"]
    )
    texts = []
    result = geodesic.run_command(arguments, lambda fraction, text: texts.append(text))
    assert json.loads((output / "geodesic.json").read_text()) == result
    assert [case["name"].split("/")[0] for case in result["cases"]] == ["cube", "brain", "abdomen"]
    assert len(result["left_out"]) == 2
    for case in result["cases"]:
        exact = [row for row in case["methods"] if row["method"] in ("blocks", "sweeps, NumPy")]
        assert exact
        assert all(row["largest_error"] == 0 for row in exact)
        assert all(len(row["seconds"]) == 2 for row in exact)
    assert result["strokes"][0]["equal_to_a_map_computed_anew"]
    assert "brain/sparse/0.5" in result["summary"]
    assert texts[-1] == "Done"
    assert result["threads"] == 1


@pytest.mark.parametrize("wrong", [{"cases": ["liver/*"]}, {"repeats": 0}, {"threads": 0}])
def test_what_the_benchmark_refuses(tmp_path, wrong):
    before = thread_count()
    with pytest.raises(ValueError, match=r"No case|repeats|threads"):
        geodesic.run(tmp_path, **{"cases": ["cube/sparse/0.5"], **wrong})
    assert thread_count() == before
