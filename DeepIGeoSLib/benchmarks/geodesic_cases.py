"""What the geodesic benchmark computes distances in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from itertools import product
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError

_REPOSITORY = Path(__file__).parents[2]

# Name of the volume: shape (k, j, i) and spacing of a synthetic one, or a file among the data.
_SYNTHETIC = {
    "cube": ((128, 128, 128), (1.0, 1.0, 1.0)),
    "brain": ((155, 240, 240), (1.0, 1.0, 1.0)),
    "abdomen": ((300, 512, 512), (1.0, 0.8, 0.8)),
}
_REAL = {
    "flair": "demo_volumes/TCGA-FG-6692_flair_native.nii.gz",
    "fetal": "fetal_mri/geodistk_img3d.nii.gz",
}
# Name of the seeds: number of voxels and of strokes.
_SEEDS = {"sparse": {"voxels": 50, "number": 2}, "dense": {"voxels": 5000, "number": 20}}
_WEIGHTS = (0.5, 1.0)

CASE_NAMES = tuple(
    f"{volume}/{seeds}/{weight:g}"
    for volume, seeds, weight in product((*_SYNTHETIC, *_REAL), _SEEDS, _WEIGHTS)
)


@dataclass(frozen=True)
class Case:
    """A volume with seeds.

    Attributes:
        name: volume/seeds/weight.
        image: float32, axes (k, j, i), intensities 0 to 100.
        spacing: mm along (k, j, i).
        seeds: bool, axes (k, j, i).
        weight: of intensity differences against mm.
    """

    name: str
    image: np.ndarray
    spacing: tuple[float, ...]
    seeds: np.ndarray
    weight: float


def chosen(patterns: Iterable[str]) -> list[str]:
    """Return the names of the cases that match any of the patterns (``cube/*``).

    Raises:
        InputError: a pattern matches none.
    """
    names = []
    for pattern in patterns:
        matching = [name for name in CASE_NAMES if fnmatch(name, pattern)]
        if not matching:
            raise InputError(f"No case is called {pattern!r}; known are {', '.join(CASE_NAMES)}.")
        names += [name for name in matching if name not in names]
    return names


def load(names: Iterable[str]) -> Iterator[Case | str]:
    """Yield each case, or the reason why it is left out."""
    volumes: dict[str, tuple[np.ndarray, tuple[float, ...]] | str] = {}
    for name in names:
        volume, seeds, weight = name.split("/")
        if volume not in volumes:
            volumes = {volume: _volume(volume)}  # one at a time: they are large
        found = volumes[volume]
        if isinstance(found, str):
            yield f"{name}: {found}"
            continue
        image, spacing = found
        yield Case(name, image, spacing, strokes(image.shape, **_SEEDS[seeds]), float(weight))


def _volume(name: str) -> tuple[np.ndarray, tuple[float, ...]] | str:
    if name in _SYNTHETIC:
        shape, spacing = _SYNTHETIC[name]
        return synthetic_volume(shape), spacing
    folder = Path(os.environ.get("DEEPIGEOS_DATA", _REPOSITORY.parent / "shared" / "data"))
    path = folder / _REAL[name]
    if not path.exists():
        return f"{_REAL[name]} is not in the folder that DEEPIGEOS_DATA names"
    from DeepIGeoSLib.volume import Volume

    volume = Volume.read(path)
    low, high = float(volume.array.min()), float(volume.array.max())
    return ((volume.array - low) * (100 / (high - low))).astype(np.float32), volume.spacing


def synthetic_volume(shape: tuple[int, int, int]) -> np.ndarray:
    """Return a noisy ellipsoid with blobs inside, float32 from 0 to 100."""
    from scipy import ndimage  # slow to import, and the command line names the cases

    rng = np.random.default_rng(0)
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij", sparse=True)
    inside = sum(axis**2 for axis in axes) < 0.85**2
    coarse = rng.normal(size=[-(-size // 16) + 1 for size in shape])
    zoom = [size / small for size, small in zip(shape, coarse.shape, strict=True)]
    blobs = ndimage.zoom(coarse, zoom, order=1)
    image = np.where(inside, 40, 0).astype(np.float32)
    image[inside & (blobs > 0.3)] += 20
    image[inside & (blobs > 0.8)] += 25
    image = ndimage.gaussian_filter(image, 0.7)
    image += rng.normal(scale=2, size=shape).astype(np.float32)
    return np.clip(image, 0, 100)


def strokes(shape: tuple[int, int, int], voxels: int, *, number: int, start: int = 0) -> np.ndarray:
    """Return strokes, random walks in slices of the middle of the volume, as a bool array.

    Args:
        shape: of the volume, (k, j, i).
        voxels: of all strokes together.
        number: of strokes.
        start: of the random numbers.
    """
    rng = np.random.default_rng(start)
    mask = np.zeros(shape, dtype=bool)
    upper = np.array(shape) - 1
    for _ in range(number):
        place = np.array([rng.integers(size // 4, 3 * size // 4) for size in shape])
        drawn = 0
        while drawn < voxels // number:
            drawn += not mask[tuple(place)]
            mask[tuple(place)] = True
            place[1:] += rng.integers(-1, 2, 2)
            place = np.clip(place, 0, upper)
    return mask
