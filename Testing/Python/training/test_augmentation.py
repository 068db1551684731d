"""Every random change can be chosen, changes what it should, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchio", reason="the extra 'train' is not installed")

from DeepIGeoSLib import InputError
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.training.augmentation import Augmentation
from DeepIGeoSLib.training.cases import prepare_case
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.sampling import CropSampler
from DeepIGeoSLib.training.settings import AugmentationSettings

STILL = {"flip_axes": (), "degrees": 0.0, "tilt_degrees": 0.0, "scales": (1.0, 1.0), "intensity": 0}
SHAPES = {"volume": (16, 64, 64), "few slices": (2, 64, 64), "slice": (1, 64, 64)}


def brick(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A noisy image with a brighter brick, and the brick."""
    mask = np.zeros(shape, dtype=bool)
    mask[:, 16:44, 20:48] = True
    noise = np.random.default_rng(0).normal(0, 0.1, shape)
    return (3.0 * mask + noise).astype(np.float32), mask


def changed(settings: dict, shape: tuple[int, int, int], seed: int = 3) -> tuple[np.ndarray, ...]:
    image, mask = brick(shape)
    augment = Augmentation(AugmentationSettings(**{**STILL, **settings}), air=-4.0)
    moved, maps = augment(image[np.newaxis], {"mask": mask}, (3.0, 1.0, 1.0), seed=seed)
    return image, mask, moved[0], maps["mask"]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_nothing_changes_where_nothing_is_asked_for(shape: tuple[int, int, int]) -> None:
    image, mask, moved, moved_mask = changed({}, shape)
    np.testing.assert_array_equal(moved, image)
    np.testing.assert_array_equal(moved_mask, mask)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("kind", ["motion", "anisotropy", "bias_field", "gamma", "blur", "noise"])
def test_changes_of_intensity_leave_the_mask_alone(kind: str, shape: tuple[int, int, int]) -> None:
    image, mask, moved, moved_mask = changed({kind: 1.0}, shape)
    assert moved.shape == image.shape
    assert np.isfinite(moved).all()
    assert np.abs(moved - image).mean() > 1e-3
    np.testing.assert_array_equal(moved_mask, mask)
    # The brick is where it was: still brighter than its surroundings.
    assert moved[mask].mean() > moved[~mask].mean() + 0.5


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_an_elastic_deformation_moves_image_and_mask_together(shape: tuple[int, int, int]) -> None:
    _, mask, moved, moved_mask = changed({"elastic": 1.0, "elastic_mm": 4.0}, shape)
    share = (moved_mask != mask).mean()
    assert 0.002 < share < 0.2
    assert ((moved > 1.5) == moved_mask).mean() > 0.98


def test_larger_displacements_move_more() -> None:
    moved = [
        np.mean(
            [
                (mask != before).mean()
                for _, before, _, mask in (
                    changed({"elastic": 1.0, "elastic_mm": mm}, (16, 64, 64), seed)
                    for seed in range(5)
                )
            ]
        )
        for mm in (0.5, 4.0)
    ]
    assert moved[1] > 2 * moved[0]


def test_anisotropy_loses_detail_along_one_axis() -> None:
    """Neighbors become alike along one axis, and stay as unlike as before along the others."""
    image, _, moved, _ = changed({"anisotropy": 1.0}, (32, 64, 64))
    ratios = sorted(
        np.abs(np.diff(moved, axis=axis)).mean() / np.abs(np.diff(image, axis=axis)).mean()
        for axis in range(3)
    )
    assert ratios[0] < 0.75 * ratios[1]


def test_own_probabilities_replace_the_common_one() -> None:
    image, _, moved, _ = changed({"intensity": 0.0, "noise": 1.0}, (1, 64, 64))
    assert np.abs(moved - image).mean() > 0.01
    settings = {"intensity": 0.5, "noise": 0, "bias_field": 0, "gamma": 0, "blur": 0}
    image, _, moved, _ = changed(settings, (1, 64, 64))  # scale and shift alone: a straight line
    assert np.corrcoef(image.ravel(), moved.ravel())[0, 1] == pytest.approx(1)


def test_changes_that_are_off_leave_the_random_numbers_as_they_were() -> None:
    """Configurations from before these keys give the same crops."""
    _, _, before, _ = changed({"intensity": 0.5, "degrees": 20.0}, (4, 64, 64))
    _, _, after, _ = changed(
        {"intensity": 0.5, "degrees": 20.0, "elastic": 0.0, "motion": 0.0, "anisotropy": 0.0},
        (4, 64, 64),
    )
    np.testing.assert_array_equal(before, after)


def crop_of(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A crop of a case whose image is 5 everywhere, its mask, and where it was cut from."""
    settings = read_config(path)
    file = find_cases(settings.data, path.parent, "train")[0]
    case = prepare_case(file, settings.normalization, settings.grid)
    ramp = np.arange(case.classes.size, dtype=np.float32).reshape(case.classes.shape)
    case = dataclasses.replace(case, image=np.stack([np.full_like(ramp, 5.0), ramp]))
    center = [size // 2 for size in case.classes.shape]
    random = np.random.default_rng(4)
    maps = {"target": case.target}
    image, cut, _ = CropSampler([case], settings).crop(case, center, maps, random=random)
    return image[0], cut["target"], image[1]


def test_what_comes_in_from_outside_is_the_image_where_it_is_cut_with_its_surroundings(
    configure,
) -> None:
    options = {**STILL, "scales": [0.6, 0.6], "degrees": 30.0}
    slices = {"crop": [1, 24, 24]}
    bare, mask, _ = crop_of(configure("bare", augmentation=options, optimization=slices))
    assert bare.min() < 0  # air
    options["surroundings"] = 0.6
    around, other, _ = crop_of(configure("around", augmentation=options, optimization=slices))
    assert bare.shape == around.shape == mask.shape == other.shape == (1, 24, 24)
    np.testing.assert_allclose(around, 5.0, atol=1e-4)


def test_surroundings_alone_change_nothing(configure) -> None:
    with_them = crop_of(configure("with", augmentation={**STILL, "surroundings": 0.5}))
    for one, other in zip(with_them, crop_of(configure("bare", augmentation=STILL)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_surroundings_are_a_share() -> None:
    with pytest.raises(InputError, match="surroundings is 2"):
        AugmentationSettings(surroundings=2.0)
