"""Targets in real images that nobody has labeled: whatever a user could mean is one.

A region grows from a voxel: over similar intensities, over a geodesic ball, or over supervoxels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.geodesic import geodesic_distance
from DeepIGeoSLib.samples.synthesis.fields import smooth_noise

# A region is a target when it has at least so many voxels, and at most this share of the image.
_SMALLEST, _LARGEST = 24, 0.5


def random_region(
    image: np.ndarray, spacing: Sequence[float], random: np.random.Generator
) -> np.ndarray | None:
    """Return a region that the image itself suggests, or None when none of a few tries fits.

    Args:
        image: float32, axes (k, j, i).
        spacing: of the voxels, in pixels.
        random: source of every choice.

    Returns:
        bool, the image's shape, connected.
    """
    smooth = ndimage.gaussian_filter(image, [random.uniform(0.5, 2) / s for s in spacing])
    deviation = float(smooth.std())
    if deviation < 1e-6:
        return None
    smooth /= np.float32(deviation)
    for _ in range(4):
        seed = tuple(int(random.integers(n // 5, max(n // 5 + 1, n - n // 5))) for n in image.shape)
        grow = (_similar, _ball, _supervoxels)[int(random.choice(3, p=(0.45, 0.2, 0.35)))]
        region = grow(smooth, spacing, seed, random)
        region = _tidied(region, seed, random)
        if region is not None and _SMALLEST <= region.sum() <= _LARGEST * region.size:
            return region
    return None


def _similar(
    smooth: np.ndarray,
    spacing: Sequence[float],
    seed: tuple[int, ...],
    random: np.random.Generator,
) -> np.ndarray:
    """Grow over intensities like the seed's, within a distance that keeps leaks away."""
    below, above = random.uniform(0.15, 1.2, size=2)
    if random.random() < 0.4:  # open towards bright or towards dark, as a threshold is
        below, above = (below, np.inf) if random.random() < 0.5 else (np.inf, above)
    value = smooth[seed]
    alike = (smooth >= value - below) & (smooth <= value + above)
    reach = random.uniform(0.08, 0.6) * max(smooth.shape[1:])
    return alike & (_distances(smooth.shape, spacing, seed) <= reach)


def _ball(
    smooth: np.ndarray,
    spacing: Sequence[float],
    seed: tuple[int, ...],
    random: np.random.Generator,
) -> np.ndarray:
    seeds = np.zeros(smooth.shape, dtype=bool)
    seeds[seed] = True
    reach = np.exp(random.uniform(np.log(3), np.log(0.4 * max(smooth.shape[1:]))))
    distance = geodesic_distance(
        smooth * np.float32(random.uniform(4, 20)),
        seeds,
        spacing,
        weight=0.7,
        max_distance=float(reach),
    )
    return distance < reach * 0.999


def _supervoxels(
    smooth: np.ndarray,
    spacing: Sequence[float],
    seed: tuple[int, ...],
    random: np.random.Generator,
) -> np.ndarray:
    """Take the seed's catchment basin of the gradient's watershed, and some of its neighbors."""
    slope = ndimage.gaussian_gradient_magnitude(smooth, 1.0)
    slope = np.minimum(255, slope * np.float32(255 / (np.percentile(slope, 99) + 1e-6)))
    size = np.exp(random.uniform(np.log(5), np.log(0.4 * max(smooth.shape[1:]))))
    markers = np.zeros(smooth.shape, dtype=np.int32)
    steps = [max(1, round(size / s)) for s in spacing]
    grid = np.meshgrid(
        *(
            np.arange(random.integers(step), n, step)
            for n, step in zip(smooth.shape, steps, strict=True)
        ),
        indexing="ij",
    )
    places = [
        np.clip(g + random.integers(-step // 3, step // 3 + 1, size=g.shape), 0, n - 1)
        for g, step, n in zip(grid, steps, smooth.shape, strict=True)
    ]
    markers[tuple(places)] = np.arange(1, places[0].size + 1).reshape(places[0].shape)
    markers[seed] = places[0].size + 1
    basins = ndimage.watershed_ift(slope.astype(np.uint8), markers)
    chosen = basins == basins[seed]
    for _ in range(int(random.integers(0, 4))):
        around = ndimage.binary_dilation(chosen) & ~chosen
        beside = basins[around]
        if beside.size == 0:
            break
        values = np.array(
            [abs(smooth[seed] - smooth[around][beside == b].mean()) for b in np.unique(beside)[:12]]
        )
        chosen |= basins == np.unique(beside)[:12][values.argmin()]
    return chosen


def _distances(shape: Sequence[int], spacing: Sequence[float], seed: Sequence[int]) -> np.ndarray:
    grids = np.ogrid[tuple(slice(0, n) for n in shape)]
    squares = sum(((g - c) * s) ** 2 for g, c, s in zip(grids, seed, spacing, strict=True))
    return np.sqrt(squares)


def _tidied(
    region: np.ndarray, seed: tuple[int, ...], random: np.random.Generator
) -> np.ndarray | None:
    """Return the connected part around the seed, smoothed as a reader's outline is."""
    field = ndimage.gaussian_filter(region.astype(np.float32), random.uniform(0.6, 1.6))
    if random.random() < 0.2:
        field += 0.15 * smooth_noise(region.shape, (1, 1, 1), random.uniform(4, 12), random=random)
    numbered, _ = ndimage.label(field > 0.5)
    number = numbered[seed]
    if number == 0:
        return None
    region = numbered == number
    return ndimage.binary_fill_holes(region) if random.random() < 0.3 else region
