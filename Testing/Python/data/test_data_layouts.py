"""Every layout finds its cases, and loads what was written."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.data import LabeledCase, find_cases
from DeepIGeoSLib.data.discovery import discover
from DeepIGeoSLib.data.listing import name_of_file
from DeepIGeoSLib.data.patterns import paths_by_case


def all_cases(settings, base: Path) -> list[LabeledCase]:
    return find_cases(settings, base, "train") + find_cases(settings, base, "val")


def test_folders_of_pairs(pairs: Path, settings, head, lesion: np.ndarray) -> None:
    data = settings(pairs, {"layout": "folders", "dataset": "heads"})
    cases = sorted(all_cases(data, pairs), key=lambda case: case.name)
    assert [case.name for case in cases] == ["p0_0", "p0_1", "p1_0", "p1_1", "p2_0", "p2_1"]
    volume, mask = cases[3].load()
    np.testing.assert_allclose(volume.array, head(3).array, rtol=1e-6)
    np.testing.assert_array_equal(mask, lesion > 0)


def test_labels_that_are_the_target_are_chosen(pairs: Path, settings, lesion: np.ndarray) -> None:
    source = {"layout": "folders", "dataset": "heads", "target_labels": [2]}
    _, mask = find_cases(settings(pairs, source), pairs, "train")[0].load()
    np.testing.assert_array_equal(mask, lesion == 2)


def test_other_channels_are_loaded_in_order(pairs: Path, settings, head) -> None:
    for number in range(6):
        name = f"p{number // 2}_{number % 2}.nii.gz"
        volume = head(number)
        (pairs / "heads" / "t1").mkdir(exist_ok=True)
        volume.write_map(pairs / "heads" / "t1" / name, -volume.array)
    source = {"layout": "folders", "dataset": "heads", "other_channels": ["t1/{case}.nii.gz"]}
    channels, _ = find_cases(settings(pairs, source), pairs, "train")[0].load_channels()
    np.testing.assert_allclose(channels[1].array, -channels[0].array)


def test_images_without_labels_are_left_out_and_reported(pairs: Path, settings) -> None:
    (pairs / "heads" / "labels" / "p0_0.nii.gz").unlink()
    (pairs / "heads" / "images" / "p1_1.nii.gz").unlink()
    data = settings(pairs, {"layout": "folders", "dataset": "heads"})
    assert len(all_cases(data, pairs)) == 4
    problems = {problem.where: problem for problem in discover(data, pairs).problems}
    assert problems["heads/p0_0"].text == "The image has no label; the case is left out."
    assert problems["heads/p1_1"].text == "The label has no image; the case is left out."
    assert not any(problem.fatal for problem in problems.values())


def test_a_listed_case_without_label_is_an_error(pairs: Path, settings) -> None:
    (pairs / "heads" / "labels" / "p0_0.nii.gz").unlink()
    (pairs / "splits.csv").write_text("dataset,case,use\nheads,p0_0,train\nheads,p1_0,val\n")
    data = settings(pairs, {"layout": "folders", "dataset": "heads"})
    with pytest.raises(InputError, match="heads/p0_0: The split file lists this case, but it has"):
        find_cases(data, pairs, "train")


def test_a_case_folder_may_repeat_the_name(tmp_path: Path) -> None:
    for path in ("a/a_t1.nii", "b/b_t1.nii", "b/c_t1.nii", "._d/._d_t1.nii"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    found = paths_by_case(tmp_path, "{case}/{case}_t1.nii")
    assert {name: path.name for name, path in found.items()} == {"a": "a_t1.nii", "b": "b_t1.nii"}


def test_brackets_in_a_pattern_are_plain_characters(tmp_path: Path) -> None:
    (tmp_path / "x[1].nii").touch()
    (tmp_path / "y1.nii").touch()
    assert list(paths_by_case(tmp_path, "{case}[1].nii")) == ["x"]


def test_the_split_file_is_the_default_layout(pairs: Path, settings) -> None:
    (pairs / "splits.csv").write_text(
        "dataset,case,use\nheads,p0_0,train\nheads,p1_0,val\nheads,p2_0,demo\nother,x,train\n"
    )
    source = {
        "dataset": "heads",
        "image": "images/{case}.nii.gz",
        "label": "labels/{case}.nii.gz",
    }
    data = settings(pairs, source)
    assert [case.name for case in find_cases(data, pairs, "train")] == ["p0_0"]
    assert [case.name for case in find_cases(data, pairs, "demo")] == ["p2_0"]
    with pytest.raises(InputError, match="no case for 'test'"):
        find_cases(data, pairs, "test")


def test_a_listed_name_can_not_leave_the_folder(pairs: Path, settings) -> None:
    (pairs / "splits.csv").write_text("dataset,case,use\nheads,../../etc/x,train\n")
    source = {"dataset": "heads", "image": "{case}.nii.gz", "label": "{case}.nii.gz"}
    with pytest.raises(InputError, match="no path below"):
        find_cases(settings(pairs, source), pairs, "train")


def write_list(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


def test_a_csv_lists_images_labels_and_uses(pairs: Path, settings, tmp_path: Path) -> None:
    elsewhere = str(pairs / "heads" / "images" / "p1_0.nii.gz")
    rows = [
        ["image", "label", "use"],
        ["images/p0_0.nii.gz", "labels/p0_0.nii.gz", "train"],
        [elsewhere, "labels/p1_0.nii.gz", " val "],
    ]
    write_list(pairs / "heads" / "cases.csv", rows)
    data = settings(pairs, {"layout": "csv", "dataset": "heads"})
    assert [case.name for case in find_cases(data, pairs, "train")] == ["p0_0"]
    (held_out,) = find_cases(data, pairs, "val")
    assert held_out.name == "p1_0"
    held_out.load()


BAD_LISTS = {
    "no column": ([["image", "mask"], ["a", "b"]], "lacks the column 'label'"),
    "no row": ([["image", "label"]], "lists no case"),
    "half a row": ([["image", "label"], ["a", ""]], "line 2: the image or the label is empty"),
    "same name": ([["image", "label"], ["a/x.nii", "y"], ["b/x.nii", "z"]], "listed twice"),
}


@pytest.mark.parametrize(("rows", "sentence"), BAD_LISTS.values(), ids=BAD_LISTS.keys())
def test_a_bad_csv_is_explained(tmp_path: Path, settings, rows: list, sentence: str) -> None:
    (tmp_path / "d").mkdir()
    write_list(tmp_path / "d" / "cases.csv", rows)
    data = settings(tmp_path, {"layout": "csv", "dataset": "d"})
    with pytest.raises(InputError, match=sentence):
        find_cases(data, tmp_path, "train")


def test_names_of_files() -> None:
    names = ["a/b_1.nii.gz", "b.seg.nrrd", "b.1.nrrd", "b.jpg", "folder/b"]
    assert [name_of_file(name) for name in names] == ["b_1", "b", "b.1", "b", "b"]


def write_brats(root: Path, write_pair: Callable[..., None], labels: np.ndarray) -> None:
    for number, mark in enumerate("___-"):
        case = f"BraTS_{number}"
        folder = root / "brats" / case
        flair = folder / f"{case}{mark}{'flair' if mark == '_' else 'FLAIR'}.nii.gz"
        write_pair(flair, folder / f"{case}{mark}seg.nii.gz", number, labels)
        write_pair(folder / f"{case}{mark}t1.nii.gz", folder / "other.nii.gz", number + 10)
    (root / "brats" / "notes").mkdir()


def test_brats_merges_labels_by_rule(tmp_path: Path, settings, write_pair, lesion) -> None:
    labels = np.where(lesion == 2, 4, lesion)  # the highest slice enhances
    labels[0, 2, 2] = 2  # edema
    write_brats(tmp_path, write_pair, labels)
    sizes = {}
    for region in ("whole tumor", "tumor core", "enhancing tumor"):
        data = settings(tmp_path, {"layout": "brats", "dataset": "brats", "region": region})
        cases = all_cases(data, tmp_path)
        assert len(cases) == 4
        sizes[region] = int(cases[0].load()[1].sum())
    assert sizes == {
        "whole tumor": int((labels > 0).sum()),
        "tumor core": int((lesion > 0).sum()),
        "enhancing tumor": int((labels == 4).sum()),
    }


def test_brats_takes_any_modalities_by_name(tmp_path: Path, settings, write_pair, lesion, head):
    write_brats(tmp_path, write_pair, lesion)
    source = {"layout": "brats", "dataset": "brats", "modalities": ["t1", "flair"]}
    case = min(all_cases(settings(tmp_path, source), tmp_path), key=lambda c: c.name)
    channels, _ = case.load_channels()
    np.testing.assert_allclose(channels[0].array, head(10).array, rtol=1e-6)
    np.testing.assert_allclose(channels[1].array, head(0).array, rtol=1e-6)


def test_brats_cases_without_a_file_are_reported(tmp_path: Path, settings, write_pair, lesion):
    write_brats(tmp_path, write_pair, lesion)
    (tmp_path / "brats" / "BraTS_1" / "BraTS_1_seg.nii.gz").unlink()
    data = settings(tmp_path, {"layout": "brats", "dataset": "brats"})
    assert len(all_cases(data, tmp_path)) == 3
    (problem,) = discover(data, tmp_path).problems
    assert problem.where == "brats/BraTS_1"
    assert problem.text == "There is no seg file; the case is left out."


def test_brats_folders_with_two_candidates_are_an_error(tmp_path, settings, write_pair, lesion):
    write_brats(tmp_path, write_pair, lesion)
    (tmp_path / "brats" / "BraTS_1" / "again_flair.nii.gz").touch()
    data = settings(tmp_path, {"layout": "brats", "dataset": "brats"})
    with pytest.raises(InputError, match="BraTS_1: There are 2 files for flair"):
        find_cases(data, tmp_path, "train")


def test_the_decathlon_s_frames_and_classes(decathlon: Path, settings, head, lesion) -> None:
    source = {
        "layout": "decathlon",
        "dataset": "Task99",
        "modalities": ["T1w"],
        "classes": ["core"],
    }
    cases = all_cases(settings(decathlon, source), decathlon)
    assert {case.name for case in cases} == {"c_0", "c_1", "c_2"}
    case = min(cases, key=lambda c: c.name)
    volume, mask = case.load()
    np.testing.assert_allclose(volume.array, 2 * head(0).array, rtol=1e-6)
    np.testing.assert_array_equal(mask, lesion == 2)
    assert volume.same_grid(head(0))


def test_the_decathlon_s_first_modality_is_the_default(decathlon: Path, settings) -> None:
    data = settings(decathlon, {"layout": "decathlon", "dataset": "Task99"})
    channels, _ = all_cases(data, decathlon)[0].load_channels()
    assert len(channels) == 1


DAMAGES = {
    "wrong class": ({}, {"classes": ["cores"]}, "no 'cores' under 'labels'; did you mean 'core'"),
    "wrong modality": ({}, {"modalities": ["CT"]}, "no 'CT' under 'modality'; there are FLAIR"),
    "no list": ({"training": {}}, {}, "lacks the key 'training'"),
    "empty": ({"training": []}, {}, "lists no case"),
    "half an entry": ({"training": [{"image": "x"}]}, {}, r"training\[0\] lacks the text"),
    "climbs out": (
        {"training": [{"image": "../../x.nii", "label": "y.nii"}]},
        {},
        r"'../../x.nii' is no path below",
    ),
    "absolute": ({"training": [{"image": "x", "label": "/etc/y"}]}, {}, "is no path below"),
    "file missing": ({"training": [{"image": "x", "label": "y"}]}, {}, "(no case|is missing)"),
}


@pytest.mark.parametrize(("change", "keys", "sentence"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_bad_decathlon_task_is_explained(
    decathlon: Path, settings, change: dict, keys: dict, sentence: str
) -> None:
    path = decathlon / "Task99" / "dataset.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    data = settings(decathlon, {"layout": "decathlon", "dataset": "Task99", **keys})
    with pytest.raises(InputError, match=sentence):
        all_cases(data, decathlon)


def test_frames_of_a_4d_file(decathlon: Path) -> None:
    path = decathlon / "Task99" / "imagesTr" / "c_0.nii.gz"
    with pytest.raises(InputError, match="is 4D"):
        Volume.read(path)
    with pytest.raises(InputError, match=r"has 2 frame\(s\); there is no frame 2"):
        Volume.read(path, frame=2)
