"""Voxels that nobody has judged are neither target nor background."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.targets import IGNORED, Target, check_targets

PAIRS = {"layout": "folders", "dataset": "heads", "image": "{case}.nrrd", "label": "{case}-l.nrrd"}


@pytest.fixture
def pairs(tmp_path: Path, write_pair: Callable[..., None], lesion: np.ndarray) -> Path:
    """Five cases whose labels are 1, 2 and, in their first slice, 9."""
    labels = lesion.copy()
    labels[0] = 9
    for number in range(5):
        image, label = (tmp_path / "heads" / f"{number}{end}.nrrd" for end in ("", "-l"))
        write_pair(image, label, seed=number, labels=labels)
    return tmp_path


def test_the_border_of_voc_is_left_out(voc: Path, settings) -> None:
    source = {"layout": "voc", "dataset": "VOC2012", "classes": ["aeroplane"]}
    case = find_cases(settings(voc, source), voc, "train")[0]
    channels, classes = case.load_classes()
    expected = np.zeros((1, 20, 30), dtype=np.uint8)
    expected[0, 5:10, 5:12] = 1
    expected[0, 4, 5:12] = IGNORED
    np.testing.assert_array_equal(classes, expected)
    np.testing.assert_array_equal(case.read_ignored(channels[0]), expected == IGNORED)
    counted = find_cases(settings(voc, {**source, "ignored_labels": []}), voc, "train")[0]
    assert counted.read_ignored(channels[0]) is None
    np.testing.assert_array_equal(counted.load_classes()[1], expected == 1)


def test_any_layout_may_ignore_labels(pairs: Path, settings) -> None:
    for labels, target in (((), 1 * 5 * 6 + 2 * 5 * 6), ((1,), 2 * 5 * 6)):
        source = {**PAIRS, "ignored_labels": [9], "target_labels": list(labels)}
        case = find_cases(settings(pairs, source), pairs, "train")[0]
        channels, mask = case.load_channels()
        _, classes = case.load_classes()
        assert mask.sum() == target
        assert not mask[0].any()
        assert (classes[0] == IGNORED).all()
        np.testing.assert_array_equal(classes[1:], mask[1:])
        np.testing.assert_array_equal(case.read_ignored(channels[0]), classes == IGNORED)


def test_several_targets_ignore_the_same_labels(pairs: Path, settings) -> None:
    targets = [{"name": "low", "labels": [1]}, {"name": "high", "labels": [2]}]
    data = settings(pairs, {**PAIRS, "ignored_labels": [9]}, targets=targets)
    case = find_cases(data, pairs, "train")[0]
    channels, classes = case.load_classes()
    assert np.unique(classes).tolist() == [0, 1, 2, IGNORED]
    for part, number in zip(case.for_each_target(), (1, 2), strict=True):
        np.testing.assert_array_equal(part.load_channels()[1], classes == number)
        np.testing.assert_array_equal(part.read_ignored(channels[0]), classes == IGNORED)


def test_slices_know_what_is_ignored_and_it_is_no_target(pairs: Path, settings) -> None:
    slices = {"least_voxels": 1, "without_target": 10.0}
    data = settings(pairs, {**PAIRS, "ignored_labels": [9], "slices": slices})
    found = find_cases(data, pairs, "train")[:5]
    for number, case in enumerate(found):
        channels, mask = case.load_channels()
        ignored = case.read_ignored(channels[0])
        assert mask.any() == (number in (1, 2, 3))
        assert ignored.all() if number == 0 else not ignored.any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ignored_labels": [9, 2], "target_labels": [2]}, "ignored_labels holds 2"),
        ({"ignored_labels": [0]}, "ignored_labels holds 0"),
        ({"ignored_labels": [9], "segments": ["tumor"]}, "segments have none"),
    ],
)
def test_ignored_labels_that_mean_something_else_are_refused(
    tmp_path: Path, settings, changes: dict, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        settings(tmp_path, {**PAIRS, **changes})


def test_a_target_of_ignored_labels_is_refused(tmp_path: Path, settings) -> None:
    targets = [{"name": "low", "labels": [1]}, {"name": "rim", "labels": [9]}]
    with pytest.raises(InputError, match="label 9, which belongs to the target 'rim'"):
        settings(tmp_path, {**PAIRS, "ignored_labels": [9]}, targets=targets)


def test_no_class_has_the_number_of_what_is_ignored() -> None:
    targets = [Target(str(number), (number,)) for number in range(1, IGNORED)]
    check_targets(targets)
    with pytest.raises(InputError, match="254 are possible"):
        check_targets([*targets, Target("one more", (IGNORED,))])
