"""U-Net's elastic deformation."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torchio", reason="the extra 'train' is not installed")

from DeepIGeoSLib.training.augmentation import Augmentation
from DeepIGeoSLib.training.bending import bent, displacements, moved
from DeepIGeoSLib.training.settings import AugmentationSettings


def test_displacements_pass_through_a_coarse_grid_of_the_wanted_spread() -> None:
    ends = []
    for seed in range(200):
        field = displacements((1, 33, 65), 10.0, np.random.default_rng(seed))
        assert field.shape == (3, 1, 33, 65)
        assert not field[0].any()  # a single slice is bent in its plane
        ends.append(field[1:, 0, ::16, ::32])
    # 3 x 3 points that are drawn independently, of deviation 10 voxels.
    points = np.stack(ends)
    assert points.shape == (200, 2, 3, 3)
    assert points.std() == pytest.approx(10.0, rel=0.05)
    assert abs(points.mean()) < 1
    correlation = np.corrcoef(points.reshape(200, -1), rowvar=False)
    assert np.abs(correlation - np.eye(18)).max() < 0.35


def test_between_the_points_displacements_are_smooth() -> None:
    field = displacements((1, 65, 65), 10.0, np.random.default_rng(1))
    assert np.abs(np.diff(field, axis=2)).max() < 3
    assert np.abs(np.diff(field, n=2, axis=3)).max() < 0.3


def test_volumes_are_bent_along_every_axis_that_is_long_enough() -> None:
    field = displacements((16, 24, 24), 3.0, np.random.default_rng(0))
    assert (field.std(axis=(1, 2, 3)) > 0.5).all()


def test_a_shift_of_whole_voxels_moves_values_there_and_mirrors_at_the_border() -> None:
    field = np.zeros((3, 1, 1, 5), dtype=np.float32)
    field[2] = 2
    values = np.arange(5, dtype=np.float32).reshape(1, 1, 5)
    assert moved(values, field).ravel().tolist() == [2, 3, 4, 3, 2]
    mask = values > 2
    assert moved(mask, field).ravel().tolist() == [False, True, True, True, False]
    assert moved(mask, field).dtype == bool


def test_image_and_mask_move_together() -> None:
    mask = np.zeros((1, 64, 64), dtype=bool)
    mask[:, 20:44, 16:40] = True
    image = (mask[np.newaxis] * 3).astype(np.float32)
    changed, maps = bent(image, {"mask": mask}, 4.0, random=np.random.default_rng(0))
    assert 0.005 < (maps["mask"] != mask).mean() < 0.3
    assert ((changed[0] > 1.5) == maps["mask"]).mean() > 0.99


def test_it_is_off_unless_asked_for_and_then_depends_on_the_seed_alone() -> None:
    still = {"flip_axes": (), "degrees": 0.0, "tilt_degrees": 0.0, "scales": (1.0, 1.0)}
    image = np.random.default_rng(0).normal(size=(1, 1, 32, 32)).astype(np.float32)
    mask = image[0] > 0

    def changed(seed: int, **settings: float) -> np.ndarray:
        augment = Augmentation(AugmentationSettings(**still, intensity=0.0, **settings), -4.0)
        return augment(image, {"mask": mask}, (1.0, 1.0, 1.0), seed=seed)[0]

    np.testing.assert_array_equal(changed(1), image)
    first = changed(1, bend=1.0)
    np.testing.assert_array_equal(first, changed(1, bend=1.0))
    assert np.abs(first - image).max() > 0.1
    assert np.abs(first - changed(2, bend=1.0)).max() > 0.1
