"""Random anatomy: tissues that fill the volume, and objects in, on and beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.samples.synthesis.fields import smooth_noise
from DeepIGeoSLib.samples.synthesis.shapes import blob, ellipsoid, sheet, tree

_KINDS = ("ellipsoid", "cluster", "tree", "sheet", "blob", "nested")
_CHANCES = (0.34, 0.16, 0.14, 0.1, 0.12, 0.14)


@dataclass(frozen=True)
class Anatomy:
    """What lies where in a made-up volume.

    Attributes:
        labels: int16, axes (k, j, i): first the tissues, from 0, then the objects.
        tissues: how many of the labels are tissues.
        objects: what was put in, as bool arrays of the same shape, before later ones covered parts.
    """

    labels: np.ndarray
    tissues: int
    objects: list[np.ndarray]


def random_anatomy(
    shape: Sequence[int], spacing: Sequence[float], random: np.random.Generator
) -> Anatomy:
    """Return tissues and objects of random shape, size and number.

    Args:
        shape: voxels (k, j, i).
        spacing: of the voxels, in pixels.
        random: source of every choice.
    """
    labels, tissues = _tissues(shape, spacing, random)
    objects: list[np.ndarray] = []
    label = tissues
    # Large objects come first, so that small ones lie in and on them.
    largest = 0.55 * max(shape[1:])
    count = int(random.integers(2, 8))
    radii = np.sort(np.exp(random.uniform(np.log(2.5), np.log(largest), size=count)))[::-1]
    for radius in radii:
        kind = random.choice(_KINDS, p=_CHANCES)
        for mask in _objects(kind, float(radius), labels, objects, spacing, random):
            if np.count_nonzero(mask) >= 6:
                labels[mask] = label
                label += 1
                objects.append(mask)
    return Anatomy(labels, tissues, objects)


def _tissues(
    shape: Sequence[int], spacing: Sequence[float], random: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Divide a volume into regions with smooth borders."""
    count = int(random.integers(1, 5))
    labels = np.zeros(shape, dtype=np.int16)
    if count == 1:
        return labels, 1
    scale = np.exp(random.uniform(np.log(8), np.log(1.2 * max(shape[1:]))))
    highest = smooth_noise(shape, spacing, scale, random=random)
    for number in range(1, count):
        other = smooth_noise(shape, spacing, scale, random=random)
        labels[other > highest] = number
        highest = np.maximum(highest, other)
    return labels, count


def _objects(
    kind: str,
    radius: float,
    labels: np.ndarray,
    objects: Sequence[np.ndarray],
    spacing: Sequence[float],
    random: np.random.Generator,
) -> list[np.ndarray]:
    """Return one object of a kind, or the several objects of a cluster."""
    shape = labels.shape
    center = [random.uniform(0, n - 1) for n in shape]
    if kind == "tree":
        return [
            tree(
                shape,
                spacing,
                start=center,
                radius=min(radius, 9.0) * random.uniform(0.3, 1),
                random=random,
            )
        ]
    if kind == "sheet":
        return [
            sheet(
                shape,
                spacing,
                center=center,
                thickness=min(radius, 6.0) * random.uniform(0.3, 1),
                random=random,
            )
        ]
    if kind == "blob":
        return [blob(shape, spacing, center=center, scale=radius, random=random)]
    if kind == "nested" and objects:
        return [_within(objects[int(random.integers(len(objects)))], spacing, random)]
    if kind == "cluster":
        return _cluster(shape, spacing, center, min(radius, 0.2 * max(shape[1:])), random)
    return [ellipsoid(shape, spacing, center=center, radius=radius, random=random) > 0]


def _cluster(
    shape: Sequence[int],
    spacing: Sequence[float],
    center: Sequence[float],
    radius: float,
    random: np.random.Generator,
) -> list[np.ndarray]:
    """Return objects of one kind that touch, such as vertebrae, cells or lobes."""
    found = []
    direction = random.normal(size=3)
    if shape[0] == 1:
        direction[0] = 0
    step = direction / np.linalg.norm(direction) * radius * random.uniform(1.4, 2.6)
    in_a_row = random.random() < 0.5
    taken = np.zeros(shape, dtype=bool)
    for number in range(int(random.integers(2, 6))):
        offset = step * number if in_a_row else random.normal(0, 1.6 * radius, size=3)
        place = [c + o / s for c, o, s in zip(center, offset, spacing, strict=True)]
        if shape[0] == 1:
            place[0] = 0
        mask = (ellipsoid(shape, spacing, center=place, radius=radius, random=random) > 0) & ~taken
        taken |= mask
        found.append(mask)
    return found


def _within(outer: np.ndarray, spacing: Sequence[float], random: np.random.Generator) -> np.ndarray:
    """Return an object inside another one: a core, a lesion in an organ, or a cavity."""
    voxels = np.flatnonzero(outer)
    center = np.unravel_index(voxels[random.integers(voxels.size)], outer.shape)
    size = (voxels.size * float(np.prod(spacing))) ** (1 / (2 if outer.shape[0] == 1 else 3))
    radius = max(1.5, size * random.uniform(0.15, 0.5))
    return (
        ellipsoid(outer.shape, spacing, center=center, radius=radius, random=random) > 0
    ) & outer
