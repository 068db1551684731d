"""Local rounds are compared with whole ones on the strokes of the robot user."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.samples.phantom import head_phantom


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    """A head with a faint lesion, which the tiny bundle misses, and a list of it."""
    volume, lesion = head_phantom((12, 64, 56), (8.0, 3.0, 3.0), seed=0)
    bright = volume.array > np.median(volume.array[lesion > 0])
    faint = np.where((lesion > 0) & bright, np.median(volume.array), volume.array)
    Volume(faint, ijk_to_ras=volume.ijk_to_ras).write_map(tmp_path / "image.nii.gz", faint)
    volume.write_labels(tmp_path / "label.nii.gz", lesion)
    (tmp_path / "cases.csv").write_text("image,label\nimage.nii.gz,label.nii.gz\n")
    return tmp_path / "cases.csv"


def compared(bundle: Path, cases: Path, capsys: pytest.CaptureFixture[str]) -> list[dict]:
    arguments = ["benchmark", "locality", str(cases), "--bundle", str(bundle)]
    assert main([*arguments, "--rounds", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert "2 strokes on 1 cases" in result["summary"]
    return result["rounds"]


def test_regions_that_hold_the_volume_agree_with_it(
    tiny_bundle: Path, cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    large = shutil.copytree(tiny_bundle, tmp_path / "large")
    manifest = json.loads((large / "bundle.json").read_text())
    (large / "bundle.json").write_text(json.dumps({**manifest, "region": [1000, 1000, 1000]}))
    for row in compared(large, cases, capsys):
        assert row["voxels"] == 12 * 64 * 56
        assert row["agreement"] == row["dice"] == 1
        assert row["true_dice_local"] == row["true_dice_whole"]


def test_what_a_small_region_costs_is_seen(
    tiny_bundle: Path, cases: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rule of these networks reaches as far as no nearer seed contradicts it."""
    rows = compared(tiny_bundle, cases, capsys)
    assert min(row["agreement"] for row in rows) < 1
    for row in rows:
        assert row["voxels"] < 12 * 64 * 56
        assert row["true_dice_local"] != row["true_dice_whole"]


def test_without_rounds_there_is_nothing_to_compare(tiny_bundle: Path, cases: Path) -> None:
    assert main(["benchmark", "locality", str(cases), "--rounds", "0"]) == 2
