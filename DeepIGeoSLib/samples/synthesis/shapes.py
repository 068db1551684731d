"""Random shapes: deformed ellipsoids, tubes and trees, sheets, and blobs of a field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.samples.synthesis.fields import coordinates, rotated, smooth_noise


def ellipsoid(
    shape: Sequence[int],
    spacing: Sequence[float],
    *,
    center: Sequence[float],
    radius: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Return how deep voxels lie in a deformed superellipsoid: positive inside, 1 in the middle.

    Args:
        shape: voxels (k, j, i).
        spacing: in pixels.
        center: voxel.
        radius: mean half axis, in pixels.
        random: source of every choice.
    """
    axes = rotated(coordinates(shape, spacing, center), random, shape[0] == 1)
    radii = radius * np.exp(random.normal(0, 0.35, size=3))
    power = 2.0 if random.random() < 0.6 else random.uniform(1.5, 5)
    distance = sum(
        np.abs(x / np.float32(r)) ** np.float32(power) for x, r in zip(axes, radii, strict=True)
    )
    distance = distance ** np.float32(1 / power)
    if random.random() < 0.85:
        scale = radius * random.uniform(0.35, 1.2)
        bumps = smooth_noise(shape, spacing, max(2.0, scale), random=random)
        distance = distance + np.float32(random.uniform(0.03, 0.3)) * bumps
    return np.float32(1) - distance.astype(np.float32)


def tree(
    shape: Sequence[int],
    spacing: Sequence[float],
    *,
    start: Sequence[float],
    radius: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Return a winding tube with branches, such as a vessel or a bronchus: bool.

    Args:
        shape: voxels (k, j, i).
        spacing: in pixels.
        start: voxel where the stem begins.
        radius: of the stem, in pixels.
        random: source of every choice.
    """
    mask = np.zeros(shape, dtype=bool)
    branches = [(np.array(start, dtype=float), _direction(random, shape[0] == 1), radius)]
    turn, grown = random.uniform(0.05, 0.35), 0
    while branches and grown < 12:
        place, direction, width = branches.pop(0)
        grown += 1
        for _ in range(int(random.uniform(10, 60))):
            _stamp(mask, spacing, place, width)
            direction = direction + random.normal(0, turn, size=3)
            if shape[0] == 1:
                direction[0] = 0
            direction /= np.linalg.norm(direction)
            place = place + direction * max(0.8, 0.6 * width) / np.asarray(spacing)
            width = max(0.6, width * random.uniform(0.96, 1.03))
            if np.any(place < 0) or np.any(place >= shape):
                break
            if random.random() < 0.04 and width > 0.8:
                fork = direction + random.normal(0, 0.8, size=3)
                branches.append((place.copy(), fork / np.linalg.norm(fork), width * 0.7))
    return mask


def sheet(
    shape: Sequence[int],
    spacing: Sequence[float],
    *,
    center: Sequence[float],
    thickness: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Return a curved layer, such as a wall, a cortex or a membrane: bool.

    It is the shell of a large deformed ellipsoid, or the zero level of a field.
    """
    if random.random() < 0.6:
        radius = random.uniform(0.2, 0.6) * max(shape[1:])
        depth = ellipsoid(shape, spacing, center=center, radius=radius, random=random) * radius
    else:
        scale = random.uniform(0.15, 0.5) * max(shape[1:])
        depth = smooth_noise(shape, spacing, scale, random=random) * scale / 2
    return np.abs(depth) < max(0.7, thickness)


def blob(
    shape: Sequence[int],
    spacing: Sequence[float],
    *,
    center: Sequence[float],
    scale: float,
    random: np.random.Generator,
) -> np.ndarray:
    """Return the connected high part of a smooth field around a voxel: bool, of any shape."""
    field = smooth_noise(shape, spacing, max(2.0, scale), random=random)
    place = tuple(int(c) for c in center)
    level = field[place] - abs(random.normal(0.4, 0.4))
    numbered, _ = ndimage.label(field > level)
    return numbered == numbered[place]


def _direction(random: np.random.Generator, flat: bool) -> np.ndarray:
    direction = random.normal(size=3)
    if flat:
        direction[0] = 0
    return direction / np.linalg.norm(direction)


def _stamp(mask: np.ndarray, spacing: Sequence[float], place: np.ndarray, radius: float) -> None:
    """Add a ball to a mask in place."""
    reach = [radius / s + 1 for s in spacing]
    box = tuple(
        slice(max(0, int(p - r)), min(n, int(p + r) + 2))
        for p, r, n in zip(place, reach, mask.shape, strict=True)
    )
    grids = np.ogrid[box]
    squares = sum(((g - p) * s) ** 2 for g, p, s in zip(grids, place, spacing, strict=True))
    mask[box] |= squares <= max(radius, 0.6 * min(spacing)) ** 2
