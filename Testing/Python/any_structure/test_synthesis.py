"""What volumes to train on are made of."""

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib.samples.synthesis import (
    acquired,
    degraded,
    part_of,
    random_anatomy,
    random_region,
)
from DeepIGeoSLib.samples.synthesis.fields import smooth_noise

SHAPES = [((12, 48, 48), (2.5, 1.0, 1.0)), ((1, 96, 96), (1.0, 1.0, 1.0))]


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
@pytest.mark.parametrize("seed", range(6))
def test_anatomy_holds_objects_that_are_where_its_labels_say(shape, spacing, seed):
    anatomy = random_anatomy(shape, spacing, np.random.default_rng(seed))
    assert anatomy.labels.shape == shape
    assert anatomy.labels.max() == anatomy.tissues + len(anatomy.objects) - 1
    for number, mask in enumerate(anatomy.objects):
        assert mask.sum() >= 6
        assert not (anatomy.labels == anatomy.tissues + number)[~mask].any()


@pytest.mark.parametrize(("shape", "spacing"), SHAPES)
def test_images_are_finite_and_the_same_for_the_same_random_numbers(shape, spacing):
    first, second = (
        acquired(random_anatomy(shape, spacing, random), spacing, random)
        for random in (np.random.default_rng(3), np.random.default_rng(3))
    )
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert first.std() > 0
    np.testing.assert_array_equal(first, second)


def test_degrading_leaves_the_image_that_it_was_given():
    image = np.random.default_rng(0).normal(size=(4, 32, 32)).astype(np.float32)
    kept = image.copy()
    for seed in range(20):
        degraded(image, (1, 1, 1), np.random.default_rng(seed))
    np.testing.assert_array_equal(image, kept)


def test_regions_of_an_image_are_connected_and_neither_tiny_nor_nearly_all():
    image = smooth_noise((12, 64, 64), (2, 1, 1), 12, random=np.random.default_rng(1))
    found = [random_region(image, (2, 1, 1), np.random.default_rng(seed)) for seed in range(20)]
    regions = [region for region in found if region is not None]
    assert len(regions) > 10
    for region in regions:
        assert ndimage.label(region)[1] == 1
        assert 24 <= region.sum() <= 0.5 * region.size


def test_a_constant_image_suggests_no_region():
    image = np.full((4, 32, 32), 7, dtype=np.float32)
    assert random_region(image, (1, 1, 1), np.random.default_rng(0)) is None


def test_parts_hold_the_anchor_and_stay_inside_but_for_filled_holes():
    mask = np.zeros((6, 40, 40), dtype=bool)
    mask[:, 5:20, 5:20] = True
    mask[:, 10:14, 10:14] = False
    mask[:, 25:35, 25:35] = True
    filled = ndimage.binary_fill_holes(mask)
    sizes = set()
    for seed in range(60):
        part = part_of(mask, (1, 1, 1), (3, 7, 7), random=np.random.default_rng(seed))
        assert part[3, 7, 7]
        assert not part[~filled].any()
        sizes.add(int(part.sum()))
    one_of_two = int(mask[:, :22, :22].sum())
    assert one_of_two in sizes
    assert any(size < one_of_two for size in sizes)
    assert int(mask.sum()) in sizes


def test_noise_varies_over_its_scale():
    fine, coarse = (
        smooth_noise((1, 256, 256), (1, 1, 1), scale, random=np.random.default_rng(0))[0]
        for scale in (3, 30)
    )

    def at_distance(field, pixels):
        return np.corrcoef(field[:, :-pixels].ravel(), field[:, pixels:].ravel())[0, 1]

    assert at_distance(fine, 10) < 0.2
    assert at_distance(coarse, 10) > 0.6
