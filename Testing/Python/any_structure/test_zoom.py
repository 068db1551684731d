"""Windows that follow the object."""

import numpy as np
import pytest

from DeepIGeoSLib.any_structure.refining import answer_strokes
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.zoom import Lattice, coarsest_first

MM = (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("spacing", "shape", "axes"),
    [
        ((1, 1, 1), (90, 90, 90), (0, 1, 2)),
        ((1, 1, 5), (90, 90, 20), (2, 0, 1)),
        ((1, 4, 1), (90, 20, 90), (1, 0, 2)),
        ((1, 1.2, 1), (90, 90, 90), (0, 1, 2)),
        ((1, 1, 1), (200, 200, 1), (2, 0, 1)),
    ],
)
def test_slices_come_first(spacing, shape, axes):
    assert coarsest_first(spacing, shape) == axes


def test_zooms_reach_from_the_own_pixels_to_the_whole_volume():
    lattice = Lattice.of((300, 512, 512), MM)
    around = tuple(slice(100, 105) for _ in range(3))
    zooms = lattice.zooms(around)
    assert zooms[0] == 1
    grid = lattice.grid(around, zooms[-1])
    assert [part.stop - part.start for part in grid.box][1:] == [512, 512]
    for zoom in zooms:
        assert np.prod(lattice.grid(around, zoom).shape) <= 1.1 * np.prod(lattice.window)


def test_a_long_stroke_begins_with_a_window_that_holds_it():
    lattice = Lattice.of((40, 512, 512), MM)
    around = (slice(20, 21), slice(10, 300), slice(50, 60))
    for zoom in lattice.zooms(around):
        box = lattice.grid(around, zoom).box
        assert all(
            own.start <= part.start and part.stop <= own.stop
            for own, part in zip(box, around, strict=True)
        )


def strokes_at(place, shape):
    foreground = np.zeros(shape, dtype=bool)
    foreground[place] = True
    none = np.zeros(shape, dtype=bool)

    return StrokeVoxels.of_masks(Strokes(foreground, none, foreground, none))


@pytest.mark.parametrize("spacing", [MM, (5.0, 1.0, 1.0), (1.0, 1.0, 5.0)])
def test_a_large_object_is_found_where_only_the_coarse_answer_is_sure(spacing):
    """A network that knows the object, but is in doubt wherever it can't see all of it."""
    shape = (60, 200, 200) if spacing[2] == 1 else (200, 200, 60)
    truth = np.zeros(shape, dtype=np.float32)
    truth[10:-10, 30:-30, 30:-30] = 1
    if spacing[2] > 1:
        truth = np.zeros(shape, dtype=np.float32)
        truth[30:-30, 30:-30, 10:-10] = 1
    place = tuple(n // 2 for n in shape)
    strokes = strokes_at(place, shape)

    def network(channels):
        target = (channels[0] > 0).astype(np.float32)
        seen_whole = not any(
            np.take(target, side, axis).any() for axis in range(3) for side in (0, -1)
        )
        return np.where(target > 0, 0.99 if seen_whole else 0.7, 0.01).astype(np.float32)

    nothing = np.zeros(shape, dtype=np.float32)
    box, values = answer_strokes(
        truth * 50, spacing, lambda b: nothing[b], strokes=strokes, network=network
    )
    found = np.zeros(shape, dtype=bool)
    found[box] = values >= 0.5
    overlap = 2 * (found & (truth > 0)).sum() / (found.sum() + (truth > 0).sum())
    assert overlap > 0.93
    assert found[place]


def test_what_a_round_does_not_change_is_the_same_to_the_bit():
    shape = (30, 200, 200)
    random = np.random.default_rng(0)
    before = random.random(shape, dtype=np.float32)
    before[before > 0.45] *= 0.5
    strokes = strokes_at((15, 100, 100), shape)

    def network(channels):
        answer = np.zeros(channels.shape[1:], dtype=np.float32)
        near = channels[5] > 0.6
        answer[near] = 0.95
        return answer

    image = random.normal(size=shape).astype(np.float32)
    box, values = answer_strokes(image, MM, lambda b: before[b], strokes=strokes, network=network)
    changed = (values >= 0.5) != (before[box] >= 0.5)
    assert changed.any()
    np.testing.assert_array_equal(values[~changed], before[box][~changed])


def test_a_pinned_region_is_all_that_changes():
    shape = (30, 120, 120)
    strokes = strokes_at((15, 60, 60), shape)
    region = (slice(10, 20), slice(50, 75), slice(55, 70))
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    nothing = np.zeros(shape, dtype=np.float32)
    box, values = answer_strokes(
        image,
        MM,
        lambda b: nothing[b],
        strokes=strokes,
        network=lambda channels: np.ones(channels.shape[1:], dtype=np.float32),
        region=region,
    )
    assert box == region
    assert (values >= 0.5).all()


def test_a_background_stroke_leaves_what_is_nearer_to_foreground_strokes():
    """However much of the object the network would give up at once."""
    shape = (6, 80, 80)
    before = np.zeros(shape, dtype=np.float32)
    before[:, 10:70, 10:70] = 1
    none = np.zeros(shape, dtype=bool)
    foreground, background = none.copy(), none.copy()
    foreground[3, 40, 20], background[3, 40, 65] = True, True

    strokes = StrokeVoxels.of_masks(Strokes(foreground, background, none, background))
    box, values = answer_strokes(
        np.ones(shape, dtype=np.float32),
        MM,
        lambda b: before[b],
        strokes=strokes,
        network=lambda channels: np.zeros(channels.shape[1:], dtype=np.float32),
    )
    after = before.copy()
    after[box] = values
    assert (after[:, 35:45, 15:40] >= 0.5).all()
    assert (after[:, 35:45, 60:70] < 0.5).all()
