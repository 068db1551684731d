"""A batch run in one process: what it writes, notes, goes on with, and refuses."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cohorts import a_head, files_of

from DeepIGeoSLib import Volume
from DeepIGeoSLib.batch import (
    CaseRecord,
    FindingRules,
    State,
    Workers,
    WorkSettings,
    plan_batch,
    read_records,
    run_batch,
    tally,
)
from DeepIGeoSLib.batch.quality import AT_THE_BORDER, EMPTY, flags_of
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.errors import Cancelled, DeepIGeoSError, InputError

ALONE = Workers(count=0)
NO_REPORT = {"workers": ALONE, "report": False}


def test_a_cohort_is_segmented_measured_and_noted(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images = write_cohort(2)
    truth = str(tmp_path / "truths" / "{case}.nii.gz")
    result = run_batch(
        images,
        tmp_path / "out",
        bundle=tiny_bundle,
        rules=FindingRules(images=("{case}/head.nii.gz",), truth=truth),
        settings=WorkSettings(probability=True, uncertainty=True),
        **NO_REPORT,
    )
    assert result.records == read_records(tmp_path / "out")
    assert sorted(files_of(tmp_path / "out")) == [
        *("p0.nii.gz", "p0_probability.nii.gz", "p0_uncertainty.nii.gz"),
        *("p1.nii.gz", "p1_probability.nii.gz", "p1_uncertainty.nii.gz"),
    ]
    for number, record in enumerate(result.records):
        volume, lesion = a_head(number)
        written = volume.read_labels(tmp_path / "out" / record.outputs["labels"])
        np.testing.assert_array_equal(written, lesion)
        (target,) = record.targets
        assert record.state is State.DONE
        assert target.milliliters == pytest.approx(lesion.sum() * 3 / 1000)
        assert target.lesions == 1
        assert target.measured is not None
        assert target.measured.dice == 1
        assert record.flags == ()


def test_only_what_is_missing_is_done_again(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(4), tmp_path / "out"
    common = {"bundle": tiny_bundle, "workers": ALONE, "report": False}
    run_batch(images, out, **common)
    before = files_of(out)
    (out / "p1" / "head.nii.gz").unlink()
    changed, _ = a_head(17)
    changed.write_map(images / "p2" / "head.nii.gz", changed.array)
    volume, _ = a_head(9)
    (images / "p9").mkdir()
    volume.write_map(images / "p9" / "head.nii.gz", volume.array)
    worked_on = []
    result = run_batch(
        images, out, **common, on_record=lambda record: worked_on.append(record.name)
    )
    assert worked_on == ["p1/head", "p2/head", "p9/head"]
    assert result.worked_on == 3
    after = files_of(out)
    assert after["p0/head.nii.gz"] == before["p0/head.nii.gz"]
    assert after["p1/head.nii.gz"] == before["p1/head.nii.gz"]
    assert after["p2/head.nii.gz"] != before["p2/head.nii.gz"]
    assert len(after) == 5


def test_strokes_correct_and_a_mask_can_be_what_they_correct(tiny_bundle: Path, tmp_path: Path):
    volume, lesion = a_head(0)
    volume.write_map(tmp_path / "images.nii.gz", volume.array)
    strokes = np.zeros(volume.shape, np.uint8)
    strokes[2, 10, 14:16], strokes[2, 3, 3:5] = 1, 2
    volume.write_labels(tmp_path / "strokes.nii.gz", strokes)
    volume.write_labels(tmp_path / "mask.nii.gz", np.roll(lesion, 1, axis=2))
    table = tmp_path / "cases.csv"
    table.write_text("image,seeds,initial\nimages.nii.gz,strokes.nii.gz,mask.nii.gz\n")
    run_batch(table, tmp_path / "out", bundle=tiny_bundle, **NO_REPORT)
    written = volume.read_labels(tmp_path / "out" / "images.nii.gz")
    assert written[strokes == 1].all()
    assert not written[strokes == 2].any()


@pytest.mark.skipif(sys.platform != "linux", reason="names are text here")
def test_names_that_are_no_text_are_problems_before_any_work(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(1), tmp_path / "out"
    odd = os.fsdecode(b"\xff.nii.gz")
    shutil.copy(images / "p0" / "head.nii.gz", images / odd)
    result = run_batch(images, out, bundle=tiny_bundle, **NO_REPORT, leave_out_problems=True)
    assert [(r.name, r.state.value) for r in result.records] == [
        ("p0/head", "done"),
        ("\\udcff", "failed"),
    ]
    assert "is no text in UTF-8" in result.records[1].reason
    for source, target in ((images, tmp_path / odd), (images.rename(tmp_path / odd), out)):
        with pytest.raises(InputError, match=r"udcff\.nii\.gz is no text in UTF-8"):
            run_batch(source, target, bundle=tiny_bundle, **NO_REPORT)


def test_a_mask_without_strokes_to_correct_it_by_is_a_problem(tiny_bundle: Path, tmp_path: Path):
    volume, lesion = a_head(0)
    volume.write_map(tmp_path / "a.nii.gz", volume.array)
    volume.write_labels(tmp_path / "mask.nii.gz", lesion)
    table = tmp_path / "cases.csv"
    table.write_text("image,initial\na.nii.gz,mask.nii.gz\n")
    with pytest.raises(InputError, match=r"a: There are no seeds to correct .*mask\.nii\.gz by"):
        run_batch(table, tmp_path / "out", bundle=tiny_bundle, **NO_REPORT)


def test_an_empty_path_is_not_taken_for_the_folder_of_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    monkeypatch.chdir(tmp_path)
    assert main(["batch", "images", "-o", ""]) == 2
    assert main(["batch", "", "-o", "out"]) == 2
    said = capsys.readouterr().err
    assert "--output is empty" in said
    assert "INPUT is empty" in said
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_case_fails_alone_with_its_reason_and_exit_code_1(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path, capsys
):
    images, out = write_cohort(3), tmp_path / "out"
    damaged = images / "p1" / "head.nii.gz"
    content = gzip.decompress(damaged.read_bytes())
    damaged.write_bytes(gzip.compress(content[: len(content) // 2]))
    code = main(
        [
            "batch",
            str(images),
            "-o",
            str(out),
            "--bundle",
            str(tiny_bundle),
            "--workers",
            "0",
            "--no-report",
        ]
    )
    said = capsys.readouterr().out
    assert code == 1
    assert "FAILED p1/head: " in said
    assert "2 cases done, 1 failed" in said
    assert sorted(files_of(out)) == ["p0/head.nii.gz", "p2/head.nii.gz"]
    assert {r.name: r.state.value for r in read_records(out)}["p1/head"] == "failed"


def test_what_can_not_be_worked_on_is_said_before_any_work(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(2), tmp_path / "out"
    (images / "p1" / "head.nii.gz").write_bytes(b"no image")
    with pytest.raises(
        InputError, match=r"1 case can't be worked on, so nothing was begun.*p1/head"
    ):
        run_batch(images, out, bundle=tiny_bundle, **NO_REPORT)
    assert not out.exists()
    result = run_batch(images, out, bundle=tiny_bundle, **NO_REPORT, leave_out_problems=True)
    assert [(record.name, record.state.value) for record in result.records] == [
        ("p0/head", "done"),
        ("p1/head", "failed"),
    ]
    assert (result.worked_on, result.done_before) == (1, 0)
    again = run_batch(images, out, bundle=tiny_bundle, **NO_REPORT, leave_out_problems=True)
    assert (again.worked_on, again.done_before) == (0, 1)


def test_a_bundle_that_changed_between_two_starts_is_refused(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(1), tmp_path / "out"
    bundle = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    run_batch(images, out, bundle=bundle, **NO_REPORT)
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["task"] = "other things"
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"the bundle tiny 1\.0\.0 has changed since then"):
        run_batch(images, out, bundle=bundle, **NO_REPORT)


def test_other_settings_another_input_and_files_of_others_are_refused(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(1), tmp_path / "out"
    run_batch(images, out, bundle=tiny_bundle, **NO_REPORT)
    with pytest.raises(InputError, match=r"format was 'auto', not '.nrrd'"):
        run_batch(
            images, out, bundle=tiny_bundle, **NO_REPORT, settings=WorkSettings(format=".nrrd")
        )
    others = shutil.copytree(images, tmp_path / "others")
    with pytest.raises(InputError, match=r"its cases came from .*images, not from .*others"):
        run_batch(others, out, bundle=tiny_bundle, **NO_REPORT)
    own = tmp_path / "own"
    (own / "p0").mkdir(parents=True)
    (own / "p0" / "head.nii.gz").write_text("by hand")
    for begin in (run_batch, plan_batch):
        with pytest.raises(InputError, match="no batch run has written it"):
            begin(images, own, bundle=tiny_bundle, **NO_REPORT)
    assert (own / "p0" / "head.nii.gz").read_text() == "by hand"
    with pytest.raises(InputError, match="be taken for images the next time"):
        run_batch(images, images / "out", bundle=tiny_bundle, **NO_REPORT)


def test_two_cases_never_write_the_same_file(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images = write_cohort(2)
    table = tmp_path / "cases.csv"
    rows = ["image,case", *(f"{images}/p{n}/head.nii.gz,{'aB'[n]}" for n in (0, 1))]
    table.write_text("\n".join(rows).replace(",B", ",A_probability"))
    maps = WorkSettings(probability=True)
    for begin in (run_batch, plan_batch):
        with pytest.raises(InputError, match=r"cases a and A_probability would both write"):
            begin(table, tmp_path / "out", bundle=tiny_bundle, **NO_REPORT, settings=maps)
    plan = plan_batch(table, tmp_path / "out", bundle=tiny_bundle, **NO_REPORT)
    assert len(plan.cases) == 2  # without maps they are apart


def test_a_report_that_can_not_be_written_is_told_before_any_work(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path, monkeypatch
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == "jinja2" else find(name, *a)
    )
    told = []
    result = run_batch(
        write_cohort(1), tmp_path / "out", bundle=tiny_bundle, workers=ALONE, on_plan=told.append
    )
    assert result.report is None
    assert "Note: No report will be written: it needs Jinja2" in told[0].text()


def test_a_folder_that_can_not_be_made_or_written_to_is_named_before_any_work(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path, monkeypatch
):
    images, there = write_cohort(1), tmp_path / "there"
    with pytest.raises(InputError, match=r"The folder /proc\S* can't be (made|written to)"):
        run_batch(images, "/proc/results", bundle=tiny_bundle, **NO_REPORT)
    there.mkdir()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != there)
    for out in (there, there / "new"):
        with pytest.raises(InputError, match=r"The folder .*there can't be written to"):
            plan_batch(images, out, bundle=tiny_bundle)


def test_a_folder_goes_on_where_another_name_of_the_format_means_the_same(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(2), tmp_path / "out"
    common = {"bundle": tiny_bundle, **NO_REPORT}
    nifti, auto = WorkSettings(format=".nii.gz"), WorkSettings()  # the earlier default, and today's
    run_batch(images, out, **common, settings=nifti)
    before = files_of(out)
    (out / "p1" / "head.nii.gz").unlink()
    assert [case.name for case in plan_batch(images, out, bundle=tiny_bundle).cases] == ["p1/head"]
    assert run_batch(images, out, **common, settings=auto).worked_on == 1
    assert files_of(out) == before
    assert run_batch(images, out, **common, settings=nifti).worked_on == 0


def test_a_folder_does_not_go_on_where_the_format_means_something_else(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    head = write_cohort(1) / "p0" / "head.nii.gz"
    pixels = np.random.default_rng(0).normal(100, 4, (40, 48)).round().astype(np.uint8)
    pillow.fromarray(pixels).save(tmp_path / "picture.png")
    listed, out = tmp_path / "cases.csv", tmp_path / "out"
    common = {"bundle": tiny_bundle, **NO_REPORT}
    listed.write_text(f"image\n{head}\n")
    run_batch(listed, out, **common, settings=WorkSettings(format=".nii.gz"))
    listed.write_text(f"image\n{head}\npicture.png\n")
    with pytest.raises(InputError, match=r"format was '.nii.gz', not 'auto'"):
        run_batch(listed, out, **common)


def test_a_bundle_for_strokes_asks_for_them(write_cohort: Callable[..., Path], tmp_path: Path):
    with pytest.raises(InputError, match="any-structure segments nothing without seeds"):
        run_batch(write_cohort(1), tmp_path / "out", bundle="any-structure", **NO_REPORT)


def test_a_cancelled_run_keeps_what_is_done(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(3), tmp_path / "out"
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        run_batch(
            images,
            out,
            bundle=tiny_bundle,
            **NO_REPORT,
            cancel=cancel,
            on_record=lambda _: cancel.set(),
        )
    assert list(files_of(out)) == ["p0/head.nii.gz"]
    assert [record.name for record in read_records(out)] == ["p0/head"]
    assert run_batch(images, out, bundle=tiny_bundle, **NO_REPORT).worked_on == 2


def test_a_dry_run_writes_nothing_and_tells_time_memory_disk_and_problems(
    write_cohort: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
):
    images, out = write_cohort(3), tmp_path / "out"
    (images / "p1" / "head.nii.gz").write_bytes(b"no image")
    plan = plan_batch(images, out, bundle=tiny_bundle, workers=Workers(count=2))
    assert not out.exists()
    assert [case.name for case in plan.cases] == ["p0/head", "p2/head"]
    assert [problem.case for problem in plan.problems] == ["p1/head"]
    assert plan.voxels == 2 * 5 * 20 * 24
    assert plan.seconds is not None
    for words in ("2 cases to work on", "1 case can't be worked on", "2 workers, about", "Disk:"):
        assert words in plan.text()


@pytest.mark.parametrize(
    ("minutes", "said"), [(240, ", 0.02 a"), (1, ", 5.0 a"), (0.1, ", 50 a"), (0.0004, ", 12500 a")]
)
def test_the_rate_is_a_number_that_people_write(minutes: float, said: str, monkeypatch):
    now, heard = [0.0], []
    monkeypatch.setattr(tally.time, "perf_counter", lambda: now[0])
    counted = tally.Tally(5, lambda _share, text: heard.append(text))
    counted.begin()
    now[0] = minutes * 60
    for name in "abcde":
        counted.add(CaseRecord(name=name, state=State.DONE, images=()))
    assert heard[-1] == f"5 of 5 cases{said} minute"


def test_flags_say_what_is_empty_and_what_touches_the_border():
    labels = np.zeros((3, 4, 5), np.uint8)
    assert flags_of(labels, []) == (EMPTY,)
    labels[1, 1:3, 1:3] = 1
    assert flags_of(labels, []) == ()
    labels[2, 1, 1] = 1
    assert flags_of(labels, []) == (AT_THE_BORDER,)
    one_slice = np.zeros((1, 4, 5), np.uint8)
    one_slice[0, 1, 1] = 1
    assert flags_of(one_slice, []) == ()


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 1 MiB; skipped where this user may not mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small file system can't be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_the_run_and_leaves_whole_cases_only(
    tiny_bundle: Path, tmp_path: Path, small_disk: Path
):
    images, out = tmp_path / "images", small_disk / "out"
    images.mkdir()
    noise = np.random.default_rng(0)
    for number in range(9):
        array = noise.normal(100, 20, (8, 64, 64)).astype(np.float32)
        volume = Volume(array)
        volume.write_map(images / f"c{number}.nii.gz", array)
    settings = WorkSettings(probability=True, uncertainty=True)
    with pytest.raises(DeepIGeoSError, match="room"):
        run_batch(images, out, bundle=tiny_bundle, **NO_REPORT, settings=settings)
    before = read_records(out)
    written = sorted(path.name for path in out.glob("*.nii.gz"))
    whole = [name for name in written if "_" not in name]
    assert 0 < len(whole) < 9
    for name in whole:
        stem = name.removesuffix(".nii.gz")
        for kind in ("_probability", "_uncertainty", ""):
            Volume.read(out / f"{stem}{kind}.nii.gz")
    subprocess.run(["mount", "-o", "remount,size=9m", str(small_disk)], check=True)
    result = run_batch(images, out, bundle=tiny_bundle, **NO_REPORT, settings=settings)
    assert result.worked_on == 9 - len([r for r in before if r.state is State.DONE])
    assert len(list(out.glob("*.nii.gz"))) == 27
    assert not os.path.exists(out / "deepigeos-batch" / "unfinished")
