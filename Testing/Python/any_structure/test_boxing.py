"""A box around the target: what the network is told of it, and what it may change."""

import numpy as np
import pytest

from DeepIGeoSLib.any_structure.box_marks import PERHAPS
from DeepIGeoSLib.any_structure.boxing import answer_box, box_on
from DeepIGeoSLib.any_structure.channels import CHANNELS
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.zoom import Lattice
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

NONE = np.empty((0, 3), dtype=int)
MASK, BACKGROUND = CHANNELS.index("mask"), CHANNELS.index("distance from background")


def strokes(foreground=NONE, background=NONE):
    return StrokeVoxels(np.asarray(foreground), np.asarray(background), NONE, NONE)


def bright_ball(shape, middle, radius, spacing):
    grid = np.ogrid[tuple(slice(0, n) for n in shape)]
    away = sum(((g - m) * s) ** 2 for g, m, s in zip(grid, middle, spacing, strict=True))
    return (away <= radius**2).astype(np.float32)


def by_brightness(channels):
    """A network whose target is what is bright."""
    return (channels[0] > 0).astype(np.float32)


def nothing_yet(box):
    return np.zeros([part.stop - part.start for part in box], dtype=np.float32)


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 1.0, 1.0), (1.0, 1.0, 4.0)])
def test_a_box_no_larger_than_a_window_is_answered_to_the_voxel(spacing):
    image = bright_ball((30, 60, 60), (15, 30, 30), 9, spacing)
    box = (slice(5, 26), slice(18, 43), slice(18, 43))

    values = answer_box(
        image,
        spacing,
        nothing_yet,
        box=box,
        strokes=strokes(),
        pointed=strokes(),
        network=by_brightness,
    )

    assert np.array_equal(values >= 0.5, image[box] > 0)


def test_the_target_may_be_anywhere_in_the_box_and_nowhere_on_its_faces():
    seen = []

    def network(channels):
        seen.append(channels)
        return channels[MASK]

    image = bright_ball((20, 60, 60), (10, 30, 30), 6, (1, 1, 1))
    box = (slice(4, 17), slice(20, 40), slice(20, 41))
    lattice = Lattice.of(image.shape, (1, 1, 1))
    grid = lattice.grid_around(box)
    inside = box_on(grid, box)

    answer_box(
        image,
        (1, 1, 1),
        nothing_yet,
        box=box,
        strokes=strokes(),
        pointed=strokes(),
        network=network,
    )

    mask, background = seen[0][MASK], seen[0][BACKGROUND]
    assert np.all(mask[inside] == PERHAPS)
    assert np.count_nonzero(mask) == 13 * 20 * 21
    k, j, i = inside
    assert np.all(background[k.start - 1, j, i] == 0)
    assert np.all(background[k, j.stop, i] == 0)
    assert np.all(background[inside] > 0)


def test_strokes_in_a_box_are_obeyed():
    image = bright_ball((10, 40, 40), (5, 20, 20), 8, (1, 1, 1))
    box = (slice(0, 10), slice(10, 31), slice(10, 31))

    values = answer_box(
        image,
        (1, 1, 1),
        nothing_yet,
        box=box,
        strokes=strokes([[5, 11, 11]], [[5, 20, 20]]),
        pointed=strokes(),
        network=by_brightness,
    )

    assert values[5, 1, 1] == 1
    assert values[5, 10, 10] == 0


def pointed_at(box, place):
    shell = np.zeros((20, 60, 60), dtype=bool)
    shell[tuple(slice(part.start - 1, part.stop + 1) for part in box)] = True
    shell[box] = False
    return StrokeVoxels(np.array([place]), np.argwhere(shell), np.array([place]), NONE)


def test_of_several_answers_the_one_is_taken_that_fills_the_box():
    box, place = (slice(4, 17), slice(20, 40), slice(20, 41)), [10, 30, 30]
    image = bright_ball((20, 60, 60), place, 8, (1, 1, 1))
    asked = []

    def hesitant(channels):  # of the box it finds the middle alone, of a click all that is like it
        asked.append(bool((channels[MASK] == PERHAPS).any()))
        if asked[-1]:
            return bright_ball(channels[0].shape, np.array(channels[0].shape) // 2, 3, (1, 1, 1))
        return (channels[1] > -0.5).astype(np.float32)

    def answered(pointed):
        asked.clear()
        return answer_box(
            image,
            (1, 1, 1),
            nothing_yet,
            box=box,
            strokes=strokes([[10, 22, 22]], [[10, 30, 33]]),
            pointed=pointed,
            network=hesitant,
        )

    values = answered(pointed_at(box, place))
    assert asked == [True, False]
    assert (values.shape, values.dtype) == ((13, 20, 21), np.float32)
    wanted = image[box] == 1
    wanted[6, 2, 2], wanted[6, 10, 13] = True, False  # strokes
    assert np.count_nonzero((values >= 0.5) != wanted) <= 0.02 * wanted.sum()
    assert values[6, 2, 2] == 1
    assert values[6, 10, 13] == 0
    assert 0 < np.count_nonzero(answered(strokes()) >= 0.5) < 0.1 * wanted.sum()
    assert asked == [True]  # nothing points at the target


@pytest.mark.parametrize(
    "box",
    [
        (slice(0, 200), slice(0, 300), slice(0, 300)),
        (slice(90, 91), slice(100, 220), slice(100, 220)),
        (slice(7, 8), slice(9, 10), slice(11, 12)),
        (slice(0, 200), slice(10, 11), slice(0, 300)),
    ],
)
def test_a_window_holds_any_box_and_stays_small(box):
    lattice = Lattice.of((200, 300, 300), (1.0, 1.0, 1.0))

    grid = lattice.grid_around(box)

    assert np.prod(grid.shape) <= 300_000
    for part, whole in zip(box, grid.box, strict=True):
        assert whole.start <= part.start
        assert part.stop <= whole.stop
    assert all(part.stop - part.start >= 1 for part in box_on(grid, box))


def test_a_window_shows_what_is_around_a_box_and_three_quarters_of_it_are_the_box():
    lattice = Lattice.of((40, 400, 400), (1.0, 1.0, 1.0))
    box = (slice(10, 20), slice(100, 220), slice(150, 200))

    grid = lattice.grid_around(box)

    small = box_on(grid, box)
    assert small[1].stop - small[1].start == 60  # of 80 pixels
    assert small[0].start >= 1
    assert small[0].stop < grid.shape[0]


def test_a_box_thinner_than_a_working_voxel_keeps_one():
    grid = WorkingGrid((slice(0, 8), slice(0, 8), slice(0, 8)), (1, 2, 2), (8.0, 4.0, 4.0))

    assert box_on(grid, (slice(7, 8), slice(7, 8), slice(3, 4))) == (
        slice(0, 1),
        slice(1, 2),
        slice(1, 2),
    )
