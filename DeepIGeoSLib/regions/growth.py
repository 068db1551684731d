"""Nested regions that grow from a stroke: the candidates for what it means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.geodesic import geodesic_distance
from DeepIGeoSLib.regions.intensities import without_noise

# Regions of a family, the smallest first; each has about the same number of times more voxels.
_LEVELS = 32

# Intensity that nothing can grow over: distances beyond half of it mean "not reached".
_WALL = np.float32(1e4)

# Millimeters, or pixels, that the whole range of intensities counts as, where lengths count too.
_PIXELS = 100.0


@dataclass(frozen=True)
class Window:
    """What a stroke is answered from: arrays of one shape, axes (k, j, i).

    Attributes:
        intensities: float32 from 0 to 1.
        seeds: bool, where the region begins.
        free: bool, the voxels that it may take, seeds among them.
        ours: bool, voxels that have its class already.
        rivals: bool, strokes of the other class.
        spacing: of the voxels, in pixels.
        cut_off: for each axis, whether the image goes on before the window and behind it.
    """

    intensities: np.ndarray
    seeds: np.ndarray
    free: np.ndarray
    ours: np.ndarray
    rivals: np.ndarray
    spacing: tuple[float, float, float]
    cut_off: tuple[tuple[bool, bool], ...]


@dataclass(frozen=True)
class Family:
    """Regions of which each holds the one before.

    Attributes:
        lengths: whether lengths count in the distance, not intensities alone.
        around: whether the regions grow from all that has the class, not from the seeds alone.
        reached: distance at which each region ends, rising.
        number: int32, axes (k, j, i): the first region that holds a voxel, ``len(reached)`` for a
            voxel that none does.
    """

    lengths: bool
    around: bool
    reached: np.ndarray
    number: np.ndarray


def families(window: Window) -> Iterator[Family]:
    """Yield the regions that grow from the seeds, by two geodesic distances.

    Intensities alone fill a shape of any form up to its edge; with lengths, a region does not run
    through a gap in the edge. Where something has the class already, regions grow from its border
    as well: what is missing is often a shell around it. A voxel that rivals are nearer to than the
    seeds is in none.
    """
    smooth = without_noise(window.intensities)
    walled = np.where(window.free, smooth, _WALL)
    for lengths in (False, True):
        unit, weight = (np.float32(_PIXELS), 0.5) if lengths else (np.float32(1), 1.0)

        def away(
            image: np.ndarray, places: np.ndarray, unit: np.float32 = unit, weight: float = weight
        ) -> np.ndarray:
            return geodesic_distance(image * unit, places, window.spacing, weight=weight)

        own = away(walled, window.seeds)
        allowed = window.free & (own < _WALL / 4)
        if window.rivals.any():
            allowed &= (own < away(smooth, window.rivals)) | window.seeds
        yield from _nested(own, allowed, window.seeds, lengths, around=False)
        beside = window.free & ndimage.binary_dilation(window.ours)
        if beside.any():
            shell = away(walled, beside | window.seeds)
            yield from _nested(shell, allowed, window.seeds, lengths, around=True)


def _nested(
    distance: np.ndarray, allowed: np.ndarray, seeds: np.ndarray, lengths: bool, around: bool
) -> Iterator[Family]:
    """Yield regions of growing size, or nothing where nothing but the seeds can be reached."""
    values = np.sort(distance[allowed])
    least = int(np.count_nonzero(seeds))
    if len(values) <= least:
        return
    sizes = np.geomspace(least, len(values), _LEVELS).astype(np.intp)
    reached = np.unique(values[sizes - 1])
    number = np.searchsorted(reached, distance).astype(np.int32)
    number[~allowed] = len(reached)
    yield Family(lengths, around, reached, number)
