"""A procedural FLAIR-like head with a lesion whose truth is known exactly.

For demonstrations and tests without patient data: skull, brain with folded gray and white matter,
dark ventricles, a bright irregular lesion, a coil's bias field and noise, on oblique thick slices.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.users.corruption import smooth_field
from DeepIGeoSLib.volume import Volume

# Intensities of a FLAIR image, in arbitrary units.
_AIR, _SCALP, _SKULL, _FLUID, _WHITE, _GRAY, _LESION = 10, 380, 40, 60, 210, 260, 400


def head_phantom(
    shape: tuple[int, int, int] = (32, 192, 160),
    spacing: tuple[float, float, float] = (4.5, 1.0, 1.0),
    seed: int = 0,
) -> tuple[Volume, np.ndarray]:
    """Return a head and the mask of its lesion.

    Args:
        shape: voxels along (k, j, i).
        spacing: mm along (k, j, i).
        seed: another head for every number.

    Returns:
        The volume (slices tilted by 10 degrees, axes left, posterior, superior as scanners
        store them) and the lesion, bool, the same shape.
    """
    random = np.random.default_rng(seed)
    place = _millimeters_from_center(shape, spacing)
    head_radii = np.array([68.0, 90.0, 70.0])
    wobble = 0.015 * smooth_field(shape, spacing, 40, random=random)
    radius = _ellipsoid(place, np.zeros(3), head_radii) + wobble
    brain = radius < 0.86
    folds = smooth_field(shape, spacing, 7, random=random)
    ventricles = _ventricles(place) + 0.08 * smooth_field(shape, spacing, 10, random=random) < 1
    lesion = _lesion(place, shape, spacing, random) & brain & ~ventricles

    image = np.full(shape, _AIR, dtype=float)
    image[radius < 1.0] = _SCALP
    image[radius < 0.94] = _SKULL
    image[radius < 0.88] = _FLUID
    cortex = brain & (radius > 0.72)
    image[brain] = _WHITE
    image[cortex & (folds > -0.2)] = _GRAY
    image[cortex & (folds < -1.4)] = _FLUID
    image[brain & ventricles] = _FLUID
    edge = ndimage.gaussian_filter(lesion.astype(float), [0.6 / spacing[0], 1.0, 1.0])
    image += (_LESION - image) * np.clip(edge, 0, 1) * 0.8

    image = ndimage.gaussian_filter(image, (0, 0.6, 0.6))
    image *= 1 + 0.12 * smooth_field(shape, spacing, 80, random=random)
    noise = random.normal(scale=9, size=(2, *shape))
    image = np.hypot(image + noise[0], noise[1])  # magnitude images have Rician noise
    volume = Volume(image, ijk_to_ras=_oblique_matrix(shape, spacing), name="head phantom")
    return volume, lesion


def _millimeters_from_center(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    k, j, i = np.ogrid[
        tuple(
            slice(-(n - 1) / 2 * s, (n - 1) / 2 * s, n * 1j)
            for n, s in zip(shape, spacing, strict=True)
        )
    ]
    return k, j, i


def _ellipsoid(place: tuple[np.ndarray, ...], center: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return the distance from ``center`` in units of the radii: 1 on the ellipsoid."""
    parts = [((x - c) / r) ** 2 for x, c, r in zip(place, center, radii, strict=True)]
    return np.sqrt(parts[0] + parts[1] + parts[2])


def _ventricles(place: tuple[np.ndarray, ...]) -> np.ndarray:
    radii = np.array([16.0, 32.0, 7.0])
    left, right = (_ellipsoid(place, np.array([8.0, 4.0, side]), radii) for side in (-10.0, 10.0))
    return np.minimum(left, right)


def _lesion(
    place: tuple[np.ndarray, ...],
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    random: np.random.Generator,
) -> np.ndarray:
    """Return an irregular lesion beside the ventricles, in one connected piece."""
    side = random.choice([-1, 1])
    center = np.array([random.uniform(5, 20), random.uniform(-30, 25), side * 36.0])
    radii = np.array([random.uniform(14, 20), random.uniform(16, 24), random.uniform(13, 18)])
    level = _ellipsoid(place, center, radii) + 0.16 * smooth_field(
        shape, spacing, 12, random=random
    )
    pieces, _ = ndimage.label(level < 1)
    return pieces == np.argmax(np.bincount(pieces.ravel())[1:]) + 1


def _oblique_matrix(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> np.ndarray:
    """Return ijk_to_ras of slices tilted by 10 degrees around the left-right axis."""
    angle = np.deg2rad(10)
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    axes = tilt @ np.diag([-1.0, -1.0, 1.0]) @ np.diag(spacing[::-1])
    matrix = np.eye(4)
    matrix[:3, :3] = axes
    matrix[:3, 3] = -axes @ ((np.array(shape[::-1]) - 1) / 2)
    return matrix
