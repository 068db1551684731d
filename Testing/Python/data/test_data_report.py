"""The report lists everything at once, and training refuses what it can't work with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import DataSettings, check_data
from DeepIGeoSLib.data.report import DataReport

HEADS = {"layout": "folders", "dataset": "heads", "patient": r"p\d"}
TRAIN_CASES = ("p0_0", "p0_1", "p1_0", "p1_1")


@pytest.fixture
def data(pairs: Path, settings) -> DataSettings:
    """Four cases to train with, two to validate with, given by a split file."""
    rows = [f"heads,p{n}_{m},{'val' if n == 2 else 'train'}" for n in range(3) for m in range(2)]
    (pairs / "splits.csv").write_text("\n".join(["dataset,case,use", *rows]))
    return settings(pairs, HEADS)


def label(pairs: Path, case: str) -> Path:
    return pairs / "heads" / "labels" / f"{case}.nii.gz"


def image(pairs: Path, case: str) -> Path:
    return pairs / "heads" / "images" / f"{case}.nii.gz"


def texts(report: DataReport) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in report.problems:
        found.setdefault(problem.where, []).append(problem.text)
    return found


def test_sound_data_have_facts_and_no_problems(data, pairs: Path, lesion, head) -> None:
    report = check_data(data, pairs)
    assert not report.problems
    assert report.counts == {"heads": {"train": 4, "val": 2}}
    facts = {entry.name: entry for entry in report.facts}["p1_0"]
    voxels = int((lesion > 0).sum())
    assert facts.shape == lesion.shape
    assert facts.spacing == pytest.approx((3.0, 0.9, 0.9), abs=1e-4)
    assert facts.labels == (0, 1, 2)
    assert facts.target_voxels == voxels
    assert facts.target_ml == pytest.approx(voxels * 3.0 * 0.9 * 0.9 / 1000, rel=1e-3)
    low, _, median, _, high = facts.intensities[0]
    array = head(2).array
    assert (low, high) == pytest.approx((array.min(), array.max()), abs=1e-3)
    assert median == pytest.approx(np.median(array), abs=1e-3)
    assert (facts.use, facts.patient) == ("train", "p1")


def damage_everything(pairs: Path, oblique: np.ndarray) -> None:
    """Break all four training cases and both validation cases, each in another way."""
    shape = Volume.read(image(pairs, "p0_0")).shape
    volume = Volume(np.ones(shape), ijk_to_ras=oblique)
    label(pairs, "p0_0").unlink()
    volume.write_labels(label(pairs, "p0_1"), np.zeros(shape, dtype=np.uint8))
    volume.write_map(label(pairs, "p1_0"), np.full(shape, 0.5))
    moved = oblique.copy()
    moved[0, 3] += 5
    other = Volume(np.ones(shape), ijk_to_ras=moved)
    other.write_labels(label(pairs, "p1_1"), np.ones(shape, dtype=np.uint8))
    image(pairs, "p2_0").write_bytes(b"no image")
    volume.write_map(image(pairs, "p2_1"), np.full(shape, 7.0))


def test_everything_that_is_wrong_is_listed_at_once(data, pairs: Path, oblique) -> None:
    damage_everything(pairs, oblique)
    report = check_data(data, pairs)
    expected = {
        "p0_0": "The split file lists this case, but it has no label.",
        "p0_1": "The label is empty",
        "p1_0": "holds values that are not whole numbers",
        "p1_1": "lies elsewhere than",
        "p2_0": "can't be read as an image",
        "p2_1": "is constant: every voxel is 7",
    }
    found = texts(report)
    assert found.keys() == {f"heads/{name}" for name in expected}
    for name, sentence in expected.items():
        (text,) = found[f"heads/{name}"]
        assert sentence in text
    assert len(report.fatal) == 6
    written = report.text()
    assert written.startswith("Training can't start: 6 problems. no remarks.")
    assert all(sentence in written for sentence in expected.values())


def test_a_file_that_is_missing_is_named(data, pairs: Path, settings) -> None:
    source = {
        "dataset": "heads",
        "image": "images/{case}.nii.gz",
        "label": "labels/{case}.nii.gz",
    }
    label(pairs, "p0_0").unlink()
    label(pairs, "p2_0").unlink()
    found = texts(check_data(settings(pairs, source), pairs))
    assert found == {
        f"heads/{name}": [f"{label(pairs, name)} is missing."] for name in ("p0_0", "p2_0")
    }


def test_the_same_image_on_both_sides_is_fatal(data, pairs: Path) -> None:
    """Also when it was compressed anew under another name."""
    copy = Volume.read(image(pairs, "p0_0"))
    copy.write_map(image(pairs, "p2_1"), copy.array)
    copy.write_map(image(pairs, "p1_1"), copy.array)
    report = check_data(data, pairs)
    (fatal,) = report.fatal
    assert fatal.where == "heads/p2_1"
    assert "same voxels as heads/p0_0 (one for train, one for val)" in fatal.text
    (remark,) = (problem for problem in report.problems if not problem.fatal)
    assert remark.where == "heads/p1_1"
    assert "both for train" in remark.text


def test_labels_that_never_occur_are_named(data, pairs: Path, settings) -> None:
    some = check_data(settings(pairs, {**HEADS, "target_labels": [1, 4]}), pairs)
    (problem,) = some.problems
    assert (problem.where, problem.fatal) == ("heads", False)
    assert problem.text == "The label 4 of the target is in none of the cases."
    none = check_data(settings(pairs, {**HEADS, "target_labels": [4]}), pairs)
    assert any(p.where == "heads" and p.fatal for p in none.problems)
    assert len(none.fatal) == 1 + 6  # and every label is empty


def test_an_empty_side_is_fatal(pairs: Path, settings) -> None:
    (pairs / "splits.csv").write_text("dataset,case,use\nheads,p0_0,train\n")
    report = check_data(settings(pairs, HEADS), pairs)
    assert [p.text for p in report.fatal] == ["There is no case to validate with (use 'val')."]


def test_no_data_at_all_is_a_report_too(tmp_path: Path, settings) -> None:
    report = check_data(settings(tmp_path, HEADS), tmp_path)
    assert "The folder" in report.fatal[0].text
    assert len(report.fatal) == 3  # and there is nothing to train on, nothing to validate with
    report.write(tmp_path)


def test_a_target_that_fills_the_image_is_odd(data, pairs: Path, lesion) -> None:
    volume = Volume.read(image(pairs, "p0_0"))
    volume.write_labels(label(pairs, "p0_0"), lesion == 0)
    (problem,) = check_data(data, pairs).problems
    assert not problem.fatal
    assert "is it the background?" in problem.text


def test_slices_are_reported_one_by_one(data, pairs: Path, settings) -> None:
    source = {**HEADS, "slices": {"without_target": 0.5}}
    report = check_data(settings(pairs, source), pairs)
    assert not report.problems
    assert report.counts == {"heads": {"train": 4, "val": 2}}
    assert len(report.facts) == 6 * (3 + 2)


def test_a_volume_that_can_not_be_sliced_is_reported(data, pairs: Path, settings) -> None:
    image(pairs, "p0_0").write_bytes(b"no image")
    report = check_data(settings(pairs, {**HEADS, "slices": {}}), pairs)
    (problem,) = report.fatal
    assert problem.where == "heads/p0_0"


def test_the_report_is_written_as_text_json_and_picture(data, pairs: Path, oblique) -> None:
    damage_everything(pairs, oblique)
    report = check_data(data, pairs)
    path = report.write(pairs)
    assert path.read_text() == report.text()
    mapping = json.loads((pairs / "data-report.json").read_text())
    assert mapping["usable"] is False
    assert len(mapping["problems"]) == 6
    assert {entry["name"] for entry in mapping["cases"]} == {"p0_1", "p2_1"}
    assert (pairs / "data-report.png").read_bytes().startswith(b"\x89PNG")
    sentence = r"^The data can't be trained on: heads/p0_0: .* \(and 5 more\); see .*report\.txt\.$"
    with pytest.raises(InputError, match=sentence):
        report.check(path)


def test_the_picture_outlines_the_target(data, pairs: Path, lesion) -> None:
    view = check_data(data, pairs).examined[0].view
    np.testing.assert_array_equal(view.mask, lesion[2] > 0)
    assert view.image[view.mask].mean() > view.image[~view.mask].mean() + 100
    assert view.aspect == pytest.approx(1.0)


@pytest.fixture
def configuration(pairs: Path, data) -> Path:
    path = pairs / "train.yaml"
    path.write_text(
        "task: pnet\noutput: run\ndata:\n  root: .\n  sources:\n"
        "    - {layout: folders, dataset: heads, patient: 'p\\d'}\n"
    )
    return path


def test_the_command_checks_without_training(
    configuration: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["train", str(configuration), "--check"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Training can start.")
    run = configuration.parent / "run"
    assert f"Report: {run / 'data-report.txt'}" in printed
    assert sorted(p.name for p in run.iterdir()) == [
        f"data-report.{e}" for e in ("json", "png", "txt")
    ]


def test_without_matplotlib_the_report_has_no_picture(
    data, pairs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert check_data(data, pairs).write(pairs).is_file()
    assert (pairs / "data-report.json").is_file()
    assert not (pairs / "data-report.png").exists()


def test_the_command_says_by_its_exit_code_that_data_are_unusable(
    configuration: Path, pairs: Path, oblique, capsys: pytest.CaptureFixture
) -> None:
    damage_everything(pairs, oblique)
    assert main(["train", str(configuration), "--check", "--json"]) == 2
    result = json.loads(capsys.readouterr().out)
    assert result["usable"] is False
    assert len(result["problems"]) == 6


def test_training_refuses_bad_data_in_one_sentence(
    configuration: Path, pairs: Path, oblique, capsys: pytest.CaptureFixture
) -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    damage_everything(pairs, oblique)
    assert main(["train", str(configuration)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"see {pairs / 'run' / 'data-report.txt'}." in error
    assert (pairs / "run" / "data-report.txt").is_file()
