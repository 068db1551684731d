"""Normalizing, cropping and resampling, and the way back."""

from __future__ import annotations

import dataclasses
import threading
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from DeepIGeoSLib import Cancelled, InputError
from DeepIGeoSLib.bundles.geodesic import geodesic_manifest
from DeepIGeoSLib.grid.boxes import bounding_box, grown_box, whole_box
from DeepIGeoSLib.grid.resampling import resample, resample_in_slabs
from DeepIGeoSLib.inputs.normalization import (
    NormalizationSettings,
    evenly_sampled,
    normalize,
    tissue_mask,
)
from DeepIGeoSLib.inputs.prepared_image import PreparedImage
from DeepIGeoSLib.inputs.working_grid import GridSettings, WorkingGrid, working_spacing

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9)


def test_tissue_becomes_median_zero_and_unit_spread() -> None:
    random = np.random.default_rng(0)
    array = np.zeros((20, 40, 40), dtype=np.float32)
    array[:, 10:30, 10:30] = random.normal(500, 40, (20, 20, 20))
    normal = normalize(array, NormalizationSettings())
    tissue = normal[:, 10:30, 10:30]
    assert np.median(tissue) == pytest.approx(0, abs=0.05)
    assert tissue.std() == pytest.approx(1, abs=0.05)
    assert normal[0, 0, 0] == NormalizationSettings().clip[0]


def test_scale_and_offset_of_the_scanner_do_not_matter() -> None:
    random = np.random.default_rng(0)
    array = random.gamma(2, 100, (10, 20, 20)).astype(np.float32)
    settings_ = NormalizationSettings()
    np.testing.assert_allclose(
        normalize(array * 7.5 - 300, settings_), normalize(array, settings_), atol=1e-3
    )


def test_a_bright_lesion_does_not_decide_the_scale() -> None:
    random = np.random.default_rng(0)
    array = random.normal(500, 40, (20, 20, 20)).astype(np.float32)
    with_lesion = array.copy()
    with_lesion[5:12, 5:12, 5:12] = 900  # 4 % of the voxels
    difference = normalize(with_lesion, NormalizationSettings()) - normalize(
        array, NormalizationSettings()
    )
    assert np.abs(difference[15:]).max() < 0.3


def test_fixed_intensities_mean_the_same_in_every_image() -> None:
    settings = NormalizationSettings(threshold=0.0, fixed=(127.0, 64.0))
    for bright in (1.0, 0.5):
        array = bright * np.linspace(0, 255, 1000, dtype=np.float32).reshape(10, 10, 10)
        np.testing.assert_allclose(normalize(array, settings), (array - 127) / 64, atol=1e-5)
    with pytest.raises(InputError, match="second number must be above 0"):
        NormalizationSettings(fixed=(127.0, 0.0))


def test_compressed_intensities_keep_their_order_and_lose_their_extremes() -> None:
    array = np.random.default_rng(0).normal(100, 10, (8, 9, 10)).astype(np.float32)
    array[2, 2, 2:6] = [200, 400, 600, 800]
    plain = normalize(array, NormalizationSettings(clip=(-4, 60)))
    settings = NormalizationSettings(clip=(-4, 60), compress=True)
    found = normalize(array, settings)
    np.testing.assert_allclose(np.sinh(found), plain, rtol=1e-4, atol=1e-4)
    assert found.max() == pytest.approx(settings.range[1])
    assert NormalizationSettings(clip=(-4, 60)).range == (-4, 60)


def test_constant_volume_is_refused() -> None:
    with pytest.raises(InputError, match="constant: every voxel is 7"):
        tissue_mask(np.full((3, 4, 5), 7.0), NormalizationSettings())


def test_binary_volume_can_be_normalized() -> None:
    array = np.zeros((4, 8, 8), dtype=np.float32)
    array[:, 2:6, 2:6] = 1
    assert np.isfinite(normalize(array, NormalizationSettings())).all()


@given(hnp.arrays(bool, SHAPES))
def test_bounding_box_is_the_smallest(mask: np.ndarray) -> None:
    box = bounding_box(mask)
    if box is None:
        assert not mask.any()
        return
    assert mask[box].sum() == mask.sum()
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        profile = mask[box].any(axis=others)
        assert profile[0]
        assert profile[-1]


def test_grown_box_stays_inside() -> None:
    box = grown_box((slice(0, 2), slice(3, 5), slice(8, 9)), (1, 2, 3), (4, 6, 9))
    assert box == (slice(0, 3), slice(1, 6), slice(5, 9))


@given(SHAPES, SHAPES, st.floats(-5, 5))
def test_constants_survive_resampling(
    shape: tuple[int, ...], target: tuple[int, ...], value: float
) -> None:
    constant = np.full(shape, value, dtype=np.float32)
    again = resample(resample(constant, target), shape)
    np.testing.assert_allclose(again, constant, rtol=1e-5, atol=1e-5)


@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32)), SHAPES)
@settings(max_examples=50)
def test_resampling_stays_between_the_extremes(array: np.ndarray, target: tuple[int, ...]) -> None:
    result = resample(array, target)
    assert result.shape == target
    assert result.min() >= array.min() - 1e-5
    assert result.max() <= array.max() + 1e-5


@pytest.mark.parametrize(("factor", "tolerance"), [(0.4, 0.1), (0.5, 1e-4), (2, 1e-4), (3, 1e-4)])
def test_a_ramp_stays_where_it_is(factor: float, tolerance: float) -> None:
    ramp = np.broadcast_to(np.arange(40, dtype=np.float32) + 0.5, (1, 1, 40))
    result = resample(ramp, (1, 1, round(40 * factor)))
    expected = (np.arange(result.size) + 0.5) / factor
    inside = slice(4, -4)
    np.testing.assert_allclose(result[0, 0, inside], expected[inside], atol=tolerance)


def test_same_shape_is_not_touched() -> None:
    array = np.random.default_rng(0).random((3, 4, 5), dtype=np.float32)
    assert np.array_equal(resample(array, array.shape), array)


def test_a_ball_survives_the_working_grid() -> None:
    k, j, i = np.ogrid[:60, :60, :60]
    ball = (k - 30) ** 2 + (j - 30) ** 2 + (i - 30) ** 2 < 20**2
    grid = WorkingGrid.of_box((slice(0, 60),) * 3, (1.0, 0.5, 1.0), GridSettings())
    assert grid.shape == (30, 38, 60)
    again = grid.to_volume(grid.to_working(ball.astype(np.float32))) >= 0.5
    assert 2 * (again & ball).sum() / (again.sum() + ball.sum()) > 0.98


def test_spacing_within_the_trained_range_is_kept() -> None:
    limits = GridSettings(minimum=(2, 0.8, 0.8), maximum=(8, 1.3, 1.3))
    assert working_spacing((4.5, 0.9, 1.2), limits) == (4.5, 0.9, 1.2)
    assert working_spacing((1.0, 0.4, 2.0), limits) == (2.0, 0.8, 1.3)


@pytest.mark.parametrize("size", [0.0005, 0.024, 5.3, 100.0])
def test_axes_far_from_training_keep_their_own_spacing(size: float) -> None:
    grid = WorkingGrid.of_box((slice(0, 60),) * 3, (4.0, size, 1.0), GridSettings())
    assert grid.shape[1] == 60
    assert grid.spacing == (4.0, size, 1.0)


@given(
    st.tuples(*[st.integers(1, 1000)] * 3),
    st.tuples(*[st.floats(-7, 3).map(lambda power: 10.0**power)] * 3),
)
def test_the_working_grid_is_bounded(shape: tuple, spacing: tuple) -> None:
    grid = WorkingGrid.of_box(whole_box(shape), spacing, GridSettings())
    assert prod(grid.shape) <= max(prod(shape), 2**27)
    assert all(count <= 4 * size + 1 for count, size in zip(grid.shape, shape, strict=True))


@pytest.mark.parametrize("size", [1e-9, 2000.0, 1e300])
def test_a_spacing_that_can_not_be_true_is_named(size: float) -> None:
    with pytest.raises(InputError, match=r"spacing .* can't be true"):
        working_spacing((1.0, 1.0, size), GridSettings())


@given(
    st.tuples(*[st.integers(1, 12)] * 3),
    st.tuples(*[st.floats(0.2, 3)] * 3),
    st.integers(0, 2**31),
)
def test_no_seed_vanishes_on_the_working_grid(
    shape: tuple[int, ...], spacing: tuple[float, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    seeds = np.zeros(shape, dtype=bool)
    place = tuple(random.integers(0, shape))
    seeds[place] = True
    grid = WorkingGrid.of_box(tuple(slice(0, n) for n in shape), spacing, GridSettings())
    working = grid.seeds_to_working(seeds)
    assert working.shape == grid.shape
    assert working.sum() == 1
    found = (np.argwhere(working)[0] + 0.5) * np.array(shape) / np.array(grid.shape)
    limit = np.maximum(1.0, np.array(shape) / np.array(grid.shape))
    assert (np.abs(found - (np.array(place) + 0.5)) <= limit).all()


def test_values_are_sampled_evenly_over_a_mask() -> None:
    random = np.random.default_rng(0)
    for size in (1, 7, 100, 10_000):
        array = random.random((9, 10, 11))
        mask = random.random(array.shape) < 0.3
        values = array[mask]
        expected = values[:: max(1, values.size // size)]
        assert np.array_equal(evenly_sampled(array, mask, size), expected)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((40, 6, 7), (20, 6, 7)),
        ((37, 6, 7), (50, 4, 9)),
        ((5, 6, 7), (5, 6, 7)),
        ((1, 3, 3), (40, 2, 2)),
    ],
)
def test_slabs_together_are_the_whole(source: tuple[int, ...], target: tuple[int, ...]) -> None:
    array = np.random.default_rng(0).random(source, dtype=np.float32)
    longest = []

    def read(part: slice) -> np.ndarray:
        longest.append(part.stop - part.start)
        return array[part]

    out = np.empty(target, dtype=np.float32)
    resample_in_slabs(read, source, out)
    np.testing.assert_allclose(out, resample(array, target), atol=1e-6)
    assert max(longest) <= 16 * max(1, source[0] / target[0]) + 2


@pytest.mark.parametrize("spacing", [1.0, 2.0])
def test_preparing_a_large_part_can_be_cancelled(spacing: float) -> None:
    array = np.random.default_rng(0).normal(size=(40, 12, 12)).astype(np.float32)
    inputs = geodesic_manifest().inputs
    inputs = dataclasses.replace(inputs, grid=GridSettings(minimum=(2.0, 1.0, 1.0)))
    image = PreparedImage([array], (spacing, 1.0, 1.0), inputs, name="noise")
    grid = image.grid(whole_box(array.shape))
    cancel = threading.Event()
    assert image.on(grid, cancel).shape == (1, *grid.shape)
    cancel.set()
    with pytest.raises(Cancelled):
        image.on(grid, cancel)
    with pytest.raises(Cancelled):
        image.read_on(grid, cancel)[(slice(None), slice(0, 4), slice(0, 4), slice(0, 4))]
