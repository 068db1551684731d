"""The table of architectures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from DeepIGeoSLib.benchmarks import networks, networks_learned
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.networks import ARCHITECTURES, NetworkSettings


@pytest.mark.parametrize("dimension", [2, 3])
def test_multiply_adds_are_those_of_counting_by_hand(dimension: int) -> None:
    # U-Net of two levels of 4 and 6, flat in 3D: a voxel of the coarse one stands for four.
    options = {"features": [4, 6], "flat_levels": 2}
    settings = NetworkSettings("unet", dimension, options)
    fine = 9 * 4 + 9 * 4 * 4 + (9 * 8 * 4 + 9 * 4 * 4) + 4 * 2
    coarse = 9 * 4 * 6 + 9 * 6 * 6 + 4 * 6 * 4
    shape = (4, 32, 16)[-dimension:]
    voxels = 32 * 16 * (4 if dimension == 3 else 1)
    assert networks.multiply_adds(settings, shape) == voxels * fine + voxels // 4 * coarse


def test_the_table_has_a_row_for_each_network_and_its_dice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    small = NetworkSettings("unet", 2, {"features": [4, 6]})
    monkeypatch.setattr(networks, "_settings_of", lambda name: [small])
    monkeypatch.setattr(networks, "SHAPES", {2: (1, 64, 64), 3: (4, 32, 32)})
    monkeypatch.setattr(networks_learned, "TASKS", {"thick": ((6, 32, 32), (24.0, 6.0, 6.0))})
    monkeypatch.setattr(networks_learned, "CROPS", {"thick": (4, 32, 32)})
    assert main(["benchmark", "networks", "--only", "unet", "--steps", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    (row,) = result["rows"]
    assert row["parameters"] == sum(p.numel() for p in small.build("pnet").parameters())
    assert 0 <= row["learned"]["Dice, thick"] <= 1
    assert row["seconds"] > 0
    assert result["summary"].startswith("| network |")
    assert "`unet` (features [4, 6])" in result["summary"]


def test_what_finds_objects_is_timed_and_trained_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mask R-CNN, and without masks Faster R-CNN beside it."""
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    small = {"features": [8, 8, 12, 12, 16], "pyramid": 8, "hidden": 16}
    every = [
        NetworkSettings("mask-rcnn", dimension, {**small, "masks": masks})
        for dimension, masks in ((2, True), (2, False), (3, True))
    ]
    monkeypatch.setattr(networks, "_settings_of", lambda name: every)
    monkeypatch.setattr(networks, "SHAPES", {2: (1, 100, 100), 3: (4, 32, 32)})
    monkeypatch.setattr(networks_learned, "TASKS", {})
    assert main(["benchmark", "networks", "--only", "mask-rcnn", "--steps", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [list(row["learned"]) for row in rows] == [["AP50, touching disks"]] * 2 + [[]]
    assert rows[0]["parameters"] > rows[1]["parameters"]
    assert min(row["seconds"] for row in rows) > 0


def test_every_architecture_is_measured_in_both_dimensions() -> None:
    for name in ARCHITECTURES:
        assert {settings.dimension for settings in networks._settings_of(name)} == {2, 3}


def test_default_options_alone_and_without_times() -> None:
    names = ["unet", "mask-rcnn"]
    rows = networks.run(names, timed=False, defaults=True)
    assert [(row.architecture, row.dimension) for row in rows] == [
        (name, dimension) for name in names for dimension in (2, 3)
    ]
    assert not any(row.options or row.seconds for row in rows)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--only", "unets"], "--only names 'unets'"),
        (["--steps", "-1"], "--steps is -1"),
    ],
)
def test_wrong_arguments_are_named(
    arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "networks", *arguments]) == 2
    assert error in capsys.readouterr().err


def test_the_guide_has_the_counts_of_today() -> None:
    """The columns of the page's table that are counted, for networks that quickly are."""
    guide = (Path(__file__).parents[3] / "Docs/networks.md").read_text(encoding="utf-8")
    rows = networks.table(networks.run(["unet", "dilated"], timed=False)).splitlines()
    assert len(rows) == 2 + 4 + 2
    for row in rows:
        assert any(line.startswith(row) for line in guide.splitlines()), row
