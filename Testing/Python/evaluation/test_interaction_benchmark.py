"""The interaction benchmark measures what it says; how fast is for people to read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib.benchmarks import interaction
from DeepIGeoSLib.benchmarks.interaction_cases import CASES, Case, head, pinned, strokes
from DeepIGeoSLib.benchmarks.interaction_measures import Setup
from DeepIGeoSLib.benchmarks.interaction_unet import measured_unet
from DeepIGeoSLib.cli import main

SMALL = (
    Case("small", (12, 24, 24), (2.0, 1.0, 1.0)),
    Case("large", (16, 32, 40), (2.0, 1.0, 1.0)),
    Case("pinned", (16, 32, 40), (2.0, 1.0, 1.0), region=(8, 16, 16)),
)


@pytest.fixture(scope="module")
def measured(tiny_bundle: Path) -> dict:
    setup = Setup(str(tiny_bundle))
    return interaction.run(setup, cases=list(SMALL), strokes=4, threads=1, peers=True)


def test_every_case_is_measured(measured: dict) -> None:
    assert [row["name"] for row in measured["cases"]] == ["small", "large", "pinned"]
    for row in measured["cases"]:
        stroke = row["stroke"]
        assert 0 < stroke["least"] <= stroke["median"] <= stroke["percentile_95"] <= stroke["most"]
        assert row["propose"]["median"] > 0
        assert row["undo"]["median"] > 0
        assert row["bytes_per_voxel"] >= 0
        assert row["process_bytes"] > 50e6  # Python and torch alone take more


def test_the_parts_are_the_whole_stroke(measured: dict) -> None:
    for row in measured["cases"]:
        parts = row["parts"]
        assert parts["maps"] > 0
        assert parts["network"] > 0
        assert parts["rest"] > 0
        assert sum(parts.values()) <= 1.2 * row["stroke"]["most"]


def test_peers_get_the_same_strokes(measured: dict) -> None:
    for row in measured["cases"]:
        walker = row["peers"]["random-walker"]
        assert walker["times_our_stroke"] == pytest.approx(
            walker["median"] / row["stroke"]["median"]
        )


def test_the_summary_names_every_case_and_exponent(measured: dict) -> None:
    for name in ("small", "large", "pinned", "propose grows", "stroke grows"):
        assert name in measured["summary"]


def test_exponents_are_those_of_power_laws() -> None:
    rows = [
        {
            "voxels": voxels,
            "region": None,
            "propose": {"median": 3e-6 * voxels},
            "stroke": {"median": 0.2},
        }
        for voxels in (1000, 30_000, 800_000)
    ]
    found = interaction.exponents(rows)
    assert found["propose"] == pytest.approx(1)
    assert found["stroke"] == pytest.approx(0)
    assert interaction.exponents(rows[:1]) == {}


def test_strokes_lie_in_the_head_and_alternate() -> None:
    volume = head(SMALL[1])
    found = strokes(volume, 6)
    assert [label for label, _ in found] == ["foreground", "background"] * 3
    for _, voxels in found:
        assert (volume.array.flat[voxels] > 100).mean() > 0.3


def test_a_pinned_region_holds_its_stroke() -> None:
    case = SMALL[2]
    for _, voxels in strokes(head(case), 6):
        box = pinned(case, voxels)
        assert tuple(part.stop - part.start for part in box) == case.region
        inside = np.zeros(case.shape, dtype=bool)
        inside[box] = True
        assert inside.flat[voxels].all()
    assert pinned(SMALL[0], voxels) is None


def test_the_command_writes_json_and_a_plot(
    tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interaction, "CASES", SMALL)
    output = tmp_path / "out"
    arguments = ["--bundle", str(tiny_bundle), "--cases", "small", "--strokes", "2"]
    assert main(["benchmark", "interaction", *arguments, "-o", str(output)]) == 0
    written = json.loads((output / "interaction.json").read_text(encoding="utf-8"))
    assert written["cases"][0]["name"] == "small"
    assert (output / "interaction.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cases", "nothing"], "There is no case 'nothing'"),
        (["--strokes", "0"], "--strokes is 0"),
        (["--threads", "-1"], "--threads is -1"),
        (["--memory", "0"], "--memory is 0"),
        (["-o", "missing/folder"], "does not exist"),
    ],
)
def test_bad_arguments_are_refused(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture
) -> None:
    assert main(["benchmark", "interaction", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_the_budget_reaches_the_networks(tiny_bundle: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["--bundle", str(tiny_bundle), "--cases", "cube-64", "--memory", "0.0001"]
    assert main(["benchmark", "interaction", *arguments]) == 2
    assert "The memory budget of 0 MB is too small" in capsys.readouterr().err


def test_the_rivals_network_is_measured_where_its_package_is_installed() -> None:
    pytest.importorskip("dynamic_network_architectures")
    measured = measured_unet(64)
    assert measured["parameters"] == pytest.approx(102e6, rel=0.01)
    assert measured["seconds"] > 0


def test_the_usual_cases_are_those_of_a_minute() -> None:
    assert {case.name for case in CASES if not case.usual} == {"abdomen", "long", "whole-body"}
