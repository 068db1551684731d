"""The robot user marks the middle of the largest mistake, never a right voxel, always the same."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.users.robot_user import RobotUser, robot_click, robot_disk, robot_stroke

SHAPE = (12, 40, 40)
SPACING = (3.0, 1.0, 1.0)
NOTHING = np.zeros(SHAPE, dtype=bool)


def ball(center: tuple[int, int, int], radius: float) -> np.ndarray:
    grid = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return sum((g - c) ** 2 for g, c in zip(grid, center, strict=True)) <= radius**2


def test_a_stroke_is_a_disk_in_the_middle_of_the_largest_mistake() -> None:
    stroke = robot_stroke(NOTHING, ball((6, 20, 20), 5))
    assert stroke.label == "foreground"
    expected = NOTHING.copy()
    expected[6] = ball((6, 20, 20), 3)[6]
    assert np.array_equal(stroke.mask, expected)


def test_a_stroke_stays_inside_the_mistake() -> None:
    truth = ball((6, 20, 20), 6)
    labels = truth | ball((6, 20, 27), 4)
    stroke = robot_stroke(labels, truth)
    assert stroke.label == "background"
    assert stroke.mask.any()
    assert (labels & ~truth)[stroke.mask].all()


def test_a_click_is_a_ball_in_the_middle_of_the_largest_mistake() -> None:
    truth = ball((6, 20, 20), 5) | ball((6, 5, 5), 3)
    click = robot_click(NOTHING, truth, (1, 1, 1))
    assert click.label == "foreground"
    assert np.array_equal(click.mask, ball((6, 20, 20), 1))
    assert np.argwhere(robot_click(NOTHING, truth, (1, 1, 1), radius=0).mask).tolist() == [
        [6, 20, 20]
    ]


def test_the_middle_of_a_click_is_measured_in_millimeters() -> None:
    # A bar of two slices: in voxels its middle line is nowhere deeper than its border. With slices
    # 9 mm thick the distance to the sides of the bar decides.
    truth = NOTHING.copy()
    truth[5:7, 10:21, 10:31] = True
    (place,) = np.argwhere(robot_click(NOTHING, truth, (9.0, 1.0, 1.0), radius=0).mask)
    assert place[0] in (5, 6)
    assert place[1] == 15
    assert 15 <= place[2] <= 25


def test_a_disk_is_flat_round_in_millimeters_and_in_the_deepest_place() -> None:
    # A ball beside a slice that is larger, but thin: the ball is deeper, and of the same region.
    truth = ball((6, 28, 20), 5)
    truth[8, 2:38, 2:38] = True
    spacing = (1.0, 0.5, 1.0)
    disk = robot_disk(NOTHING, truth, spacing, radius=2.0)
    assert disk.label == "foreground"
    places = np.argwhere(disk.mask)
    assert set(places[:, 0]) == {6}
    j, i = (places[:, axis] - places[:, axis].mean() for axis in (1, 2))
    assert np.hypot(0.5 * j, i).max() <= 2.0
    assert (np.ptp(places[:, 1]), np.ptp(places[:, 2])) == (8, 4)


def test_a_disk_stays_inside_the_mistake_and_is_a_voxel_at_least() -> None:
    truth = ball((6, 20, 20), 6)
    labels = truth | ball((6, 20, 27), 4)
    for spacing in (SPACING, (4.0, 8.0, 8.0)):
        disk = robot_disk(labels, truth, spacing)
        assert disk.label == "background"
        assert disk.mask.any()
        assert (labels & ~truth)[disk.mask].all()


@pytest.mark.parametrize("mark", [robot_disk, robot_click])
@pytest.mark.parametrize("slices", [1, 2])
def test_in_pictures_and_thin_regions_the_middle_of_the_slice_counts(mark, slices: int) -> None:
    truth = np.zeros((slices, 41, 41), dtype=bool)
    truth[:, 5:36, 5:36] = True
    places = np.argwhere(mark(truth & False, truth, (1.0, 1.0, 1.0), radius=0.0).mask)
    assert places[:, 1:].tolist() == [[20, 20]]


@pytest.mark.parametrize("mode", ["click", "disk"])
def test_in_pictures_another_user_rarely_marks_the_border(mode: str) -> None:
    truth = np.zeros((1, 41, 41), dtype=bool)
    truth[:, 5:36, 5:36] = True
    users = (RobotUser(mode, 0.0, seed) for seed in range(40))
    places = np.array([np.argwhere(u.mark(truth & False, truth, SPACING).mask)[0] for u in users])
    from_border = 16 - np.abs(places[:, 1:] - 20).max(axis=1)
    assert from_border.mean() > 7  # 5.5 if every place were as likely


def test_a_disk_is_no_wider_than_ten_voxels_where_millimeters_mean_nothing() -> None:
    truth = np.ones((1, 41, 41), dtype=bool)
    disk = robot_disk(truth & False, truth, (0.05, 0.005, 0.005))
    assert int(disk.mask.any(axis=(0, 1)).sum()) == 21


def test_nobody_marks_what_is_right() -> None:
    truth = ball((6, 20, 20), 6)
    for mode in ("stroke", "click", "disk"):
        for seed in (None, 7):
            assert RobotUser(mode, seed=seed).mark(truth, truth, SPACING) is None


@pytest.mark.parametrize("mode", ["stroke", "click", "disk"])
def test_the_robot_always_does_the_same(mode: str) -> None:
    truth, labels = ball((6, 18, 20), 7), ball((6, 22, 22), 7)
    first, again = (RobotUser(mode).mark(labels, truth, SPACING) for _ in range(2))
    assert np.array_equal(first.mask, again.mask)
    # Without a seed there is nothing to draw: the turn does not matter.
    assert np.array_equal(
        RobotUser(mode).mark(labels, truth, SPACING, turn=(3, 1)).mask, first.mask
    )


@pytest.mark.parametrize("mode", ["stroke", "click", "disk"])
@pytest.mark.parametrize("seed", range(10))
def test_another_user_marks_another_place_in_the_same_mistake(mode: str, seed: int) -> None:
    truth, labels = ball((6, 18, 20), 7), ball((6, 22, 22), 7)
    usual = RobotUser(mode).mark(labels, truth, SPACING)
    other, again = (
        RobotUser(mode, seed=seed).mark(labels, truth, SPACING, turn=(4, 2)) for _ in range(2)
    )
    assert np.array_equal(other.mask, again.mask)
    assert other.label == usual.label
    wanted = truth & ~labels if other.label == "foreground" else labels & ~truth
    assert other.mask.any()
    assert wanted[other.mask].all()


def test_seeds_and_turns_make_different_users() -> None:
    truth = ball((6, 20, 20), 6)
    marks = {
        RobotUser("click", seed=seed).mark(NOTHING, truth, SPACING, turn=(turn,)).mask.tobytes()
        for seed in range(3)
        for turn in range(3)
    }
    assert len(marks) >= 8


def test_usual_sizes() -> None:
    truth = ball((6, 20, 20), 6)
    stroke, click = (RobotUser(m).mark(NOTHING, truth, SPACING).mask for m in ("stroke", "click"))
    assert (int(stroke.sum()), int(click.sum())) == (29, 7)
    wide = RobotUser("stroke", radius=5).mark(NOTHING, truth, SPACING).mask
    assert wide.sum() == 81
