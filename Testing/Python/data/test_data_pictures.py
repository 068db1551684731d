"""Photographs of PASCAL VOC and single slices of volumes, for 2D networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.data import LabeledCase, find_cases
from DeepIGeoSLib.data.photographs import read_label_picture, read_photograph
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.data.slices import slices_of
from DeepIGeoSLib.data.source import SliceSettings
from DeepIGeoSLib.grid.orientation import Orientation

AEROPLANE = {"layout": "voc", "dataset": "VOC2012", "classes": ["aeroplane"]}


def test_voc_lists_choose_photographs_with_the_class(voc: Path, settings) -> None:
    data = settings(voc, AEROPLANE)
    assert [c.name for c in find_cases(data, voc, "train")] == ["2007_0", "2007_1"]
    assert [c.name for c in find_cases(data, voc, "val")] == ["2007_3"]


def test_voc_palettes_and_gray_values_are_class_numbers(voc: Path, settings) -> None:
    expected = np.zeros((1, 20, 30), dtype=bool)
    expected[0, 5:10, 5:12] = True  # without the border, 255
    for case in find_cases(settings(voc, AEROPLANE), voc, "train"):
        volume, mask = case.load()
        assert volume.shape == (1, 20, 30)
        np.testing.assert_array_equal(mask, expected)


def test_photographs_are_not_turned(voc: Path, settings) -> None:
    volume, _ = find_cases(settings(voc, AEROPLANE), voc, "train")[0].load()
    orientation = Orientation.of(volume.ijk_to_ras)
    assert orientation.axes == (0, 1, 2)
    assert not any(orientation.flips)


def test_voc_gives_gray_or_three_channels(voc: Path, settings) -> None:
    from PIL import Image

    gray, _ = find_cases(settings(voc, AEROPLANE), voc, "train")[0].load_channels()
    case = find_cases(settings(voc, {**AEROPLANE, "color": "rgb"}), voc, "train")[0]
    colors, _ = case.load_channels()
    pixels = np.asarray(Image.open(case.image)).astype(float)
    assert len(gray) == 1
    np.testing.assert_array_equal([c.array[0] for c in colors], pixels.transpose(2, 0, 1))
    weights = (0.299, 0.587, 0.114)  # ITU-R 601
    np.testing.assert_allclose(gray[0].array[0], pixels @ weights, atol=1)


def test_a_list_of_color_pictures_gives_three_channels(voc: Path, settings) -> None:
    (voc / "VOC2012/cases.csv").write_text(
        "image,label,use\nJPEGImages/2007_0.jpg,SegmentationClassAug/2007_0.png,train\n"
        "JPEGImages/2007_1.jpg,SegmentationClassAug/2007_1.png,val\n"
    )
    listed = {"layout": "csv", "dataset": "planes", "folder": "VOC2012", "target_labels": [1]}
    from_voc = find_cases(settings(voc, {**AEROPLANE, "color": "rgb"}), voc, "train")[0]
    data = settings(voc, {**listed, "color": "rgb"})
    (case,) = find_cases(data, voc, "train")
    channels, mask = case.load_channels()
    assert data.channels == len(channels) == 3
    np.testing.assert_array_equal(mask, from_voc.load()[1])
    for own, other in zip(channels, from_voc.read_channels(), strict=True):
        np.testing.assert_array_equal(own.array, other.array)


def test_voc_adds_photographs_without_the_class(voc: Path, settings) -> None:
    data = settings(voc, {**AEROPLANE, "others": 0.5})
    train = find_cases(data, voc, "train")
    assert [c.name for c in train] == ["2007_0", "2007_1", "2007_2"]
    assert not train[2].load()[1].any()


def test_a_photograph_of_both_lists_is_validated_with(voc: Path, settings) -> None:
    (voc / "VOC2012" / "ImageSets" / "Segmentation" / "val.txt").write_text("2007_1\n")
    data = settings(voc, AEROPLANE)
    assert [c.name for c in find_cases(data, voc, "train")] == ["2007_0"]
    assert [c.name for c in find_cases(data, voc, "val")] == ["2007_1"]


def test_bad_photographs_are_explained(voc: Path, settings) -> None:
    from PIL import Image

    with pytest.raises(InputError, match="'airplane'; did you mean 'aeroplane'"):
        settings(voc, {**AEROPLANE, "classes": ["airplane"]})
    with pytest.raises(InputError, match="classes is empty"):
        settings(voc, {**AEROPLANE, "classes": []})
    folder = voc / "VOC2012"
    (voc / "text.png").write_text("no picture")
    for path in (voc / "text.png", folder / "JPEGImages"):
        with pytest.raises(InputError, match=r"(can't be read as JPEG or PNG|does not exist)"):
            read_photograph(path, "gray")
    with pytest.raises(InputError, match="holds colors"):
        read_label_picture(folder / "JPEGImages" / "2007_0.jpg")
    Image.new("L", (9, 9), 1).save(folder / "SegmentationClassAug" / "2007_0.png")
    case = find_cases(settings(voc, AEROPLANE), voc, "train")[0]
    with pytest.raises(InputError, match=r"has the shape \(9, 9\), but .* has \(20, 30\)"):
        case.load()


@pytest.fixture
def whole(tmp_path: Path, write_pair: Callable[..., None]) -> LabeledCase:
    write_pair(tmp_path / "i.nii.gz", tmp_path / "l.nii.gz")
    image, label = tmp_path / "i.nii.gz", tmp_path / "l.nii.gz"
    return LabeledCase("d", "whole", image, label, patient="p", use="train")


def test_slices_lie_where_they_lay(whole: LabeledCase) -> None:
    volume, mask = whole.load()
    slices = slices_of(whole, SliceSettings(without_target=0))
    assert [entry.name for entry in slices] == [f"whole slice {k}" for k in (1, 2, 3)]
    for k, entry in zip((1, 2, 3), slices, strict=True):
        assert (entry.patient, entry.use) == ("p", "train")
        cut, cut_mask = entry.load()
        np.testing.assert_array_equal(cut.array[0], volume.array[k])
        np.testing.assert_array_equal(cut_mask[0], mask[k])
        np.testing.assert_allclose(
            cut.ijk_to_ras @ [2, 3, 0, 1], volume.ijk_to_ras @ [2, 3, k, 1], atol=1e-9
        )


def test_slices_are_cut_where_2d_networks_look(tmp_path: Path) -> None:
    """A sagittal volume of thin slices is seen axially: its slices lie along another array axis."""
    array = np.random.default_rng(0).normal(100, 5, (12, 14, 16)).astype(np.float32)
    sagittal = np.eye(4)
    sagittal[:3, :3] = np.array(
        [[0, 0, 1], [1, 0, 0], [0, -1, 0]]
    )  # i anterior, j inferior, k right
    volume = Volume(array, ijk_to_ras=sagittal)
    labels = np.zeros(array.shape, dtype=np.uint8)
    labels[3:9, 5, 4:9] = 1
    volume.write_map(tmp_path / "i.nii.gz", array)
    volume.write_labels(tmp_path / "l.nii.gz", labels)
    case = LabeledCase("d", "x", tmp_path / "i.nii.gz", tmp_path / "l.nii.gz")
    (cut,) = slices_of(case, SliceSettings(without_target=0))
    image, mask = cut.load()
    assert image.shape == (12, 1, 16)
    turned = Orientation.of(image.ijk_to_ras).apply(mask)
    assert turned.shape[0] == 1
    assert np.count_nonzero(turned) == 30


def test_slices_are_thinned_and_empty_ones_added(whole: LabeledCase) -> None:
    some = slices_of(whole, SliceSettings(every=2, without_target=0.5))
    assert [(entry.index, entry.may_be_empty) for entry in some] == [
        (1, False),
        (3, False),
        (4, True),
    ]
    assert not some[2].load()[1].any()
    assert slices_of(whole, SliceSettings(least_voxels=31)) == []


def test_slices_of_a_patient_stay_on_one_side(pairs: Path, settings) -> None:
    source = {
        "layout": "folders",
        "dataset": "heads",
        "patient": r"p\d",
        "slices": {"without_target": 0},
    }
    data = settings(pairs, source)
    train, val = (find_cases(data, pairs, use) for use in ("train", "val"))
    assert (len(train), len(val)) == (12, 6)
    assert not {entry.patient for entry in train} & {entry.patient for entry in val}


def test_slices_keep_the_chosen_labels(pairs: Path, settings, lesion: np.ndarray) -> None:
    source = {
        "layout": "folders",
        "dataset": "heads",
        "target_labels": [2],
        "slices": {"without_target": 0},
    }
    cases = find_cases(settings(pairs, source), pairs, "val")
    assert len(cases) == 1
    np.testing.assert_array_equal(cases[0].load()[1][0], lesion[3] == 2)


def test_some_out_of_many() -> None:
    assert evenly("abc", 5) == ["a", "b", "c"]
    assert evenly(range(10), 2) == [2, 7]
    assert evenly(range(10), 0) == []
