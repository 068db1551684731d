"""Marks that simulated users make while the network for any structure learns."""

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.training.any_structure.drawn import random_box, random_outline
from DeepIGeoSLib.training.any_structure.samples import pointed_at
from DeepIGeoSLib.users.corruption import nearly_right

SHAPE = (12, 60, 60)


def two_parts():
    target = np.zeros(SHAPE, dtype=bool)
    target[2:4, 5:15, 5:15] = True
    target[3:5, 22:30, 20:33] = True
    return target


@pytest.mark.parametrize("seed", range(20))
def test_a_box_holds_the_target_and_is_about_as_large(seed):
    target = two_parts()
    box = random_box(target, np.random.default_rng(seed))
    assert target[box].sum() == target.sum()
    for part, (low, high) in zip(box, ((2, 5), (5, 30), (5, 33)), strict=True):
        room = 0.25 * (high - low) + 2
        assert low - room <= part.start <= low
        assert high <= part.stop <= high + room


def test_a_box_that_would_fill_the_window_is_not_drawn():
    target = np.zeros(SHAPE, dtype=bool)
    target[0, 0, 0] = target[-1, -1, -1] = True
    assert random_box(target, np.random.default_rng(0)) is None


@pytest.mark.parametrize("seed", range(20))
def test_an_outline_is_an_area_of_the_target_in_one_slice(seed):
    target = two_parts()
    outline = random_outline(target, np.random.default_rng(seed))
    (number,) = np.flatnonzero(outline.any(axis=(1, 2)))
    drawn, area = outline[number], target[number]
    assert not (drawn & ~ndimage.binary_dilation(area)).any()
    numbered, _ = ndimage.label(area)
    outlined = np.isin(numbered, np.unique(numbered[drawn & area])) & area
    assert (drawn & outlined).sum() >= 0.8 * outlined.sum()


def test_the_whole_mistake_under_a_stroke_is_pointed_at_and_no_other():
    target = two_parts()
    mask = target.astype(np.float32)
    mask[2:4, 5:15, 5:8] = 0  # missing, marked
    mask[3:5, 28:30, 20:33] = 0  # missing, not marked
    new = np.zeros(SHAPE, dtype=bool)
    new[3, 9, 6] = True
    mask[new] = 1
    none = np.zeros(SHAPE, dtype=bool)
    expected = np.zeros(SHAPE, dtype=bool)
    expected[2:4, 5:15, 5:8] = True
    np.testing.assert_array_equal(pointed_at(mask, target, Strokes(new, none, new, none)), expected)


@pytest.mark.parametrize("seed", range(8))
def test_a_mask_that_is_nearly_right_is_wrong_at_the_border_alone(seed):
    target = np.zeros((12, 60, 70), dtype=bool)
    target[3:9, 18:42, 20:50] = True
    wrong = nearly_right(target, (2.0, 1.0, 1.0), np.random.default_rng(seed))
    both = np.count_nonzero(wrong & target)
    dice = 2 * both / (np.count_nonzero(wrong) + np.count_nonzero(target))
    assert 0.5 < dice < 1
    inside = ndimage.distance_transform_edt(target, (2.0, 1.0, 1.0))
    outside = ndimage.distance_transform_edt(~target, (2.0, 1.0, 1.0))
    thickness = inside.max()
    assert (inside + outside)[wrong != target].max() <= thickness + 3
