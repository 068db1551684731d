"""Clicks become small strokes; boxes are looked into, and nothing changes beside them."""

import numpy as np
import pytest

from DeepIGeoSLib import InputError, InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.interaction.boxes import box_marks, checked_box
from DeepIGeoSLib.interaction.clicks import clicked
from DeepIGeoSLib.interaction.scribbles import Interactions

SHAPE = (20, 40, 40)
BOX = (slice(4, 17), slice(8, 32), slice(9, 31))

# Left-handed, and k runs from head to foot, i from left to right.
TURNED = np.array(
    [[0.0, 1.2, 0.0, 5.0], [0.0, 0.0, -2.0, 9.0], [1.1, 0.0, 0.0, -4.0], [0, 0, 0, 1]]
)


def two_balls():
    k, j, i = np.ogrid[:20, :40, :40]
    first = (k - 10) ** 2 + (j - 20) ** 2 + (i - 20) ** 2 <= 36
    second = (k - 10) ** 2 + (j - 36) ** 2 + (i - 36) ** 2 <= 9
    return first, second


@pytest.fixture(params=[np.eye(4), TURNED], ids=["straight", "turned"])
def session(request):
    first, second = two_balls()
    noise = np.random.default_rng(0).normal(0, 0.3, SHAPE)
    image = (100 * (first | second) + noise).astype(np.float32)
    session = InteractiveSession(load_bundle("geodesic"))
    session.set_volume(Volume(image, ijk_to_ras=request.param))
    return session


def test_a_click_is_a_disk_of_two_pixels_where_slices_are_thick():
    strokes = clicked(SHAPE, (5.0, 1.0, 1.0), [(3, 10, 12)])

    assert strokes.sum() == 13
    assert strokes[3, 8, 12]
    assert strokes[3, 10, 14]
    assert not strokes[4].any()


def test_a_click_is_a_ball_of_two_voxels_where_voxels_are_cubes():
    assert clicked(SHAPE, (0.7, 0.7, 0.7), [(3, 10, 12)]).sum() == 33


def test_clicks_at_the_border_stay_in_the_volume():
    assert clicked(SHAPE, (5.0, 1.0, 1.0), [(0, 0, 0), (19, 39, 39)]).sum() == 12


def test_a_click_into_a_single_slice_does_not_ask_how_thick_it_is():
    assert clicked((1, 40, 40), (0.1, 1.0, 1.0), [(0, 20, 20)]).sum() == 13


def test_a_click_beside_the_volume_is_named():
    with pytest.raises(InputError, match=r"\(20, 0, 0\) is not in the volume"):
        clicked(SHAPE, (1, 1, 1), [(20, 0, 0)])


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((slice(-5, 99), slice(-1, 41), slice(None)), (slice(0, 20), slice(0, 40), slice(0, 40))),
        ((slice(3, 4), slice(5, 6), slice(39, 60)), (slice(3, 4), slice(5, 6), slice(39, 40))),
    ],
)
def test_a_box_counts_as_far_as_it_lies_in_the_volume(box, inside):
    assert checked_box(box, SHAPE) == inside


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((slice(3, 3), slice(0, 9), slice(0, 9)), "holds no voxel"),
        ((slice(9, 3), slice(0, 9), slice(0, 9)), "holds no voxel"),
        ((slice(20, 30), slice(0, 9), slice(0, 9)), "outside of the volume"),
        ((slice(-9, 0), slice(0, 9), slice(0, 9)), "outside of the volume"),
    ],
)
def test_a_box_without_voxels_is_named_and_changes_nothing(session, box, words):
    with pytest.raises(InputError, match=words):
        session.refine(box=box)

    assert session.current is None


def test_a_box_stands_for_background_around_it_and_a_click_into_its_middle():
    none = Interactions(SHAPE)

    foreground, background = box_marks(
        none, BOX, before=np.zeros((13, 24, 22)), spacing=(1, 1, 1)
    ).given_masks()

    assert foreground.sum() == 33
    assert foreground[10, 19, 19]
    assert background.sum() == 15 * 26 * 24 - 13 * 24 * 22
    assert not background[BOX].any()


def test_what_is_in_a_box_already_says_where_the_target_is():
    before = np.zeros((13, 24, 22), dtype=np.float32)
    before[2:10, 2:10, 2:10] = 1

    foreground, _ = box_marks(
        Interactions(SHAPE), BOX, before=before, spacing=(1, 1, 1)
    ).given_masks()

    assert foreground[9, 13, 14]


def test_a_box_without_model_finds_what_differs_from_its_faces(session):
    first, _ = two_balls()

    result = session.refine(box=BOX)

    found = result.labels > 0
    assert 2 * (found & first).sum() / (found.sum() + first.sum()) > 0.9
    found[BOX] = False
    assert not found.any()
    foreground, background = session.scribbles
    assert not foreground.any()
    assert not background.any()


def test_a_box_is_one_round_and_leaves_what_lies_beside_it(session):
    _, second = two_balls()
    mask = second.copy()
    mask[10, 8:10, 9:11] = True
    session.refine(initial=mask)

    after = session.refine(box=BOX)

    assert np.array_equal(after.labels[:, 33:] > 0, second[:, 33:])
    assert after.labels[10, 20, 20] == 1
    assert np.array_equal(session.undo().labels > 0, mask)
    assert np.array_equal(session.redo().labels, after.labels)


def test_strokes_and_a_box_in_one_round(session):
    foreground, background = np.zeros((2, *SHAPE), dtype=bool)
    foreground[10, 20, 18:23] = True
    background[10, 26, 20] = True  # at the border of the ball

    result = session.refine(foreground, background, box=BOX)

    assert result.labels[foreground].all()
    assert not result.labels[background].any()
    assert not session.undo().labels.any()


def test_a_box_changes_only_what_may_change(session):
    region = (slice(0, 20), slice(0, 20), slice(0, 40))
    editable = np.ones(SHAPE, dtype=bool)
    editable[:10] = False

    pinned = session.refine(box=BOX, region=region)
    assert not pinned.labels[:, 20:].any()

    with pytest.raises(InputError, match="outside of the region"):
        session.refine(box=(slice(0, 5), slice(30, 35), slice(0, 5)), region=region)

    session.reset()
    assert not session.refine(box=BOX, editable=editable).labels[:10].any()


def test_a_box_of_one_voxel_has_an_answer(session):
    result = session.refine(box=(slice(10, 11), slice(20, 21), slice(20, 21)))

    assert result.labels.sum() == result.labels[10, 20, 20]
