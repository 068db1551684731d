"""What the network for any structure sees, and what a round takes over of its answer."""

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib.any_structure.box_marks import PERHAPS, faces, in_box
from DeepIGeoSLib.any_structure.channels import CHANNELS, input_channels
from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.votes import votes_on
from DeepIGeoSLib.networks import roles

SHAPE = (6, 40, 40)


def strokes(foreground=(), background=(), new_foreground=None, new_background=None):
    masks = []
    for places in (
        foreground,
        background,
        foreground if new_foreground is None else new_foreground,
        background if new_background is None else new_background,
    ):
        mask = np.zeros(SHAPE, dtype=bool)
        for place in places:
            mask[place] = True
        masks.append(mask)
    return Strokes(*masks)


def channels_of(image, mask, strokes, spacing=(1, 1, 1)):
    cut_off = ((True, True),) * 3
    votes = votes_on(image, mask, strokes, spacing=spacing, zoom=1.0, cut_off=cut_off)
    return input_channels(image, mask, strokes, spacing=spacing, votes=votes)


@pytest.fixture
def image():
    image = np.random.default_rng(0).normal(100, 5, size=SHAPE).astype(np.float32)
    image[:, 10:25, 10:25] += 80
    return image


def test_there_are_as_many_channels_as_the_network_takes(image):
    channels = channels_of(image, np.zeros(SHAPE, np.float32), strokes(), (1, 1, 1))
    assert channels.shape == (len(CHANNELS), *SHAPE)
    assert len(CHANNELS) == roles.input_channels(roles.ANY_STRUCTURE, 1)
    assert channels.dtype == np.float32


def test_units_and_offsets_of_intensities_do_not_matter(image):
    marked = strokes(foreground=[(3, 15, 15)], background=[(3, 32, 32)])
    mask = np.zeros(SHAPE, np.float32)
    seen = channels_of(image, mask, marked, (2, 1, 1))
    other = channels_of(image * 40 - 1024, mask, marked, (2, 1, 1))
    np.testing.assert_allclose(other, seen, atol=2e-3)


def test_the_difference_from_the_strokes_is_zero_under_a_stroke(image):
    seen = channels_of(
        image, np.zeros(SHAPE, np.float32), strokes(foreground=[(3, 15, 15)]), (1, 1, 1)
    )
    assert seen[1, 3, 15, 15] == pytest.approx(0, abs=1e-6)
    assert seen[1, :, 28:, 28:].mean() < -0.5


def test_distances_are_zero_on_strokes_and_one_where_a_class_has_none(image):
    seen = channels_of(
        image, np.zeros(SHAPE, np.float32), strokes(foreground=[(3, 15, 15)]), (1, 1, 1)
    )
    assert (seen[3] == 1).all()
    assert seen[4, 3, 15, 15] == 0
    assert seen[4, 3, 15, 20] < seen[4, 3, 15, 30]


def test_the_regions_that_grow_from_new_strokes_are_seen(image):
    none = np.zeros(SHAPE, np.float32)
    added = channels_of(image, none, strokes(foreground=[(3, 15, 15)]))[6]
    inside = np.zeros(SHAPE, dtype=bool)
    inside[:, 10:25, 10:25] = True
    assert ((added >= 0.5) == inside).mean() > 0.97
    removed = channels_of(image, none + 1, strokes(background=[(3, 15, 15)]))[6]
    assert ((removed <= -0.5) == inside).mean() > 0.97
    old = strokes(foreground=[(3, 15, 15)], new_foreground=[])
    assert (channels_of(image, none, old)[6] == 0).all()


def test_only_the_strokes_of_the_round_are_newest(image):
    marked = strokes(
        foreground=[(3, 15, 15)],
        background=[(3, 30, 30)],
        new_foreground=[],
    )
    newest = channels_of(image, np.zeros(SHAPE, np.float32), marked, (1, 1, 1))[5]
    assert newest[3, 30, 30] == pytest.approx(-1, abs=0.02)
    assert abs(newest[3, 15, 15]) < 0.2


@pytest.mark.parametrize("value", [0, 7, -1000])
def test_constant_intensities_give_finite_channels(value):
    flat = np.full(SHAPE, value, dtype=np.float32)
    marked = strokes(foreground=[(3, 15, 15)])
    seen = channels_of(flat, np.zeros(SHAPE, np.float32), marked, (1, 1, 1))
    assert np.isfinite(seen).all()


def test_a_foreground_stroke_adds_what_hangs_together_with_it_and_nothing_else():
    before = np.zeros(SHAPE, np.float32)
    before[3, 30:35, 30:35] = 1
    answer = np.zeros(SHAPE, np.float32)
    answer[3, 5:10, 5:10] = 0.9  # holds the stroke
    answer[3, 20:24, 5:10] = 0.9  # an island
    after = merged(before, answer, strokes(foreground=[(3, 7, 7)]))
    expected = before.copy()
    expected[3, 5:10, 5:10] = 0.9
    expected[3, 7, 7] = 1
    np.testing.assert_array_equal(after, expected)


def test_a_background_stroke_removes_what_hangs_together_with_it_and_nothing_else():
    before = np.ones(SHAPE, np.float32)
    answer = np.ones(SHAPE, np.float32)
    answer[3, 5:10, 5:10] = 0.1
    answer[3, 20:24, 5:10] = 0.1
    after = merged(before, answer, strokes(background=[(3, 7, 7)]))
    expected = before.copy()
    expected[3, 5:10, 5:10] = np.float32(0.1)
    expected[3, 7, 7] = 0
    np.testing.assert_array_equal(after, expected)


def test_every_stroke_is_obeyed_whatever_the_network_says():
    before = np.full(SHAPE, 0.7, np.float32)
    answer = np.random.default_rng(2).random(SHAPE, dtype=np.float32)
    marked = strokes(foreground=[(1, 2, 2), (3, 7, 7)], background=[(3, 30, 30), (5, 1, 1)])
    after = merged(before, answer, marked)
    assert (after[marked.foreground] == 1).all()
    assert (after[marked.background] == 0).all()
    assert after is not before
    assert (before == np.float32(0.7)).all()


def test_a_box_lets_the_answer_count_in_all_of_it_and_nowhere_else():
    before = np.zeros(SHAPE, np.float32)
    before[3, 40:45, 40:45] = 1  # another lesion
    answer = np.zeros(SHAPE, np.float32)
    answer[3, 5:8, 5:8] = answer[3, 15:18, 15:18] = 0.9  # two parts, and a gap between them
    answer[5, 30:33, 30:33] = 0.9  # outside of the box
    box = (slice(2, 5), slice(4, 20), slice(4, 20))
    boxed = in_box(SHAPE, box)
    after = merged(np.where(boxed, np.float32(PERHAPS), before), answer, strokes(), boxed=boxed)
    expected = before.copy()
    expected[box] = answer[box]
    np.testing.assert_array_equal(after, expected)


def test_the_faces_of_a_box_are_the_layer_around_it():
    box = (slice(0, 2), slice(4, 7), slice(5, 8))
    shell = faces(SHAPE, box)
    distance = ndimage.distance_transform_cdt(~in_box(SHAPE, box), metric="chessboard")
    np.testing.assert_array_equal(shell, distance == 1)
