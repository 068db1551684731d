"""Metrics against analytic truth, brute force, MONAI and SimpleITK."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.metrics import Measurement, dice, iou, measure
from DeepIGeoSLib.evaluation.surfaces import surface_distances

THICK = (4.0, 1.0, 0.5)
EMPTY = np.zeros((6, 8, 10), dtype=bool)

masks = st.tuples(*[st.integers(2, 6)] * 3).flatmap(
    lambda shape: st.tuples(*[arrays.arrays(bool, shape)] * 2)
)
spacings = st.tuples(*[st.floats(0.3, 6)] * 3)


def filled(shape: tuple[int, ...], *box: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    mask[tuple(slice(start, stop) for start, stop in box)] = True
    return mask


def ball(radius: float, spacing: tuple[float, float, float], reach: float = 30.0) -> np.ndarray:
    """A ball in mm around the middle of a volume."""
    counts = [2 * round(reach / s) + 1 for s in spacing]
    grid = np.ogrid[tuple(slice(-(n // 2), n // 2 + 1) for n in counts)]
    return sum((g * s) ** 2 for g, s in zip(grid, spacing, strict=True)) <= radius**2


def brute_force_surface(mask: np.ndarray) -> list[tuple[int, int, int]]:
    """Voxels with a face neighbor that is not in the mask, or not in the volume."""
    steps = [s for s in itertools.product((-1, 0, 1), repeat=3) if sum(map(abs, s)) == 1]

    def inside(place: tuple[int, ...]) -> bool:
        return all(0 <= p < n for p, n in zip(place, mask.shape, strict=True)) and mask[place]

    return [
        place
        for place in itertools.product(*map(range, mask.shape))
        if mask[place]
        and not all(
            inside(tuple(p + s for p, s in zip(place, step, strict=True))) for step in steps
        )
    ]


def brute_force(
    a: np.ndarray, b: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Distances of each surface voxel of a from b's surface, and the other way."""
    points = [np.array(brute_force_surface(m)) * spacing for m in (a, b)]
    table = np.linalg.norm(points[0][:, np.newaxis] - points[1][np.newaxis], axis=-1)
    return table.min(axis=1), table.min(axis=0)


@given(masks, spacings, st.floats(0.1, 8))
@settings(max_examples=100, deadline=None)
def test_surface_metrics_agree_with_brute_force(pair, spacing, tolerance: float) -> None:
    a, b = pair
    if not (a.any() and b.any()):
        return
    forth, back = brute_force(a, b, spacing)
    both = np.concatenate([forth, back])
    if np.abs(both - tolerance).min() < 1e-9:
        return  # on the edge, the last bit decides
    found = surface_distances(a, b, spacing)
    assert found.average() == pytest.approx(both.mean())
    assert found.percentile(100) == pytest.approx(both.max())
    wanted = max(np.percentile(forth, 95), np.percentile(back, 95))
    assert found.percentile(95) == pytest.approx(wanted)
    assert found.share_within(tolerance) == pytest.approx((both <= tolerance).mean())


@given(masks, spacings)
@settings(max_examples=100, deadline=None)
def test_metrics_are_symmetric(pair, spacing) -> None:
    a, b = pair
    forth, back = measure(a, b, spacing), measure(b, a, spacing)
    for name in ("dice", "iou", "assd_mm", "hd95_mm", "surface_dice"):
        assert getattr(forth, name) == pytest.approx(getattr(back, name)), name
    assert forth.volume_difference_ml == -back.volume_difference_ml


@given(masks, spacings)
@settings(max_examples=50, deadline=None)
def test_overlap_metrics_belong_together(pair, spacing) -> None:
    found = measure(*pair, spacing)
    assert 0 <= found.iou <= found.dice <= 1
    assert found.dice == pytest.approx(2 * found.iou / (1 + found.iou))
    assert 0 <= found.surface_dice <= 1
    assert found.assd_mm >= 0


@pytest.mark.parametrize("mask", [EMPTY, ~EMPTY, filled(EMPTY.shape, (2, 4), (0, 8), (5, 6))])
def test_a_mask_agrees_perfectly_with_itself(mask: np.ndarray) -> None:
    assert measure(mask, mask, THICK) == Measurement(1, 1, 0, 0, 1, 0, 0)


def test_a_shifted_box_is_off_by_the_shift_in_millimeters() -> None:
    shape = (20, 30, 40)
    box = filled(shape, (4, 12), (6, 16), (8, 18))
    for axis, voxels, length in ((0, 2, 8), (1, 3, 10), (2, 4, 10)):
        shifted = np.roll(box, voxels, axis)
        found = surface_distances(box, shifted, THICK)
        assert found.percentile(100) == pytest.approx(voxels * THICK[axis])
        share = (length - voxels) / length
        assert dice(box, shifted) == pytest.approx(share)
        assert iou(box, shifted) == pytest.approx(share / (2 - share))


def test_plates_are_apart_by_their_distance() -> None:
    # Two plates, each one voxel thick, three slices apart: every distance is the same.
    a, b = (filled((8, 12, 12), (k, k + 1), (2, 10), (2, 10)) for k in (1, 4))
    found = measure(a, b, THICK, tolerance=11.9)
    assert (found.assd_mm, found.hd95_mm, found.surface_dice) == (12.0, 12.0, 0.0)
    assert measure(a, b, THICK, tolerance=12.0).surface_dice == 1.0


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (0.5, 2.0, 1.0)])
def test_concentric_balls_are_apart_by_the_difference_of_their_radii(spacing) -> None:
    small, large = ball(14, spacing), ball(22, spacing)
    found = measure(small, large, spacing, tolerance=8 + max(spacing))
    assert found.assd_mm == pytest.approx(8, abs=0.4 * max(spacing))
    assert found.hd95_mm == pytest.approx(8, abs=max(spacing))
    assert found.surface_dice == pytest.approx(1, abs=0.01)
    assert measure(small, large, spacing, tolerance=8 - max(spacing)).surface_dice < 0.02
    volume = 4 / 3 * math.pi * (14**3 - 22**3) / 1000
    assert found.volume_difference_ml == pytest.approx(volume, rel=0.03)
    assert found.volume_difference_percent == pytest.approx(100 * (14**3 / 22**3 - 1), abs=2)
    assert found.dice == pytest.approx(2 * 14**3 / (14**3 + 22**3), abs=0.02)


def test_distances_scale_with_the_spacing() -> None:
    a, b = filled((9, 9, 9), (2, 6), (1, 5), (3, 8)), filled((9, 9, 9), (1, 5), (2, 8), (2, 5))
    once, twice = (measure(a, b, tuple(f * s for s in THICK)) for f in (1, 2))
    assert twice.assd_mm == pytest.approx(2 * once.assd_mm)
    assert twice.hd95_mm == pytest.approx(2 * once.hd95_mm)
    assert twice.volume_difference_ml == pytest.approx(8 * once.volume_difference_ml)
    assert twice.dice == once.dice
    assert twice.volume_difference_percent == once.volume_difference_percent


def test_the_border_of_the_volume_is_surface() -> None:
    # Everything against the middle voxel: the surface of everything is its outermost layer.
    middle = filled((5, 5, 5), (2, 3), (2, 3), (2, 3))
    found = surface_distances(np.ones((5, 5, 5), dtype=bool), middle, (1, 1, 1))
    assert len(found.forth) == 5**3 - 3**3
    assert found.percentile(100) == pytest.approx(math.sqrt(12))
    assert found.back.tolist() == [2.0]


def test_air_around_a_mask_changes_nothing() -> None:
    a, b = filled((6, 7, 8), (0, 4), (2, 7), (1, 8)), filled((6, 7, 8), (2, 6), (0, 5), (0, 6))
    padded = [np.pad(mask, 3) for mask in (a, b)]
    assert measure(a, b, THICK) == measure(*padded, THICK)


def test_one_empty_mask_is_infinitely_far_from_anything() -> None:
    box = filled(EMPTY.shape, (1, 3), (2, 4), (3, 6))
    nothing_found = measure(EMPTY, box, THICK)
    inf = float("inf")
    assert nothing_found == Measurement(0, 0, inf, inf, 0, -12 * 2 / 1000, -100)
    assert measure(box, EMPTY, THICK) == Measurement(0, 0, inf, inf, 0, 12 * 2 / 1000, inf)


def test_masks_in_two_dimensions() -> None:
    a = filled((10, 10), (2, 5), (2, 5))
    assert surface_distances(a, np.roll(a, 2, 1), (1.0, 3.0)).percentile(100) == 6.0


def test_masks_of_different_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="one shape"):
        measure(EMPTY, EMPTY[1:], THICK)
    with pytest.raises(InputError, match="a spacing for each axis"):
        surface_distances(EMPTY, EMPTY, (1.0, 1.0))


def random_masks(count: int) -> list[tuple[np.ndarray, np.ndarray, tuple[float, ...], float]]:
    """Blobs that touch borders, with spacings and tolerances."""
    from scipy import ndimage

    random = np.random.default_rng(5)
    pairs = []
    while len(pairs) < count:
        shape = tuple(random.integers(4, 12, 3))
        pair = [ndimage.gaussian_filter(random.normal(size=shape), 1) > 0.05 for _ in range(2)]
        spacing = tuple(float(s) for s in random.uniform(0.5, 5, 3))
        if all(mask.any() for mask in pair):
            pairs.append((*pair, spacing, float(random.uniform(0.5, 5))))
    return pairs


@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges")
def test_the_numbers_are_monais() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    monai = pytest.importorskip("monai.metrics", reason="monai is not installed")
    for a, b, spacing, tolerance in random_masks(12):
        found = measure(a, b, spacing, tolerance=tolerance)
        one_hot = [torch.tensor(np.stack([~m, m])[np.newaxis].astype(np.float32)) for m in (a, b)]
        average = monai.compute_average_surface_distance(*one_hot, symmetric=True, spacing=spacing)
        hd95 = monai.compute_hausdorff_distance(*one_hot, percentile=95, spacing=spacing)
        share = monai.compute_surface_dice(*one_hot, [tolerance], spacing=spacing)
        assert found.assd_mm == pytest.approx(float(average), rel=1e-5)
        assert found.hd95_mm == pytest.approx(float(hd95), rel=1e-5)
        assert found.surface_dice == pytest.approx(float(share), rel=1e-5)
        assert found.dice == pytest.approx(float(monai.compute_dice(*one_hot)[0, 1]), rel=1e-5)


def test_dice_and_hausdorff_distance_are_simpleitks() -> None:
    sitk = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")
    for a, b, spacing, _ in random_masks(12):
        images = [sitk.GetImageFromArray(mask.astype(np.uint8)) for mask in (a, b)]
        for image in images:
            image.SetSpacing(spacing[::-1])
        overlap = sitk.LabelOverlapMeasuresImageFilter()
        overlap.Execute(*images)
        assert dice(a, b) == pytest.approx(overlap.GetDiceCoefficient())
        assert iou(a, b) == pytest.approx(overlap.GetJaccardCoefficient())
        # SimpleITK measures to the whole other mask, of which only the surface can be nearest for
        # a point outside; so it never finds more.
        distance = sitk.HausdorffDistanceImageFilter()
        distance.Execute(*images)
        whole = surface_distances(a, b, spacing).percentile(100)
        assert distance.GetHausdorffDistance() <= whole + 1e-6
