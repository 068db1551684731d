"""Every baseline solves its equations: brute force, direct solvers, known answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from DeepIGeoSLib import Volume, geodesic_distance
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.baselines import BASELINES, SeededBaseline
from DeepIGeoSLib.evaluation.baselines.geodesic_rule import nearest_class
from DeepIGeoSLib.evaluation.baselines.graph_cut import minimum_cut
from DeepIGeoSLib.evaluation.baselines.random_walk import _BETA, _LEAST, foreground_probability

UNEVEN = (3.0, 1.0, 0.7)


def place(shape: tuple[int, int, int], *voxel: int) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[voxel] = True
    return mask


@pytest.fixture
def halves() -> tuple[np.ndarray, np.ndarray]:
    """An image of two regions with a little noise, and where its bright region is."""
    bright = np.zeros((4, 10, 12), dtype=bool)
    bright[1:, 2:8, 5:] = True
    noise = np.random.default_rng(0).normal(0, 0.01, bright.shape)
    return (2.0 * bright + noise).astype(np.float32), bright


@pytest.fixture(params=BASELINES)
def solve(request: pytest.FixtureRequest) -> Callable:
    """The solver of each baseline that can run here."""
    if (reason := BASELINES[request.param].reason_against()) is not None:
        pytest.skip(reason)
    return BASELINES[request.param].solve


def test_a_seed_in_each_region_is_enough(solve: Callable, halves: tuple) -> None:
    image, bright = halves
    foreground, background = place(image.shape, 2, 5, 9), place(image.shape, 0, 0, 0)
    assert np.array_equal(solve(image, foreground, background, spacing=UNEVEN), bright)
    assert np.array_equal(solve(image, background, foreground, spacing=UNEVEN), ~bright)


def test_seeds_are_obeyed_against_all_intensities(solve: Callable, halves: tuple) -> None:
    image, _ = halves
    foreground = place(image.shape, 2, 5, 9) | place(image.shape, 0, 1, 1)
    background = place(image.shape, 0, 0, 0) | place(image.shape, 2, 4, 7)
    labels = solve(image, foreground, background, spacing=UNEVEN)
    assert labels.dtype == bool
    assert labels[foreground].all()
    assert not labels[background].any()


def test_a_single_slice_can_be_divided(solve: Callable, halves: tuple) -> None:
    image, bright = halves
    image, bright = image[2:3], bright[2:3]
    foreground, background = place(image.shape, 0, 5, 9), place(image.shape, 0, 0, 0)
    assert np.array_equal(solve(image, foreground, background, spacing=UNEVEN), bright)


def test_the_geodesic_rule_takes_the_smaller_of_two_maps() -> None:
    random = np.random.default_rng(1)
    image = random.normal(size=(5, 8, 9)).astype(np.float32)
    foreground = random.random(image.shape) > 0.98
    background = (random.random(image.shape) > 0.98) & ~foreground
    maps = [
        geodesic_distance(image, seeds, UNEVEN, weight=1.0) for seeds in (background, foreground)
    ]
    expected = np.stack(maps).argmin(axis=0) == 1  # the first of equals: the background
    assert expected.any()
    assert not expected.all()
    assert np.array_equal(nearest_class(image, foreground, background, spacing=UNEVEN), expected)


def test_what_is_as_near_to_both_classes_is_background() -> None:
    image = np.zeros((1, 4, 6), dtype=np.float32)
    image[..., 2:] = 1  # flat: no distance at all in here, whichever the seeds
    foreground, background = place(image.shape, 0, 1, 3), place(image.shape, 0, 2, 4)
    assert not nearest_class(image, foreground, background, spacing=UNEVEN).any()


def cost(labels: np.ndarray, ones: np.ndarray, zeros: np.ndarray, borders: list) -> int:
    total = int(np.where(labels, ones, zeros).sum())
    for axis, costs in enumerate(borders):
        total += int(costs[np.diff(labels.astype(int), axis=axis) != 0].sum())
    return total


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(2, 2, 3), (1, 3, 4)])
def test_no_labeling_is_cheaper_than_the_minimum_cut(shape: tuple, seed: int) -> None:
    random = np.random.default_rng(seed)
    ones, zeros = random.integers(0, 30, (2, *shape), dtype=np.int32)
    borders = []
    for axis in range(3):
        smaller = tuple(size - (axis == number) for number, size in enumerate(shape))
        borders.append(random.integers(0, 15, smaller, dtype=np.int32))
    every = (
        np.array(bits, dtype=bool).reshape(shape)
        for bits in itertools.product((0, 1), repeat=int(np.prod(shape)))
    )
    least = min(cost(labels, ones, zeros, borders) for labels in every)
    found = minimum_cut(ones, zeros, borders)
    assert cost(found, ones, zeros, borders) == least


def direct_probability(
    image: np.ndarray, foreground: np.ndarray, background: np.ndarray, spacing: tuple
) -> np.ndarray:
    """The equations of the random walk, written voxel by voxel and solved by elimination."""
    places = list(np.ndindex(image.shape))
    number = {place: index for index, place in enumerate(places)}
    matrix, right = np.zeros((len(places), len(places))), np.zeros(len(places))
    for here in places:
        row = number[here]
        if foreground[here] or background[here]:
            matrix[row, row], right[row] = 1, float(foreground[here])
            continue
        for axis, step in itertools.product(range(3), (-1, 1)):
            there = tuple(p + step * (a == axis) for a, p in enumerate(here))
            if there in number:
                like = np.exp(-_BETA * (float(image[here]) - float(image[there])) ** 2) + _LEAST
                conductance = like * (min(spacing) / spacing[axis]) ** 2
                matrix[row, row] += conductance
                matrix[row, number[there]] -= conductance
    return np.linalg.solve(matrix, right).reshape(image.shape)


@pytest.mark.parametrize("seed", range(3))
def test_the_random_walk_is_the_solution_of_its_equations(seed: int) -> None:
    random = np.random.default_rng(seed)
    image = random.normal(0, 0.05, (3, 6, 7)).astype(np.float32)
    foreground, background = place(image.shape, 1, 1, 2), place(image.shape, 2, 4, 5)
    foreground[0, 5, 0] = True
    found = foreground_probability(image, foreground, background, spacing=UNEVEN)
    expected = direct_probability(image, foreground, background, UNEVEN)
    assert np.ptp(expected) > 0.9
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_random_walk_along_a_line_without_contrast() -> None:
    # The gambler's ruin: the probability falls in a straight line from one end to the other.
    shape = (1, 1, 11)
    ends = place(shape, 0, 0, 0), place(shape, 0, 0, 10)
    found = foreground_probability(np.zeros(shape, dtype=np.float32), *ends, spacing=UNEVEN)
    np.testing.assert_allclose(found.ravel(), np.linspace(1, 0, 11), atol=2e-3)


class Spy:
    """A solver that calls everything foreground and remembers what it was shown."""

    def __call__(self, image, foreground, background, spacing) -> np.ndarray:
        self.image, self.foreground, self.background = image, foreground, background
        self.spacing = spacing
        return np.ones(image.shape, dtype=bool)


@pytest.fixture
def volume() -> Volume:
    array = np.random.default_rng(2).normal(100, 5, (9, 40, 30)).astype(np.float32)
    return Volume(array, spacing=(4.0, 1.0, 2.0))


def test_a_baseline_sees_a_box_around_the_marks_and_nothing_else(volume: Volume) -> None:
    spy = Spy()
    baseline = SeededBaseline("spy", spy, margin=8.0)
    baseline.set_volume([volume])
    assert not baseline.propose().any()
    foreground, background = place(volume.shape, 4, 20, 10), place(volume.shape, 4, 22, 10)
    labels = baseline.refine(foreground, background)
    # 8 mm around both marks: 2 slices, 8 rows, 4 columns.
    box = np.s_[2:7, 12:31, 6:15]
    assert spy.image.shape == (5, 19, 9)
    assert spy.spacing == (4.0, 1.0, 2.0)
    assert np.array_equal(spy.foreground, foreground[box])
    expected = np.ones((5, 19, 9), dtype=bool)  # the faces of the box are background ...
    expected[1:-1, 1:-1, 1:-1] = False
    expected[2, 10, 4] = True  # ... and so is the mark
    assert np.array_equal(spy.background, expected)
    inside = place(volume.shape, *box)
    assert np.array_equal(labels, inside & ~background)


def test_faces_of_the_volume_itself_are_not_background(volume: Volume) -> None:
    spy = Spy()
    baseline = SeededBaseline("spy", spy, margin=8.0)
    baseline.set_volume([volume])
    baseline.refine(place(volume.shape, 0, 39, 10), place(volume.shape, 1, 38, 10))
    expected = np.zeros(spy.image.shape, dtype=bool)
    expected[-1], expected[:, 0], expected[:, :, 0], expected[:, :, -1] = (True,) * 4
    expected |= spy.background & ~expected & place(expected.shape, 1, 8, 4)
    assert np.array_equal(spy.background, expected)


def test_a_box_of_the_whole_volume_ends_in_background_until_there_is_some(volume: Volume) -> None:
    spy = Spy()
    baseline = SeededBaseline("spy", spy, margin=1000.0)
    baseline.set_volume([volume])
    foreground, nothing = place(volume.shape, 4, 0, 10), np.zeros(volume.shape, dtype=bool)
    labels = baseline.refine(foreground, nothing)
    assert spy.background[0].all()
    assert not spy.background[1:-1, 1:-1, 1:-1].any()
    assert not (spy.background & spy.foreground).any()
    assert labels[foreground].all()
    baseline.refine(foreground, place(volume.shape, 4, 9, 9))
    assert spy.background.sum() == 1


def test_without_a_foreground_mark_there_is_nothing(volume: Volume) -> None:
    baseline = SeededBaseline("spy", Spy())
    baseline.set_volume([volume])
    nothing = np.zeros(volume.shape, dtype=bool)
    assert not baseline.refine(nothing, place(volume.shape, 4, 9, 9)).any()


def test_a_baseline_refuses_a_constant_volume() -> None:
    flat = Volume(np.full((4, 8, 8), 7, dtype=np.float32), spacing=(1, 1, 1), name="flat")
    with pytest.raises(InputError, match="constant"):
        SeededBaseline("spy", Spy()).set_volume([flat])


def test_growing_does_not_stop_one_voxel_before_the_border(running_slicer) -> None:
    from DeepIGeoSLib.scene.grow_cut import growFromSeeds

    image = np.zeros((3, 5, 6), dtype=np.float32)
    image[:, :, 3:] = 1
    foreground, background = place(image.shape, 0, 0, 5), place(image.shape, 2, 4, 0)
    labels = growFromSeeds(image, foreground, background, spacing=(1, 1, 1))
    assert np.array_equal(labels, image > 0)


def test_seed_locality_makes_growing_prefer_the_nearer_seed(running_slicer) -> None:
    from DeepIGeoSLib.scene.grow_cut import growFromSeeds

    image = np.zeros((1, 3, 12), dtype=np.float32)
    foreground, background = place(image.shape, 0, 1, 1), place(image.shape, 0, 1, 10)
    labels = growFromSeeds(image, foreground, background, spacing=(1, 1, 1), seedLocality=1.0)
    assert labels[0, :, :5].all()
    assert not labels[0, :, 7:].any()
