"""The benchmark runs wherever the library does, and says what it left out."""

from __future__ import annotations

import json

import pytest

from DeepIGeoSLib.benchmarks import geodesic, geodesic_cases
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.geodesic import thread_count

pytest.importorskip("numba", reason="numba is not installed")
pytest.importorskip("torch", reason="torch is not installed")


@pytest.fixture
def small_volumes(monkeypatch, tmp_path):
    shapes = dict.fromkeys(("cube", "brain", "abdomen"), ((12, 20, 24), (2.0, 1.0, 1.0)))
    monkeypatch.setattr(geodesic_cases, "_SYNTHETIC", shapes)
    monkeypatch.setenv("DEEPIGEOS_DATA", str(tmp_path / "nowhere"))


@pytest.mark.usefixtures("small_volumes")
def test_the_command_writes_and_prints_what_it_measured(tmp_path, capsys):
    output = tmp_path / "results"
    small = ["benchmark", "geodesic", "-o", str(output), "--cases", "*/sparse/0.5"]
    assert main([*small, "--turns", "2", "--threads", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert json.loads((output / "geodesic.json").read_text()) == result
    assert [case["name"].split("/")[0] for case in result["cases"]] == ["cube", "brain", "abdomen"]
    assert len(result["left_out"]) == 2
    for case in result["cases"]:
        exact = [row for row in case["methods"] if row["method"] in ("blocks", "sweeps, NumPy")]
        assert exact
        assert all(row["largest_error"] == 0 for row in exact)
        assert all(len(row["seconds"]) == 2 for row in exact)
    assert result["strokes"][0]["equal_to_a_map_computed_anew"]
    assert result["threads"] == 1


@pytest.mark.usefixtures("small_volumes")
def test_a_benchmark_goes_on_where_it_was_stopped(tmp_path, capsys):
    texts = []

    def note(_, text):
        texts.append(text)
        if text.startswith("brain"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        geodesic.run(tmp_path, cases=["*/sparse/1"], turns=1, progress=note)
    first = json.loads((tmp_path / "geodesic.json").read_text())["cases"]
    assert [case["name"] for case in first] == ["cube/sparse/1"]
    small = ["benchmark", "geodesic", "-o", str(tmp_path), "--cases", "*/sparse/1", "--turns", "1"]
    assert main([*small, "--resume"]) == 0
    text = capsys.readouterr().out
    assert all(f"### {name}/sparse/1 (12x20x24" in text for name in ("cube", "brain", "abdomen"))
    resumed = json.loads((tmp_path / "geodesic.json").read_text())["cases"]
    assert resumed[0] == first[0]
    assert len(resumed) == 3
    assert main([*small, "--resume", "--threads", "2"]) == 2
    assert "another threads" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"cases": ["liver/*"]}, {"turns": 0}, {"threads": 0}])
def test_what_the_benchmark_refuses(tmp_path, wrong):
    before = thread_count()
    with pytest.raises(ValueError, match=r"No case|turns|threads"):
        geodesic.run(tmp_path, **{"cases": ["cube/sparse/0.5"], **wrong})
    assert thread_count() == before


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_only_its_own_results_are_resumed(tmp_path, content):
    (tmp_path / "geodesic.json").write_text(content)
    with pytest.raises(ValueError, match=r"geodesic\.json is no result of this benchmark"):
        geodesic.run(tmp_path, resume=True)
    assert (tmp_path / "geodesic.json").read_text() == content


def test_the_output_must_be_a_folder(tmp_path, capsys):
    path = tmp_path / "file"
    path.write_text("kept")
    assert main(["benchmark", "geodesic", "-o", str(path)]) == 2
    assert "is not a folder" in capsys.readouterr().err
    assert path.read_text() == "kept"
