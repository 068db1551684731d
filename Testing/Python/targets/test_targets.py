"""From exclusive classes to targets: names, unions, probabilities, labelmaps."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.data.targets import ClassMarks, TargetSettings, exclusive_classes
from DeepIGeoSLib.targets import (
    Target,
    check_targets,
    class_count,
    colored,
    label_numbers,
    masks_of_labels,
    target_probabilities,
)

BRATS = (
    TargetSettings("whole tumor", (1, 2, 4)),
    TargetSettings("tumor core", (1, 4)),
    TargetSettings("enhancing tumor", (4,)),
)
HEART = tuple(TargetSettings(name, (n,)) for n, name in enumerate("abc", 1))


def test_targets_in_each_other_become_exclusive_classes() -> None:
    classes, targets = exclusive_classes(BRATS)
    assert classes == (ClassMarks((1,)), ClassMarks((2,)), ClassMarks((4,)))
    assert [t.classes for t in targets] == [(1, 2, 3), (1, 3), (3,)]
    assert class_count(targets) == 4
    check_targets(targets)


def test_labels_of_one_target_are_one_class_and_names_count_where_there_are_no_labels() -> None:
    settings = (
        TargetSettings("ventricles", (3, 7)),
        TargetSettings("aeroplane"),
        TargetSettings("animal", names=("cat", "dog")),
    )
    classes, targets = exclusive_classes(settings)
    assert classes == (
        ClassMarks((3, 7)),
        ClassMarks(names=("aeroplane",)),
        ClassMarks(names=("cat", "dog")),
    )
    assert [t.classes for t in targets] == [(1,), (2,), (3,)]


BAD = {
    "two of a name": ([Target("a", (1,)), Target("a", (2,))], "two targets are named 'a'"),
    "no name": ([Target(" ", (1,))], "empty name"),
    "no color": ([Target("a", (1,), (0, 0, 256))], "from 0 to 255"),
    "a gap": ([Target("a", (1,)), Target("b", (3,))], r"the classes \[1, 3\]"),
    "the background": ([Target("a", (0, 1))], r"the classes \[0, 1\]"),
    "no class": ([Target("a", (1,)), Target("b", ())], "at least one for each target"),
    "crossing": ([Target("a", (1, 2)), Target("b", (2, 3))], "'a' and 'b' share some"),
}


@pytest.mark.parametrize(("targets", "sentence"), BAD.values(), ids=BAD.keys())
def test_targets_that_can_t_be_are_refused(targets: list[Target], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        check_targets(targets)


def random_classes(count: int) -> np.ndarray:
    shares = np.random.default_rng(3).dirichlet(np.ones(count), (4, 9, 11)).astype(np.float32)
    return np.moveaxis(shares, -1, 0)


def test_targets_beside_each_other_are_where_their_class_is_the_largest() -> None:
    shares = random_classes(4)
    _, targets = exclusive_classes(HEART)
    found = target_probabilities(shares[1:], targets) >= 0.5
    largest = shares.argmax(axis=0)
    for number, mask in enumerate(found, 1):
        np.testing.assert_array_equal(mask, largest == number)
    assert found.sum(axis=0).max() == 1


def test_one_target_keeps_its_probability() -> None:
    shares = random_classes(2)
    (found,) = target_probabilities(shares[1:], [Target("one")])
    np.testing.assert_allclose(found, shares[1], atol=1e-6)


def test_a_target_in_another_is_never_outside_of_it() -> None:
    shares = random_classes(4)
    _, targets = exclusive_classes(BRATS)
    whole, inner, enhancing = target_probabilities(shares[1:], targets)
    np.testing.assert_allclose(whole, shares[1] + shares[2] + shares[3], atol=1e-6)
    np.testing.assert_allclose(inner, shares[1] + shares[3], atol=1e-6)
    assert not ((inner >= 0.5) & (whole < 0.5)).any()
    assert not ((enhancing >= 0.5) & (inner < 0.5)).any()


def test_a_target_with_rivals_in_a_larger_one_is_never_outside_of_it() -> None:
    targets = [Target("heart", (1, 2, 3)), *exclusive_classes(HEART)[1]]
    found = target_probabilities(random_classes(4)[1:], targets) >= 0.5
    assert not (found[1:].any(axis=0) & ~found[0]).any()
    assert found[1:].sum(axis=0).max() == 1


def test_a_tie_is_the_first_ones() -> None:
    shares = np.full((2, 1, 1, 1), 0.4, dtype=np.float32)
    found = target_probabilities(shares, [Target("a", (1,)), Target("b", (2,))])
    assert (found >= 0.5).ravel().tolist() == [True, False]


def test_nothing_is_certain_of_nothing() -> None:
    shares = np.zeros((2, 1, 1, 2), dtype=np.float32)
    shares[:, 0, 0, 0] = [1, 0]
    found = target_probabilities(shares, [Target("a", (1,)), Target("b", (2,))])
    np.testing.assert_array_equal(found[:, 0, 0], [[1, 0], [0, 0]])


def test_one_labelmap_holds_targets_in_each_other() -> None:
    _, targets = exclusive_classes(BRATS)
    whole = np.array([1, 1, 1, 0], dtype=bool)
    inner = np.array([0, 1, 1, 0], dtype=bool)
    enhancing = np.array([0, 0, 1, 0], dtype=bool)
    for order in ((0, 1, 2), (2, 0, 1)):
        masks = [(whole, inner, enhancing)[n] for n in order]
        some = [targets[n] for n in order]
        labels = label_numbers(masks, some)
        assert labels.tolist() == [1 + order.index(0), 1 + order.index(1), 1 + order.index(2), 0]
        for mask, read in zip(masks, masks_of_labels(labels, some), strict=True):
            np.testing.assert_array_equal(mask, read)


def test_every_target_gets_a_color_of_its_own() -> None:
    targets = colored([Target("a", (1,)), Target("b", (2,), (1, 2, 3)), Target("c", (3,))])
    colors = [target.color for target in targets]
    assert colors[1] == (1, 2, 3)
    assert len(set(colors)) == 3
