"""The volumes of the interaction benchmark."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.interaction.region import region_around
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class Case:
    """A volume to measure on.

    Attributes:
        name: on the command line and in tables.
        shape: voxels along (k, j, i).
        spacing: mm along (k, j, i).
        region: voxels (k, j, i) that are pinned around a stroke; the session chooses when None.
        usual: whether it is measured when nothing else is said.
    """

    name: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    region: tuple[int, int, int] | None = None
    usual: bool = True


CASES = (
    Case("region-64", (96, 128, 128), (2.0, 1.0, 1.0), region=(64, 64, 64)),
    Case("region-96", (96, 128, 128), (2.0, 1.0, 1.0), region=(96, 96, 96)),
    Case("cube-64", (64, 64, 64)),
    Case("brain-crop", (144, 176, 144)),
    Case("brats", (155, 240, 240)),
    Case("abdomen", (300, 512, 512), usual=False),
    Case("long", (600, 512, 512), usual=False),
    Case("whole-body", (1000, 512, 512), usual=False),
)


def head(case: Case) -> Volume:
    """Return a noisy ellipsoid with blobs that fills the volume but for its corners."""
    random = np.random.default_rng(1)
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in case.shape]
    k, j, i = np.meshgrid(*axes, indexing="ij", sparse=True)
    radius = k**2 + j**2 + i**2
    array = random.standard_normal(case.shape, dtype=np.float32)
    array *= 8
    array += np.where(radius < 1, np.float32(200), np.float32(0))
    coarse = random.random([max(2, n // 16) for n in case.shape]) < 0.05
    for index in np.argwhere(coarse):
        box = tuple(slice(16 * i, 16 * i + 12) for i in index)
        array[box] += np.where(radius[box] < 1, np.float32(120), np.float32(0))
    return Volume(array, spacing=case.spacing, name=case.name)


def pinned(case: Case, voxels: np.ndarray) -> Box | None:
    """Return the box of the case's region around a stroke."""
    if case.region is None:
        return None
    places = np.stack(np.unravel_index(voxels, case.shape))
    around = three(
        slice(int(low), int(high) + 1)
        for low, high in zip(places.min(axis=1), places.max(axis=1), strict=True)
    )
    return region_around(around, case.region, case.shape)


def strokes(volume: Volume, count: int) -> list[tuple[str, np.ndarray]]:
    """Return strokes at random places of the head: label and voxel numbers of each."""
    random = np.random.default_rng(2)
    found = []
    for number in range(count):
        k, j, i = _place_in_head(volume, random)
        mask = np.zeros(volume.shape, dtype=bool)
        mask[k, max(0, j - 2) : j + 3, max(0, i - 4) : i + 5] = True
        found.append((("foreground", "background")[number % 2], np.flatnonzero(mask)))
    return found


def _place_in_head(volume: Volume, random: np.random.Generator) -> tuple[int, ...]:
    while True:  # a list of all places would take more memory than the volume
        place = tuple(random.integers(volume.shape))
        if volume.array[place] > 100:
            return place
