"""A folder of cases: what is found, in which order, and what is on disk after each step."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.worklist import Status, Worklist
from DeepIGeoSLib.worklist.record import who

ROOT = Path(__file__).parents[3]


def write_image(path: Path, seed: int = 0) -> Volume:
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).random((3, 4, 5), np.float32)
    volume = Volume(voxels, spacing=(3, 1, 1))
    volume.write_map(path, voxels)
    return volume


def write_labels(path: Path) -> None:
    """Write the same two voxels everywhere."""
    volume = Volume(np.zeros((3, 4, 5)), spacing=(3, 1, 1))
    volume.write_labels(path, labels())


def labels() -> np.ndarray:
    mask = np.zeros((3, 4, 5), bool)
    mask[1, 2, 2:4] = True
    return mask


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images, one in a folder of its own."""
    for number, name in enumerate(("a.nii.gz", "b.nrrd", "deep/c.mha")):
        write_image(tmp_path / "images" / name, number)
    return tmp_path / "images"


def names(worklist: Worklist) -> list[str]:
    return [case.name for case in worklist.cases]


def test_images_are_cases_and_what_was_made_of_them_is_what_they_begin_with(folder):
    for name in ("a_seg.nii.gz", "b.seg.nrrd", "deep/c-label.nrrd"):
        write_labels(folder / name)
    (folder / "notes.txt").write_text("nothing")
    (folder / "._a.nii.gz").write_bytes(b"of macOS")
    worklist = Worklist(folder)
    assert names(worklist) == ["a", "b", "deep/c"]
    starts = [worklist.segmentation_of(name) for name in names(worklist)]
    assert starts == [folder / "a_seg.nii.gz", folder / "b.seg.nrrd", folder / "deep/c-label.nrrd"]


def test_an_image_is_never_taken_for_its_own_segmentation(folder):
    assert Worklist(folder).segmentation_of("a") is None


def test_results_in_another_folder_are_found_by_the_names_of_the_images(folder, tmp_path):
    (tmp_path / "out/deep").mkdir(parents=True)
    write_labels(tmp_path / "out/a.nii.gz")
    write_labels(tmp_path / "out/deep/c.seg.nrrd")
    worklist = Worklist(folder, tmp_path / "out")
    assert worklist.segmentation_of("a") == tmp_path / "out/a.nii.gz"
    assert worklist.segmentation_of("b") is None
    assert worklist.segmentation_of("deep/c") == tmp_path / "out/deep/c.seg.nrrd"


def test_a_folder_of_dicom_files_is_a_case(tmp_path, folder):
    series = folder / "head"
    series.mkdir()
    (series / "IM0001").write_bytes(b"\0" * 128 + b"DICM")
    assert names(Worklist(folder)) == ["a", "b", "deep/c", "head"]
    (alone,) = Worklist(series).cases
    assert (alone.name, alone.image) == ("head", series)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (("a.nii.gz", "a.nrrd"), "a.nii.gz and a.nrrd"),
        (("x/A.nii", "x/a.nii"), "x/A.nii and x/a.nii"),
        ((), "holds no image"),
    ],
)
def test_a_folder_that_is_no_list_is_refused(tmp_path, files, message):
    for name in files:
        write_image(tmp_path / name)
    with pytest.raises(InputError, match=re.escape(message)):
        Worklist(tmp_path)


def test_missing_folders_are_named(folder, tmp_path):
    for arguments in ((tmp_path / "nowhere",), (folder, tmp_path / "nowhere")):
        with pytest.raises(InputError, match="nowhere does not exist"):
            Worklist(*arguments)


def test_the_case_that_needs_most_attention_comes_first(folder):
    (folder / "report.csv").write_text("case,attention\ndeep/c,0.2\nb,0.9\n")
    worklist = Worklist(folder)
    assert names(worklist) == ["b", "deep/c", "a"]
    assert worklist.first().name == "b"
    (folder / "report.csv").write_text("case,attention\nb,much\n")
    with pytest.raises(InputError, match=r"report\.csv"):
        Worklist(folder)
    (folder / "report.csv").write_text("patient,age\n7,80\n")  # somebody else's table
    assert names(Worklist(folder)) == ["a", "b", "deep/c"]


def test_a_case_goes_from_new_over_in_work_to_accepted_and_back(folder):
    worklist = Worklist(folder)
    assert worklist.record("a").status is Status.NEW
    assert worklist.begin("a").status is Status.NEW
    assert worklist.record("a").status is Status.IN_WORK
    assert worklist.record("a").by == who()
    worklist.save("a", write_labels, accept=True)
    again = Worklist(folder)  # the next day
    assert names(again) == ["a", "b", "deep/c"]
    assert again.counts() == {Status.NEW: 2, Status.IN_WORK: 0, Status.ACCEPTED: 1}
    assert again.first().name == "b"
    assert again.segmentation_of("a") == folder / "a-reviewed.seg.nrrd"
    read = Volume.read(folder / "a.nii.gz").read_labels(again.segmentation_of("a"))
    np.testing.assert_array_equal(read > 0, labels())
    assert again.begin("a").status is Status.ACCEPTED  # looking at it changes nothing
    with pytest.raises(InputError, match="is accepted; reopen it"):
        again.save("a", write_labels)
    again.reopen("a")
    assert again.record("a").status is Status.IN_WORK


def test_next_and_previous_pass_over_accepted_cases(folder):
    worklist = Worklist(folder)
    worklist.begin("b")
    worklist.save("b", write_labels, accept=True)
    assert worklist.following("a").name == "deep/c"
    assert worklist.following("deep/c", -1).name == "a"
    assert worklist.following("deep/c") is None
    assert worklist.following("a", -1) is None
    with pytest.raises(InputError, match="no case 'x'"):
        worklist.following("x")


def test_what_was_there_before_is_never_replaced(folder):
    write_labels(folder / "a.seg.nrrd")
    before = (folder / "a.seg.nrrd").read_bytes()
    worklist = Worklist(folder)
    worklist.begin("a")
    worklist.save("a", write_labels)
    assert (folder / "a.seg.nrrd").read_bytes() == before


def test_a_case_that_somebody_else_took_up_is_not_replaced(folder):
    worklist = Worklist(folder)
    worklist.begin("a")
    file = folder / "deepigeos-worklist/a.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "by": "anna@ward"}))
    with pytest.raises(InputError, match="anna@ward took up the case 'a'"):
        worklist.save("a", write_labels)
    assert not (folder / "a-reviewed.seg.nrrd").exists()
    assert worklist.begin("a").by == "anna@ward"  # who takes it over is told
    worklist.save("a", write_labels)


def test_a_segmentation_that_fails_to_be_written_leaves_the_one_before(folder):
    worklist = Worklist(folder)
    worklist.begin("a")
    stored = worklist.save("a", write_labels)
    before = stored.read_bytes()
    with pytest.raises(InputError):
        worklist.save("a", lambda path: path.write_bytes(before[: len(before) // 2]), accept=True)
    assert stored.read_bytes() == before
    assert worklist.record("a").status is Status.IN_WORK


def test_a_damaged_record_is_named(folder):
    worklist = Worklist(folder)
    worklist.begin("a")
    (folder / "deepigeos-worklist/a.json").write_text("{}")
    with pytest.raises(InputError, match=r"a\.json.*delete it"):
        worklist.counts()


@pytest.mark.parametrize("beside", [True, False])
def test_nothing_is_stored_in_the_place_of_a_folder_that_is_gone(folder, tmp_path, beside):
    results = folder if beside else tmp_path / "results"
    results.mkdir(exist_ok=True)
    worklist = Worklist(folder, results)
    worklist.begin("deep/c")
    gone = folder / "deep" if beside else results
    gone.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=rf"{gone.name} is not there any more; nothing was stored"):
        worklist.save("deep/c", write_labels)
    assert not gone.exists()


def test_a_place_that_can_not_be_written_is_named(folder):
    (folder / "deepigeos-worklist").write_text("a file where the folder should be")
    with pytest.raises(InputError, match=r"deepigeos-worklist.*can't be read"):
        Worklist(folder).begin("a")


def test_killed_while_it_saves_a_case_is_as_it_was(folder):
    """The program ends between the bytes and the name: nothing of it is to be seen."""
    worklist = Worklist(folder)
    worklist.begin("a")
    before = worklist.save("a", write_labels).read_bytes()
    code = textwrap.dedent(
        """
        import os, sys
        from DeepIGeoSLib.worklist import Worklist
        def write(path):
            path.write_bytes(b"half of it")
            os._exit(9)
        Worklist(sys.argv[1]).save("a", write, accept=True)
        """
    )
    ended = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=False)
    assert ended.returncode == 9
    again = Worklist(folder)
    assert names(again) == ["a", "b", "deep/c"]
    assert again.segmentation_of("a").read_bytes() == before
    assert again.record("a").status is Status.IN_WORK


def test_the_documented_lines_accept_every_case(folder, tmp_path, monkeypatch):
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    (lines,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "Docs/worklist.md").read_text(encoding="utf-8"), re.DOTALL
    )
    exec(lines, {})
    assert Worklist(folder, tmp_path / "results").first() is None
    shutil.rmtree(tmp_path / "results/deepigeos-worklist")
    assert Worklist(folder, tmp_path / "results").first().name == "a"


def test_masks_of_a_bids_data_set_are_found_wherever_its_derivatives_lie(tmp_path):
    study = tmp_path / "study"
    for subject in ("sub-01", "sub-02", "sub-03"):
        write_image(study / subject / "anat" / f"{subject}_FLAIR.nii.gz")
    (study / "dataset_description.json").write_text("{}")
    inside, outside = study / "derivatives" / "deepigeos", tmp_path / "results"
    for results in (inside, outside):
        for subject in ("sub-01", "sub-02", "sub-03"):
            (results / subject / "anat").mkdir(parents=True)
        one = "sub-01/anat/sub-01_label-wholeTumor_desc-deepigeosFLAIR_mask.nii.gz"
        write_labels(results / one)
        write_labels(results / "sub-02/anat/sub-02_desc-deepigeosFLAIR_dseg.nii.gz")
        write_labels(results / "sub-03/anat/sub-03_label-x_desc-deepigeosT1w_mask.nii.gz")
        worklist = Worklist(study, results)
        assert names(worklist) == [f"{s}/anat/{s}_FLAIR" for s in ("sub-01", "sub-02", "sub-03")]
        found = [worklist.segmentation_of(case.name) for case in worklist.cases]
        assert found[0] == results / one
        assert found[1].name == "sub-02_desc-deepigeosFLAIR_dseg.nii.gz"
        assert found[2] is None
