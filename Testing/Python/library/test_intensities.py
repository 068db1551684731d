"""Padding, single outliers and metal change nothing in the other voxels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.inputs.intensities import (
    evenly_sampled,
    intensity_range,
    typical_values,
    without_artifacts,
)
from DeepIGeoSLib.inputs.normalization import NormalizationSettings, normalize, tissue_mask
from DeepIGeoSLib.samples.phantom import head_phantom

SETTINGS = NormalizationSettings()


@pytest.fixture(scope="module")
def mr() -> np.ndarray:
    """A head of magnitudes: air is near 0, tissue up to 500."""
    return head_phantom((16, 96, 88), (6.0, 2.0, 2.0), 3)[0].array


@pytest.fixture(scope="module")
def ct(mr: np.ndarray) -> np.ndarray:
    """The same head in Hounsfield units, with air that is clipped at -1024."""
    random = np.random.default_rng(3)
    hounsfield = np.where(mr < 30, -1010.0, mr - 200) + random.normal(0, 12, mr.shape)
    return np.maximum(np.round(hounsfield), -1024).astype(np.float32)


def off(array: np.ndarray, changed: np.ndarray, elsewhere: np.ndarray) -> float:
    """Return by how much normalized values move where nothing was changed."""
    difference = normalize(changed, SETTINGS) - normalize(array, SETTINGS)
    return float(np.abs(difference[elsewhere]).max())


def in_air(array: np.ndarray, width: int) -> np.ndarray:
    """Return the voxels of air along two sides of the volume, so many rows deep."""
    place = np.zeros(array.shape, dtype=bool)
    place[:, :width] = place[:, -width:] = True
    return place & ~tissue_mask(array, SETTINGS)


@pytest.mark.parametrize("head", ["mr", "ct"])
@pytest.mark.parametrize("value", [0, -1024, -2000, -32768, 4095, 65535])
@pytest.mark.parametrize("width", [1, 5, 30])
def test_padding_changes_nothing_elsewhere(request, head: str, value: float, width: int) -> None:
    array = request.getfixturevalue(head)
    place = in_air(array, width)
    changed = array.copy()
    changed[place] = value
    # Noise that is covered is missing among the values above those of air.
    assert off(array, changed, ~place) < 0.15


@pytest.mark.parametrize("head", ["mr", "ct"])
@pytest.mark.parametrize("value", [-32768, -1024, 30000, 1e9])
@pytest.mark.parametrize("count", [1, 30])
def test_a_few_outliers_change_nothing_elsewhere(
    request, head: str, value: float, count: int
) -> None:
    array = request.getfixturevalue(head)
    place = np.zeros(array.size, dtype=bool)
    place[np.random.default_rng(4).choice(array.size, count, replace=False)] = True
    place = place.reshape(array.shape)
    changed = np.where(place, np.float32(value), array)
    assert off(array, changed, ~place) < 0.05


@pytest.mark.parametrize("value", [1500, 3071, 30000])
@pytest.mark.parametrize("radius", [2, 4, 6])
def test_metal_changes_nothing_elsewhere(mr: np.ndarray, value: float, radius: int) -> None:
    place = np.zeros(mr.shape, dtype=bool)
    place[7:9, 48 - radius : 48 + radius, 44 - 3 * radius : 44 + 3 * radius] = True
    changed = np.where(place, np.float32(value), mr)
    assert off(mr, changed, ~place) < 0.1


def test_darkness_around_metal_changes_nothing_elsewhere(ct: np.ndarray) -> None:
    streaks = np.zeros(ct.shape, dtype=bool)
    streaks[8, 20:70:2, 20:70] = True
    changed = np.where(streaks, np.float32(-3024), ct)
    assert off(ct, changed, ~streaks) < 0.1


def test_several_paddings_at_once(ct: np.ndarray) -> None:
    place = in_air(ct, 10)
    changed = ct.copy()
    changed[place] = -2000
    changed[0, place[0]] = -32768
    assert off(ct, changed, ~place) < 0.05


def test_an_interpolated_border_of_padding_changes_little(mr: np.ndarray) -> None:
    place = in_air(mr, 10)
    changed = mr.copy()
    changed[place] = -1024
    changed[:, 10, 20] = np.linspace(-1000, -10, len(mr))
    place[:, 10, 20] = True
    assert off(mr, changed, ~place) < 0.05


def test_the_proposal_stays(mr: np.ndarray) -> None:
    pytest.importorskip("torch")
    session = InteractiveSession(load_bundle("flair-whole-tumor"), engine="torch")
    matrix = head_phantom((16, 96, 88), (6.0, 2.0, 2.0), 3)[0].ijk_to_ras
    session.set_volume(Volume(mr, ijk_to_ras=matrix))
    expected = session.propose().labels
    changed = mr.copy()
    changed[0, 0, 0] = -32768
    session.set_volume(Volume(changed, ijk_to_ras=matrix))
    assert np.count_nonzero(session.propose().labels != expected) <= 0.01 * expected.sum()


def test_the_range_of_a_clean_volume_is_that_of_its_values() -> None:
    array = np.zeros((10, 40, 40), dtype=np.float32)
    array[2:8, 10:30, 10:30] = np.random.default_rng(1).gamma(9, 20, (6, 20, 20))
    assert intensity_range(array) == (0, pytest.approx(np.percentile(array[array > 0], 99.5)))


def test_volumes_of_two_values_keep_both() -> None:
    for low, high in ((0, 1), (-1000, 50), (-5, -1)):
        array = np.full((6, 10, 10), low, dtype=np.float32)
        array[2:4, 3:7, 3:7] = high
        assert intensity_range(array) == (low, high)
        assert tissue_mask(array, SETTINGS).sum() == 32


def test_one_dark_voxel_in_a_flat_volume_is_background() -> None:
    array = np.full((4, 5, 6), 100, dtype=np.float32)
    array[1, 2, 3] = -1024
    assert intensity_range(array) == (-1024, 100)
    assert np.isfinite(normalize(array, SETTINGS)).all()


def test_an_outlier_in_a_binary_image_changes_nothing_elsewhere() -> None:
    array = np.zeros((20, 30, 30), dtype=np.float32)
    array[5:15, 5:20, 5:20] = 1
    for value in (-1024, 30000):
        changed = array.copy()
        changed[0, 0, 0] = value
        assert off(array, changed, changed == array) < 0.05


def test_a_hot_lesion_is_no_artifact() -> None:
    random = np.random.default_rng(2)
    activity = random.gamma(2, 0.5, 20_000) + np.r_[np.zeros(19_000), np.linspace(0, 12, 1000)]
    assert without_artifacts(activity, 0.0) is activity


def test_values_that_are_all_padding_are_all_kept() -> None:
    array = np.full((3, 4, 5), 7, dtype=np.float32)
    values = array.ravel()
    assert np.array_equal(typical_values(values, array), values)


def test_real_heads_keep_their_normalization(data: Path) -> None:
    for name in ("TCGA-FG-6692_flair_native", "BraTS-MET-00110-000-t2f"):
        array = Volume.read(data / "demo_volumes" / f"{name}.nii.gz").array
        low = float(array.min())
        high = np.percentile(evenly_sampled(array, array > low), 99.5)
        tissue = array > low + SETTINGS.threshold * (high - low)
        lower, median, upper = np.percentile(evenly_sampled(array, tissue), [25, 50, 75])
        expected = np.clip((array - median) / ((upper - lower) / 1.349), *SETTINGS.clip)
        np.testing.assert_allclose(normalize(array, SETTINGS), expected, atol=1e-4)
