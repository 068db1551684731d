"""Structures in images that are made up altogether."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.samples.synthesis import acquired, part_of, random_anatomy, random_region
from DeepIGeoSLib.training.any_structure.images import RealImage

# Voxels (k, j, i) of made-up volumes and pictures, at least and at most.
_VOLUMES, _PICTURES = ((12, 80, 80), (48, 150, 150)), ((1, 128, 128), (1, 320, 320))
_SHARE_OF_PICTURES = 0.3

# Fewer voxels than this are no structure that rules are fitted to.
_SMALLEST = 40


def made_up_images(count: int, seed: int) -> list[RealImage]:
    """Return volumes and pictures of many sizes, with a structure of label 1 in each.

    The network has seen none of them, however long it was trained.
    """
    images: list[RealImage] = []
    random = np.random.default_rng(seed)
    while len(images) < count:
        low, high = _PICTURES if random.random() < _SHARE_OF_PICTURES else _VOLUMES
        shape = random.integers(low, high, endpoint=True).tolist()
        image, structure, _, spacing = made_up_structure(shape, random)
        if np.count_nonzero(structure) >= _SMALLEST:
            images.append(RealImage(image, structure.astype(np.int32), spacing, (1,)))
    return images


def made_up_structure(
    shape: Sequence[int], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], tuple[float, float, float]]:
    """Return a made-up image, a structure in it, what else there is, and the voxels' spacing.

    Args:
        shape: voxels (k, j, i).
        random: source of every choice.

    Returns:
        float32 intensities, the structure (bool), the other structures (bool each), and the
        spacing in pixels (the finest is 1). Nothing may be in the first, rarely.
    """
    thickness = 1.0
    if shape[0] > 1 and random.random() < 0.7:
        thickness = float(np.exp(random.uniform(0, np.log(6))))
    spacing = (thickness, 1.0, 1.0)
    anatomy = random_anatomy(shape, spacing, random)
    image = acquired(anatomy, spacing, random)
    objects = anatomy.objects
    if not objects or random.random() < 0.1:
        region = random_region(image, spacing, random)
        target = np.zeros(shape, dtype=bool) if region is None else region
        return image, target, objects, spacing
    number = int(random.integers(len(objects)))
    whole = objects[number]
    # What later objects covered belongs to it or not: both are what users mean.
    if random.random() < 0.6:
        whole = whole & (anatomy.labels == anatomy.tissues + number)
    if not whole.any():
        whole = objects[number]
    voxels = np.argwhere(whole)
    target = part_of(whole, spacing, voxels[random.integers(len(voxels))], random=random)
    others = [mask for other, mask in enumerate(objects) if other != number]
    return image, target, others, spacing
