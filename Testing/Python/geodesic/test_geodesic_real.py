"""On real volumes, whose intensities no generator would draw, every engine is exact too."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib.geodesic import geodesic_distance

DATA = Path(os.environ.get("DEEPIGEOS_DATA", Path(__file__).parents[4] / "shared" / "data"))


@pytest.fixture(scope="module", params=["fetal_mri/geodistk_img3d.nii.gz", "brats"])
def volume(request):
    """A part of a volume, and its spacing."""
    SimpleITK = pytest.importorskip("SimpleITK", reason="SimpleITK is not installed")  # noqa: N806
    paths = [DATA / request.param]
    if request.param == "brats":
        paths = sorted((DATA / "brats2018_deepvoxnet2" / "cases").rglob("*.nii*"))
    if not paths or not paths[0].exists():
        pytest.skip(f"{request.param} is not among the data in DEEPIGEOS_DATA")
    image = SimpleITK.ReadImage(str(paths[0]))
    array = SimpleITK.GetArrayFromImage(image)
    middle = tuple(slice(n // 4, n // 4 + min(n // 2, 60)) for n in array.shape)
    return array[middle], image.GetSpacing()[::-1]


def two_strokes(shape):
    mask = np.zeros(shape, dtype=bool)
    k, j, i = (size // 2 for size in shape)
    mask[k, j, i : i + 10] = True
    mask[k // 2, j // 3 : j // 3 + 10, i] = True
    return mask


@pytest.mark.parametrize("engine", ["auto", "sweeps"])
@pytest.mark.parametrize("weight", [0.5, 1])
def test_engines_are_exact_on_a_real_volume(volume, weight, engine):
    image, spacing = volume
    seeds = two_strokes(image.shape)
    truth = geodesic_distance(image, seeds, spacing, weight=weight, engine="dijkstra")
    found = geodesic_distance(image, seeds, spacing, weight=weight, engine=engine)
    np.testing.assert_array_equal(found, truth)


def test_strokes_on_a_real_volume(volume):
    image, spacing = volume
    settings = {"weight": 0.5, "max_distance": float(image.std())}
    rng = np.random.default_rng(0)
    seeds = two_strokes(image.shape)
    found = geodesic_distance(image, seeds, spacing, **settings)
    for _ in range(5):
        added = np.zeros_like(seeds)
        added.flat[rng.integers(seeds.size - 5) + np.arange(5)] = True
        seeds = seeds | added
        geodesic_distance(image, seeds, spacing, **settings, out=found, changed_seeds=added)
        expected = geodesic_distance(image, seeds, spacing, **settings)
        np.testing.assert_array_equal(found, expected)
