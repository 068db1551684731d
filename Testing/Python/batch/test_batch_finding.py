"""Which cases a cohort has."""

from __future__ import annotations

import errno
import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cohorts import a_head

from DeepIGeoSLib.batch import FindingRules
from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.finding import find_cases
from DeepIGeoSLib.batch.grids import grid_of
from DeepIGeoSLib.errors import InputError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> set[Path]:
    """Files and folders that may not be read, also where tests run as a user who may read all."""
    paths: set[Path] = set()

    def refused(read: Callable) -> Callable:
        def or_refuse(path: Any = ".", *args: Any, **options: Any) -> Any:
            if Path(path) in paths:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return read(path, *args, **options)

        return or_refuse

    for place, name in ((os, "scandir"), (os, "listdir"), (Path, "open"), (Path, "exists")):
        monkeypatch.setattr(place, name, refused(getattr(place, name)))
    return paths


def found_in(source: Path, channels: tuple[str, ...] = ("image",), **rules):
    return find_cases(source, FindingRules(**rules), channels)


def test_every_image_of_a_folder_is_a_case_but_not_what_was_made_of_it(tmp_path: Path):
    touch(tmp_path / "a" / "one.nii.gz", tmp_path / "two.mha", tmp_path / "a" / "one_seg.nii.gz")
    touch(tmp_path / "p1" / "flair.nii.gz", tmp_path / "p1" / "Seg.nii.gz")
    touch(tmp_path / "p2" / "mask.nii.gz")  # alone, it is what somebody calls an image
    found = found_in(tmp_path)
    assert [case.name for case in found.cases] == ["a/one", "p1/flair", "p2/mask", "two"]


def test_patterns_name_the_files_of_each_channel_and_what_goes_with_them(tmp_path: Path):
    for name in ("p1", "p2"):
        touch(*(tmp_path / name / f"{kind}.nii.gz" for kind in ("t1", "t2", "strokes", "truth")))
    (tmp_path / "p2" / "truth.nii.gz").unlink()
    touch(tmp_path / "p3" / "t1.nii.gz")
    found = found_in(
        tmp_path,
        ("T1", "T2"),
        images=("{case}/t1.nii.gz", "{case}/t2.nii.gz"),
        seeds="{case}/strokes.nii.gz",
        truth="{case}/truth.nii.gz",
    )
    assert [case.name for case in found.cases] == ["p1", "p2"]
    first, second = found.cases
    assert [path.name for path in first.images] == ["t1.nii.gz", "t2.nii.gz"]
    assert first.seeds == tmp_path / "p1" / "strokes.nii.gz"
    assert (first.truth, second.truth) == (tmp_path / "p1" / "truth.nii.gz", None)
    assert [problem.case for problem in found.problems] == ["p3"]


@pytest.mark.parametrize(
    ("image", "truth", "pattern"),
    [
        ("a", "truths/a", "truths/{case}.nii.gz"),
        ("images/a", "truths/images/a", "truths/{case}.nii.gz"),
        ("p1/a b", "p1/a b_true", "{case}_true.nii.gz"),
        ("p1/x/a", "truths/p1/x/a", "INPUT/truths/{case}.nii.gz"),
    ],
)
def test_files_that_rules_name_as_truth_are_no_images(
    tmp_path: Path, image: str, truth: str, pattern: str
):
    touch(tmp_path / f"{image}.nii.gz", tmp_path / f"{truth}.nii.gz")
    found = found_in(tmp_path, truth=pattern.replace("INPUT", str(tmp_path)))
    assert [case.name for case in found.cases] == [image]
    assert found.cases[0].truth == tmp_path / f"{truth}.nii.gz"


def test_a_truth_without_its_image_is_no_image(tmp_path: Path):
    touch(*(tmp_path / f"{name}.nii.gz" for name in ("a", "truths/a", "truths/b")))
    found = found_in(tmp_path, truth="truths/{case}.nii.gz")
    assert [case.name for case in found.cases] == ["a"]


def test_how_many_cases_have_a_truth_is_told_and_none_is_refused(tmp_path: Path):
    touch(*(tmp_path / f"{name}.nii.gz" for name in ("a", "b", "b-true", "c", "d", "e")))
    found = found_in(tmp_path, truth="{case}-true.nii.gz")
    assert found.remarks == ["With truth: 1 of 5 cases, without: a, c, d and 1 more."]
    said = r"for truth: 'x/\{case\}\.nii' means \S*x/a\.nii for the case a,"
    with pytest.raises(InputError, match=said):
        found_in(tmp_path, truth="x/{case}.nii")


def test_a_folder_that_can_not_be_read_is_a_problem_and_not_missed(
    tmp_path: Path, locked: set[Path]
):
    touch(tmp_path / "a.nii.gz", tmp_path / "p1" / "b.nii.gz", tmp_path / "p2" / "c")
    locked |= {tmp_path / "p1", tmp_path / "p2" / "c"}
    found = found_in(tmp_path)
    assert [case.name for case in found.cases] == ["a"]
    assert [str(problem) for problem in found.problems] == [
        f"p1: The folder {tmp_path}/p1 can't be read: Permission denied.",
        f"p2: {tmp_path}/p2/c can't be read: Permission denied.",
    ]


def test_a_subject_that_can_not_be_read_is_a_problem_of_its_data_set(
    tmp_path: Path, locked: set[Path]
):
    (tmp_path / "dataset_description.json").write_text('{"Name": "x"}')
    touch(tmp_path / "sub-1" / "sub-1_T1w.nii", tmp_path / "sub-2" / "sub-2_T1w.nii")
    locked.add(tmp_path / "sub-2")
    found = found_in(tmp_path)
    assert [case.name for case in found.cases] == ["sub-1/sub-1_T1w"]
    assert [problem.case for problem in found.problems] == ["sub-2"]


def test_a_file_that_can_not_be_read_is_a_problem_of_its_case(tmp_path: Path, locked: set[Path]):
    volume, _ = a_head(0)
    volume.write_map(tmp_path / "a.nii.gz", volume.array)
    locked.add(tmp_path / "a.nii.gz")
    (case,) = found_in(tmp_path).cases
    with pytest.raises(InputError, match=r"a\.nii\.gz can't be read: Permission denied"):
        grid_of(case)


def test_a_truth_that_may_not_be_looked_at_is_not_taken_for_missing(
    tmp_path: Path, locked: set[Path]
):
    touch(tmp_path / "a.nii.gz")
    locked.add(tmp_path / "t" / "a.nii.gz")
    (case,) = found_in(tmp_path, truth="t/{case}.nii.gz").cases
    with pytest.raises(InputError, match=r"t/a\.nii\.gz does not exist or can't be read"):
        case.stamp()


def test_a_list_names_files_and_a_missing_one_is_a_problem(tmp_path: Path):
    touch(tmp_path / "x" / "a.nii.gz", tmp_path / "x" / "b.nii.gz", tmp_path / "t.nii.gz")
    table = tmp_path / "cases.csv"
    table.write_text("image;case;truth\nx/a.nii.gz;;t.nii.gz\nx\\b.nii.gz;s/b;\nx/c.nii.gz;;\n")
    found = found_in(table)
    assert [(case.name, case.truth) for case in found.cases] == [
        ("a", tmp_path / "t.nii.gz"),
        ("s/b", None),
    ]
    assert [problem.case for problem in found.problems] == ["c"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image\n", "lists no case"),
        ("image,case\na.nii.gz,x\nb.nii.gz,x\n", "is listed twice"),
        ("image,case\na.nii.gz,../x\n", "is no path below"),
        ("picture\na.nii.gz\n", "lacks the column 'image'"),
        ("image,truth\n,t.nii.gz\n", "the column 'image' is empty"),
    ],
)
def test_a_list_that_can_not_be_used_is_refused(tmp_path: Path, text: str, said: str):
    touch(tmp_path / "a.nii.gz", tmp_path / "b.nii.gz")
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        found_in(tmp_path / "cases.csv")


def a_bids_data_set(folder: Path) -> Path:
    touch(
        *(
            folder / f"sub-{n}" / "anat" / f"sub-{n}_{s}.nii.gz"
            for n in "12"
            for s in ("T1w", "FLAIR")
        )
    )
    touch(folder / "sub-3" / "ses-a" / "anat" / "sub-3_ses-a_FLAIR.nii.gz")
    touch(folder / "derivatives" / "other" / "sub-1" / "anat" / "sub-1_FLAIR.nii.gz")
    (folder / "dataset_description.json").write_text(
        json.dumps({"Name": "x", "BIDSVersion": "1.10.0"})
    )
    return folder


def test_of_a_bids_data_set_the_images_of_the_bundles_channel_are_cases(tmp_path: Path):
    found = found_in(a_bids_data_set(tmp_path), ("FLAIR",))
    assert [case.name for case in found.cases] == [
        "sub-1/anat/sub-1_FLAIR",
        "sub-2/anat/sub-2_FLAIR",
        "sub-3/ses-a/anat/sub-3_ses-a_FLAIR",
    ]
    assert found.cases[0].bids == "sub-1/anat/sub-1_FLAIR.nii.gz"
    assert found.remarks == ["Chosen: FLAIR.", "Left out: 2 T1w."]


def test_channels_of_a_bids_data_set_lie_beside_each_other(tmp_path: Path):
    found = found_in(a_bids_data_set(tmp_path), ("FLAIR", "T1"))
    assert [case.name for case in found.cases] == [
        "sub-1/anat/sub-1_FLAIR",
        "sub-2/anat/sub-2_FLAIR",
    ]
    assert [path.name for path in found.cases[0].images] == [
        "sub-1_FLAIR.nii.gz",
        "sub-1_T1w.nii.gz",
    ]
    assert "T1w" in str(found.problems[0])


def test_a_bids_data_set_asks_which_images_are_meant_where_nothing_says_it(tmp_path: Path):
    with pytest.raises(InputError, match="3 FLAIR, 2 T1w; say by --suffix"):
        found_in(a_bids_data_set(tmp_path), ("image",))
    assert len(found_in(tmp_path, ("image",), suffix=("T1w",)).cases) == 2
    with pytest.raises(InputError, match="has no PD image"):
        found_in(tmp_path, ("image",), suffix=("PD",))


def test_nothing_to_work_on_is_said(tmp_path: Path):
    with pytest.raises(InputError, match="holds no image"):
        found_in(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        found_in(tmp_path / "missing")
    touch(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="has no file like"):
        found_in(tmp_path, images=("{case}.mha",))


def test_a_name_as_long_as_names_can_be_and_a_link_in_a_circle_are_borne(tmp_path: Path):
    touch(tmp_path / f"{'n' * 248}.nii.gz")
    (tmp_path / "loop.nii.gz").symlink_to("loop.nii.gz")
    loop, long = found_in(tmp_path).cases
    assert (loop.name, long.name) == ("loop", "n" * 248)
    with pytest.raises(InputError, match=r"loop\.nii\.gz does not exist or can't be read"):
        loop.stamp()


@pytest.mark.parametrize("name", ["a.nii.gz", "A.PNG", "a.dcm"])
def test_an_image_is_no_list(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match="is an image; a folder of images, a BIDS"):
        found_in(tmp_path / name)


@pytest.mark.parametrize("names", [("a.nii.gz", "a.mha"), ("a.nii.gz", "A.nii.gz")])
def test_two_images_of_one_name_are_refused(tmp_path: Path, names: tuple[str, str]):
    touch(*(tmp_path / name for name in names))
    with pytest.raises(InputError, match=r"one name"):
        found_in(tmp_path)


def test_a_pattern_must_say_where_the_name_stands():
    with pytest.raises(InputError, match=r"\{case\} must stand"):
        FindingRules(truth="truth.nii.gz")
    with pytest.raises(InputError, match="need seeds"):
        FindingRules(initial="{case}.nii.gz")


def test_headers_tell_that_an_image_can_not_be_worked_on(tmp_path: Path):
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.ones((2, 3, 4), np.float32))
    SimpleITK.WriteImage(SimpleITK.JoinSeries([image, image]), str(tmp_path / "frames.nii.gz"))
    SimpleITK.WriteImage(image, str(tmp_path / "torn.nii"))
    content = bytearray((tmp_path / "torn.nii").read_bytes())
    content[40:48] = np.array([3, 900, 900, 900], np.int16).tobytes()
    (tmp_path / "torn.nii").write_bytes(content)
    (tmp_path / "torn.nii.gz").write_bytes(gzip.compress(content))
    content[40:48] = np.array([3, 30000, 30000, 30000], np.int16).tobytes()
    (tmp_path / "huge.nii.gz").write_bytes(gzip.compress(content))
    for name, words in (
        ("frames.nii.gz", r"has the size \(4, 3, 2, 2\) .* one frame is expected"),
        ("torn.nii", "is not whole: 96 bytes can't hold the 2916000000"),
        ("torn.nii.gz", "can't hold the 2916000352"),
        ("huge.nii.gz", "more voxels than can be read"),
    ):
        with pytest.raises(InputError, match=words):
            grid_of(BatchCase(name="a", images=(tmp_path / name,)))


def test_headers_tell_that_a_truth_lies_on_other_voxels(tmp_path: Path):
    volume, lesion = a_head(0)
    other, _ = a_head(0, (5, 20, 26))
    volume.write_map(tmp_path / "a.nii.gz", volume.array)
    volume.write_labels(tmp_path / "good.nii.gz", lesion)
    other.write_labels(tmp_path / "bad.nii.gz", other.array > 150)
    good, bad = (
        BatchCase(name="a", images=(tmp_path / "a.nii.gz",), truth=tmp_path / truth)
        for truth in ("good.nii.gz", "bad.nii.gz")
    )
    grid = grid_of(good)
    assert grid is not None
    assert grid.shape == volume.shape
    with pytest.raises(
        InputError, match=r"other voxels than .*a.nii.gz: its shape is \(5, 20, 26\)"
    ):
        grid_of(bad)
