"""Outlines: a closed stroke in a slice counts as its area."""

from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib.interaction.outlines import outlined

REAL = Path(__file__).parents[4] / "shared/data/real_scribbles/medscribble.npz"
ROWS, COLUMNS = np.ogrid[:64, :64]
AWAY = np.hypot(ROWS - 32, COLUMNS - 32)
RING, DISK = (AWAY >= 18) & (AWAY <= 21), AWAY <= 21
ANGLE = np.degrees(np.arctan2(ROWS - 32, COLUMNS - 32))


def in_slice(area, axis, number=3):
    strokes = np.zeros((8, 64, 64), dtype=bool)
    strokes[number] = area
    return np.moveaxis(strokes, 0, axis)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_circle_counts_as_its_disk_on_every_axis(axis):
    assert np.array_equal(outlined(in_slice(RING, axis)), in_slice(DISK, axis))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_line_stays_a_line(axis):
    line = np.zeros((64, 64), dtype=bool)
    line[30:33, 10:50] = True
    strokes = in_slice(line, axis)

    assert np.array_equal(outlined(strokes), strokes)


def test_ends_need_only_nearly_meet():
    """The gap is a straight line across 40 degrees of the circle: 13 of 128 pixels."""
    area = outlined(in_slice(RING & (np.abs(ANGLE) > 20), 0))[3]

    assert not (area & ~DISK).any()
    assert area[32, 32]
    assert np.count_nonzero(area) > 0.9 * np.count_nonzero(DISK)


def test_an_open_arc_stays_a_line():
    arc = in_slice(RING & (np.abs(ANGLE) > 60), 0)

    assert np.array_equal(outlined(arc), arc)


def test_what_overshoots_where_an_outline_closes_stays_as_it_was_drawn():
    tail = np.zeros((64, 64), dtype=bool)
    tail[4:14, 31:34] = True  # from the circle's top outwards

    assert np.array_equal(outlined(in_slice(RING | tail, 0))[3], DISK | tail)


def test_a_scribble_that_crosses_itself_encloses_less_than_it_covers():
    scribble = np.zeros((64, 64), dtype=bool)
    scribble[10:14, 10:40] = scribble[18:22, 10:40] = True
    scribble[10:22, 10:14] = scribble[10:22, 36:40] = True
    strokes = in_slice(scribble, 0)

    assert np.array_equal(outlined(strokes), strokes)


def test_outlines_in_neighboring_slices_are_areas_in_each_of_them():
    strokes = in_slice(RING, 0) | in_slice(RING, 0, 4)

    assert np.array_equal(outlined(strokes), in_slice(DISK, 0) | in_slice(DISK, 0, 4))


def test_a_ring_along_a_wall_stays_a_ring_where_the_image_is_given():
    wall = np.broadcast_to(np.where((AWAY > 16) & (AWAY < 23), 1.0, 0.0), (8, 64, 64))
    lesion = np.broadcast_to(np.where(AWAY < 20, 1.0, 0.0), (8, 64, 64))
    ring = in_slice(RING, 0)

    assert np.array_equal(outlined(ring, wall), ring)
    assert np.array_equal(outlined(ring, lesion), in_slice(DISK, 0))  # the border runs through it


def test_no_stroke_and_constant_images_are_no_trouble():
    nothing = np.zeros((3, 8, 8), dtype=bool)
    assert not outlined(nothing).any()

    flat = np.zeros((8, 64, 64))
    assert np.array_equal(outlined(in_slice(RING, 0), flat), in_slice(DISK, 0))


@pytest.mark.skipif(not REAL.exists(), reason="the real scribbles are not here")
def test_closed_strokes_that_people_drew_enclose_what_they_meant():
    """Of 168 foreground markings 14 hold an outline, and 11 of those lie in what was to be marked.

    The others were drawn beside the target altogether, or around vessels.
    """
    data = np.load(REAL)
    names = sorted({name.split("|")[0] for name in data.files})
    shares = []
    for name in names:
        image, target = data[f"{name}|img"][np.newaxis], data[f"{name}|seg"] > 0
        for marks in data[f"{name}|scribbles"][:, 0] > 0:
            added = outlined(marks[np.newaxis], image.astype(np.float32))[0] & ~marks
            if added.any():
                shares.append((added & target).sum() / added.sum())
    assert len(shares) == 14
    assert sum(share > 0.95 for share in shares) == 11
