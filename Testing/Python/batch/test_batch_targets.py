"""Several targets of one bundle, and objects, in a batch run: files, journal, tables, pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cohorts import files_of

from DeepIGeoSLib import Volume
from DeepIGeoSLib.batch import FindingRules, Workers, WorkSettings, read_records, run_batch
from DeepIGeoSLib.batch.quality import UNCERTAIN, flags_of
from DeepIGeoSLib.batch.record import TargetRecord
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.targets import Target

ALONE = Workers(count=0)
BESIDE = (Target("rim", (1,), (200, 10, 20)), Target("core", (2,)))
NESTED = (Target("whole", (1, 2)), Target("core", (2,)))

SHAPE, VOXEL = (9, 32, 36), 3 / 1000  # ml
RIM = (slice(3, 6), slice(8, 24), slice(8, 28))
CORE = (slice(3, 6), slice(12, 20), slice(14, 22))


def head(name: str = "head") -> Volume:
    """Return a noisy head in air with a bright rim around a brighter core."""
    array = np.zeros(SHAPE, dtype=np.float32)
    array[1:8, 3:29, 3:33] = np.random.default_rng(1).normal(100, 4, (7, 26, 30))
    array[RIM], array[CORE] = 126, 200
    return Volume(array, spacing=(3.0, 1.0, 1.0), name=name)


def masks() -> tuple[np.ndarray, np.ndarray]:
    """Return where the whole and where the core is."""
    whole, core = np.zeros((2, *SHAPE), dtype=bool)
    whole[RIM], core[CORE] = True, True
    return whole, core


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Two heads, and a truth for each with one voxel more in the core."""
    images = tmp_path / "images"
    images.mkdir()
    whole, core = masks()
    labels = whole.astype(np.uint8) + core
    labels[2, 15, 15] = 2
    (tmp_path / "truth").mkdir()
    for name in "ab":
        volume = head()
        volume.write_map(images / f"{name}.nii.gz", volume.array)
        volume.write_labels(tmp_path / "truth" / f"{name}.nii.gz", labels)
    return images


def run(cohort: Path, out: Path, bundle: Path, *options: str) -> int:
    """Run the command in this process."""
    given = ["batch", str(cohort), "-o", str(out), "--bundle", str(bundle), "--workers", "0"]
    return main([*given, *options])


def test_two_targets_in_each_other_are_written_measured_and_drawn(
    cohort: Path, bundle_of: Callable[..., Path], tmp_path: Path
):
    out, truth = tmp_path / "out", str(tmp_path / "truth" / "{case}.nii.gz")
    options = ("--truth", truth, "--probability")
    assert run(cohort, out, bundle_of(NESTED), *options) == 0
    whole, core = masks()
    volume = head()
    np.testing.assert_array_equal(volume.read_labels(out / "a.nii.gz"), whole * 1 + core)
    probability = Volume.read(out / "a_core_probability.nii.gz").array
    np.testing.assert_array_equal(probability >= 0.5, core)
    assert (out / "a_whole_probability.nii.gz").is_file()
    assert "2 core" in (out / "labels.ctbl").read_text()
    record = read_records(out)[0]
    first, second = record.targets
    assert (first.name, first.label, second.name, second.label) == ("whole", 1, "core", 2)
    assert first.milliliters == pytest.approx(whole.sum() * VOXEL)
    assert second.milliliters == pytest.approx(core.sum() * VOXEL)
    assert record.milliliters == pytest.approx(whole.sum() * VOXEL)  # the core counts once
    assert second.measured is not None
    assert second.measured.dice == pytest.approx(2 * 192 / (192 + 193))
    rows = list(csv.DictReader((out / "report.csv").open(newline="", encoding="utf-8")))
    assert [row["target"] for row in rows if row["case"] == "a"] == ["whole", "core"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2
    assert (out / "deepigeos-batch" / "thumbnails" / "a.jpg").is_file()


def test_segments_hold_all_of_a_target_that_another_one_lies_in(
    cohort: Path, bundle_of: Callable[..., Path], tmp_path: Path
):
    assert run(cohort, tmp_path / "out", bundle_of(NESTED), "--format", ".seg.nrrd") == 0
    for name, expected in zip(("whole", "core"), masks(), strict=True):
        written = head().read_labels(tmp_path / "out" / "a.seg.nrrd", [name])
        np.testing.assert_array_equal(written > 0, expected)
    assert not (tmp_path / "out" / "labels.ctbl").exists()


def test_several_workers_write_the_same(
    cohort: Path, bundle_of: Callable[..., Path], tmp_path: Path
):
    pytest.importorskip("distributed", reason="distributed is not installed")
    settings = WorkSettings(probability=True, uncertainty=True)
    for name, workers in (("one", ALONE), ("two", Workers(count=2))):
        run_batch(
            cohort,
            tmp_path / name,
            bundle=bundle_of(BESIDE),
            workers=workers,
            settings=settings,
            report=False,
        )
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert len(files_of(tmp_path / "one")) == 2 * 5 + 1


def test_one_of_several_targets_is_segmented_and_corrected_alone(
    cohort: Path, bundle_of: Callable[..., Path], tmp_path: Path, capsys
):
    out = tmp_path / "out"
    assert run(cohort, out, bundle_of(NESTED), "--target", "core") == 0
    np.testing.assert_array_equal(head().read_labels(out / "b.nii.gz") > 0, masks()[1])
    strokes = np.zeros(SHAPE, np.uint8)
    strokes[4, 15, 24:26] = 1
    (tmp_path / "strokes").mkdir()
    head().write_labels(tmp_path / "strokes" / "a.nii.gz", strokes)
    seeds = ("--seeds", str(tmp_path / "strokes" / "{case}.nii.gz"))
    assert run(cohort, tmp_path / "all", bundle_of(NESTED), *seeds) == 2
    assert "say by --target which one: whole, core" in capsys.readouterr().err
    assert run(cohort, tmp_path / "corrected", bundle_of(NESTED), *seeds, "--target", "core") == 0
    corrected = head().read_labels(tmp_path / "corrected" / "a.nii.gz")
    assert corrected[strokes == 1].all()
    assert run(cohort, tmp_path / "no", bundle_of(NESTED), "--target", "edema") == 2
    assert "has no target 'edema'" in capsys.readouterr().err


def test_a_bids_data_set_gets_one_labelmap_with_the_names_of_its_labels(
    bundle_of: Callable[..., Path], tmp_path: Path
):
    study = tmp_path / "study"
    (study / "sub-01" / "anat").mkdir(parents=True)
    head().write_map(study / "sub-01" / "anat" / "sub-01_FLAIR.nii.gz", head().array)
    (study / "dataset_description.json").write_text('{"Name": "Heads", "BIDSVersion": "1.10.0"}')
    out = tmp_path / "derivatives"
    assert run(study, out, bundle_of(BESIDE), "--probability") == 0
    stem = out / "sub-01" / "anat" / "sub-01"
    whole, core = masks()
    labels = head().read_labels(f"{stem}_desc-deepigeosFLAIR_dseg.nii.gz")
    np.testing.assert_array_equal(labels, whole * 1 + core)
    lookup = Path(f"{stem}_desc-deepigeosFLAIR_dseg.tsv").read_text().splitlines()
    assert lookup[:2] == ["index\tname\tcolor", "1\trim\t#c80a14"]
    said = json.loads(Path(f"{stem}_desc-deepigeosFLAIR_dseg.json").read_text())
    assert said["Sources"] == ["bids:raw:sub-01/anat/sub-01_FLAIR.nii.gz"]
    assert Path(f"{stem}_label-core_desc-deepigeosFLAIR_probseg.nii.gz").is_file()


def test_connected_parts_are_objects_with_a_table(tiny_bundle: Path, tmp_path: Path):
    volume = head()
    volume.array[RIM] = 100
    volume.array[CORE] = 170
    volume.array[3:6, 5:8, 26:30] = 170
    (tmp_path / "images").mkdir()
    volume.write_map(tmp_path / "images" / "a.nii.gz", volume.array)
    out = tmp_path / "out"
    assert run(tmp_path / "images", out, tiny_bundle, "--instances") == 0
    numbers = volume.read_labels(out / "a.nii.gz")
    assert sorted(np.unique(numbers)) == [0, 1, 2]
    rows = list(csv.DictReader((out / "a_objects.csv").open(newline="")))
    counted = [int((numbers == number).sum()) for number in (1, 2)]
    assert [int(row["voxels"]) for row in rows] == counted
    assert sorted(counted) == [36, 192]
    (target,) = read_records(out)[0].targets
    assert (target.lesions, target.label) == (2, 0)
    assert target.milliliters == pytest.approx(228 * VOXEL)


def test_what_does_not_go_with_objects_is_refused(
    cohort: Path, tiny_bundle: Path, bundle_of: Callable[..., Path], tmp_path: Path
):
    for settings, bundle, words in (
        (WorkSettings(instances=True, probability=True), tiny_bundle, "no maps of probability"),
        (WorkSettings(score=0.5), tiny_bundle, "goes with objects"),
        (WorkSettings(instances=True), bundle_of(BESIDE), "of what the parts are objects"),
    ):
        with pytest.raises(InputError, match=words):
            run_batch(cohort, tmp_path / "out", bundle=bundle, settings=settings, workers=ALONE)


def test_a_network_for_objects_numbers_them_without_being_asked(
    cohort: Path, cells_bundle: Path, tmp_path: Path
):
    record, _ = run_batch(cohort, tmp_path / "out", bundle=cells_bundle, workers=ALONE).records
    assert record.reason == ""
    assert [target.name for target in record.targets] == ["cell", "debris"]
    numbers = head().read_labels(tmp_path / "out" / "a.nii.gz")
    assert record.lesions == numbers.max()
    assert record.milliliters == pytest.approx((numbers > 0).sum() * VOXEL)
    rows = list(csv.DictReader((tmp_path / "out" / "a_objects.csv").open(newline="")))
    assert len(rows) == record.lesions


def test_each_kind_of_objects_is_measured_against_its_own_truth(
    cohort: Path, cells_bundle: Path, tmp_path: Path
):
    """The truth is what was found (debris), and a cell that was not."""
    run_batch(cohort, tmp_path / "found", bundle=cells_bundle, workers=ALONE)
    numbers = head().read_labels(tmp_path / "found" / "a.nii.gz")
    assert {row["kind"] for row in _rows(tmp_path / "found" / "a_objects.csv")} == {"debris"}
    missed = np.zeros(SHAPE, bool)
    missed.flat[np.flatnonzero(numbers == 0)[:12]] = True
    (tmp_path / "kinds").mkdir()
    (tmp_path / "objects").mkdir()
    for name in "ab":
        kinds = np.where(numbers > 0, 2, missed).astype(np.uint8)
        head().write_labels(tmp_path / "kinds" / f"{name}.nii.gz", kinds)
        objects = np.where(missed, numbers.max() + 1, numbers)
        head().write_numbers(tmp_path / "objects" / f"{name}.nii.gz", objects)
        lines = [f"{number},debris" for number in range(1, numbers.max() + 1)]
        table = "\n".join(["number,kind", *lines, f"{numbers.max() + 1},cell"])
        (tmp_path / "objects" / f"{name}_objects.csv").write_text(table)
    for where in ("kinds", "objects"):
        rules = FindingRules(truth=str(tmp_path / where / "{case}.nii.gz"))
        given = {"bundle": cells_bundle, "workers": ALONE, "rules": rules, "report": False}
        for record in run_batch(cohort, tmp_path / f"against {where}", **given).records:
            assert record.reason == ""
            cell, debris = (target.measured for target in record.targets)
            assert cell is not None
            assert debris is not None
            assert (cell.dice, cell.volume_difference_ml) == (0, pytest.approx(-12 * VOXEL))
            assert (debris.dice, debris.volume_difference_ml) == (1, 0)


def _rows(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.open(newline="", encoding="utf-8")))


def test_a_truth_with_labels_that_no_target_has_fails_with_their_names(
    cohort: Path, bundle_of: Callable[..., Path], tmp_path: Path
):
    labels = np.zeros(SHAPE, np.uint8)
    labels[CORE] = 4  # as BraTS has it
    head().write_labels(tmp_path / "truth" / "b.nii.gz", labels)
    rules = FindingRules(truth=str(tmp_path / "truth" / "{case}.nii.gz"))
    given = {"bundle": bundle_of(NESTED), "workers": ALONE, "rules": rules, "report": False}
    (failed,) = run_batch(cohort, tmp_path / "out", **given).failed
    assert failed.name == "b"
    assert "holds the label 4, but the bundle knows 1 (whole), 2 (core)" in failed.reason


def test_a_target_that_is_rightly_absent_makes_no_case_uncertain():
    def target(name: str, milliliters: float, uncertain: float) -> TargetRecord:
        return TargetRecord(
            name=name, label=1, milliliters=milliliters, lesions=1, uncertain_milliliters=uncertain
        )

    labels = np.zeros((3, 3, 3))
    labels[1, 1, 1] = 1
    assert flags_of(labels, [target("a", 1, 0.1), target("b", 0, 0.1)]) == ()
    assert flags_of(labels, [target("a", 1, 0.1), target("b", 0.1, 0.1)]) == (UNCERTAIN,)
    assert UNCERTAIN in flags_of(labels * 0, [target("a", 0, 0.1)])
