"""Which part of the volume a stroke may change."""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.interaction.region import (
    grown_where_changed,
    region_around,
    sizes_of_regions,
    stroke_groups,
)

SHAPE = (20, 100, 100)


def voxels(*places: tuple[int, int, int]) -> np.ndarray:
    return np.ravel_multi_index(np.transpose(places), SHAPE)


def test_near_strokes_share_a_region_and_far_ones_do_not() -> None:
    near, beside, far = (10, 20, 20), (10, 22, 25), (10, 80, 80)
    (box, group), (far_box, far_group) = stroke_groups(
        voxels(near, beside, far), SHAPE, (16, 48, 48)
    )
    assert box == (slice(10, 11), slice(20, 23), slice(20, 26))
    assert far_box == (slice(10, 11), slice(80, 81), slice(80, 81))
    assert np.array_equal(group, voxels(near, beside))
    assert np.array_equal(far_group, voxels(far))


def test_every_stroke_voxel_lies_in_a_box() -> None:
    random = np.random.default_rng(0)
    places = random.integers(0, SHAPE, size=(60, 3))
    numbers = voxels(*map(tuple, places))
    groups = stroke_groups(numbers, SHAPE, (8, 24, 24))
    assert sorted(np.concatenate([group for _, group in groups])) == sorted(numbers)
    for box, group in groups:
        for place in np.transpose(np.unravel_index(group, SHAPE)):
            assert all(s.start <= p < s.stop for p, s in zip(place, box, strict=True))


def test_region_has_its_size_and_stays_inside() -> None:
    middle = region_around((slice(10, 11),) + (slice(50, 52),) * 2, (8, 24, 24), SHAPE)
    assert middle == (slice(6, 14), slice(39, 63), slice(39, 63))
    corner = region_around((slice(0, 1),) * 3, (8, 24, 24), SHAPE)
    assert corner == (slice(0, 8), slice(0, 24), slice(0, 24))
    small_volume = region_around((slice(0, 1),) * 3, (64, 24, 24), SHAPE)
    assert small_volume[0] == slice(0, 20)
    long_stroke = region_around((slice(4, 5), slice(5, 95), slice(50, 51)), (8, 24, 24), SHAPE)
    assert long_stroke[1] == slice(5, 95)


def test_region_grows_only_towards_changes_at_its_border() -> None:
    region = (slice(6, 14), slice(40, 64), slice(0, 24))
    changed = np.zeros((8, 24, 24), dtype=bool)
    assert grown_where_changed(region, changed, SHAPE) == region
    changed[4, 10, 10] = True
    assert grown_where_changed(region, changed, SHAPE) == region
    changed[4, 10, 0] = True  # the volume ends here: there is nowhere to grow to
    assert grown_where_changed(region, changed, SHAPE) == region
    changed[4, 23, 10] = True
    assert grown_where_changed(region, changed, SHAPE) == (
        slice(6, 14),
        slice(40, 88),
        slice(0, 24),
    )
    changed[4, 0, 10] = True
    assert grown_where_changed(region, changed, SHAPE)[1] == slice(28, 76)


def test_a_region_that_meets_the_end_of_the_volume_grows_to_the_other_side() -> None:
    region = (slice(6, 14), slice(70, 94), slice(0, 24))
    changed = np.zeros((8, 24, 24), dtype=bool)
    changed[4, 23, 10] = True
    assert grown_where_changed(region, changed, SHAPE)[1] == slice(SHAPE[1] - 48, SHAPE[1])


def test_grown_regions_hold_the_old_one_have_twice_its_voxels_and_few_sizes() -> None:
    random = np.random.default_rng(0)
    region = (slice(6, 14), slice(40, 64), slice(40, 64))
    sizes = set()
    for _ in range(200):
        changed = np.zeros((8, 24, 24), dtype=bool)
        changed[tuple(random.integers(0, (8, 24, 24), size=(6, 3)).T)] = True
        changed[tuple(random.choice([0, -1], 3))] |= random.random() < 0.5
        grown = grown_where_changed(region, changed, SHAPE)
        assert all(
            g.start <= r.start and r.stop <= g.stop for g, r in zip(grown, region, strict=True)
        )
        assert all(g.start >= 0 and g.stop <= size for g, size in zip(grown, SHAPE, strict=True))
        sizes.add(tuple(part.stop - part.start for part in grown))
    assert sizes <= set(sizes_of_regions((8, 24, 24), SHAPE))
    assert len(sizes_of_regions((8, 24, 24), SHAPE)) == 8
    assert max(np.prod(size) for size in sizes) <= 2 * 8 * 24 * 24
    assert min(np.prod(size) for size in sizes - {(8, 24, 24)}) > 1.5 * 8 * 24 * 24


def test_sizes_begin_with_the_region_itself_and_end_with_the_volume() -> None:
    assert sizes_of_regions((8, 24, 24), SHAPE)[0] == (8, 24, 24)
    assert sizes_of_regions((64, 200, 200), SHAPE) == [SHAPE]
