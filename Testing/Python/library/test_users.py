"""Simulated users never label a voxel wrongly."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.users.corruption import corrupted, smooth_field
from DeepIGeoSLib.users.mistakes import error_regions
from DeepIGeoSLib.users.random_user import random_stroke

SHAPE = (12, 40, 40)


def ball(center: tuple[int, int, int], radius: float) -> np.ndarray:
    grid = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    return sum((g - c) ** 2 for g, c in zip(grid, center, strict=True)) <= radius**2


def test_error_regions_are_all_errors_sorted_by_size() -> None:
    truth, labels = ball((6, 20, 20), 5), ball((6, 20, 26), 5) | ball((3, 5, 5), 2)
    regions = error_regions(labels, truth)
    assert [r.voxels for r in regions] == sorted((r.voxels for r in regions), reverse=True)
    painted = {name: np.zeros(SHAPE, dtype=bool) for name in ("foreground", "background")}
    for region in regions:
        assert region.mask.sum() == region.voxels
        painted[region.label][region.box] |= region.mask
    assert np.array_equal(painted["foreground"], truth & ~labels)
    assert np.array_equal(painted["background"], labels & ~truth)
    assert error_regions(truth, truth) == []


@pytest.mark.parametrize("seed", range(40))
def test_random_strokes_tell_the_truth(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = ball((6, 18, 20), 7)
    labels = ball((6, 22, 22), 7)
    stroke = random_stroke(labels, truth, random)
    wanted = truth if stroke.label == "foreground" else ~truth
    assert stroke.mask.any()
    assert wanted[stroke.mask].all()
    assert (labels != truth)[stroke.mask].any()
    again = random_stroke(labels, truth, np.random.default_rng(seed))
    assert np.array_equal(again.mask, stroke.mask)


def test_random_strokes_have_many_shapes() -> None:
    truth = ball((6, 20, 20), 8)
    nothing = np.zeros(SHAPE, dtype=bool)
    strokes = [random_stroke(nothing, truth, np.random.default_rng(n)).mask for n in range(60)]
    slices = {int(s.any(axis=(1, 2)).sum()) for s in strokes}
    sizes = [int(s.sum()) for s in strokes]
    assert {1, 3} <= slices
    assert min(sizes) < 12
    assert max(sizes) > 60


def test_corrupted_truth_is_a_poor_but_related_segmentation() -> None:
    truth = ball((6, 20, 20), 6)
    overlaps = []
    for seed in range(20):
        probability = corrupted(truth, (3.0, 1.0, 1.0), np.random.default_rng(seed))
        assert probability.dtype == np.float32
        assert probability.min() >= 0
        assert probability.max() <= 1
        labels = probability >= 0.5
        overlaps.append(2 * (labels & truth).sum() / (labels.sum() + truth.sum()))
    assert min(overlaps) < 0.6
    assert 0.4 < np.mean(overlaps) < 0.95


def test_the_smooth_field_varies_over_its_scale() -> None:
    field = smooth_field((20, 100, 100), (3.0, 1.0, 1.0), 20.0, random=np.random.default_rng(0))
    assert field.shape == (20, 100, 100)
    assert field.std() == pytest.approx(1)
    near = np.corrcoef(field[:, :, :-3].ravel(), field[:, :, 3:].ravel())[0, 1]
    far = np.corrcoef(field[:, :, :-50].ravel(), field[:, :, 50:].ravel())[0, 1]
    assert near > 0.8
    assert abs(far) < 0.3
