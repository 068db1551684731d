"""How well objects were found: average precision, sensitivity, false findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, shared_box
from DeepIGeoSLib.instances import Instances

# The overlaps (IoU) over which COCO averages.
COCO_OVERLAPS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))


@dataclass(frozen=True)
class InstanceMeasurement:
    """Found objects of one or several images against the true ones.

    Attributes:
        ap50: average precision, an object counting as found from an overlap (IoU) of 0.5 on.
        ap: mean of the average precisions at the overlaps 0.5, 0.55, ... 0.95, as COCO has it.
        sensitivity: share of the true objects that were found (overlap 0.5), whatever their score.
        false: found objects that are none, for each image.
        found: how many were found, right or wrong.
        true: how many there are.
    """

    ap50: float
    ap: float
    sensitivity: float
    false: float
    found: int
    true: int


@dataclass(frozen=True)
class ComparedImage:
    """The objects of one image beside the true ones.

    Attributes:
        scores: of the found objects, (N,).
        overlaps: IoU of each found object with each true one, or of their boxes, (N, M).
    """

    scores: np.ndarray
    overlaps: np.ndarray


def compared(found: Instances, truth: np.ndarray) -> ComparedImage:
    """Compare the objects of an image with labels that number the true ones.

    Args:
        found: the objects.
        truth: whole numbers, axes (k, j, i): the number of the true object at each voxel, 0 where
            there is none. Numbers may be left out.

    Raises:
        InputError: the shapes differ.
    """
    numbers, places = _numbered(found, truth)
    counts = np.bincount(places.ravel(), minlength=len(numbers))
    shared = np.zeros((len(found.found), len(numbers)))
    sizes = np.zeros(len(found.found))
    for row, one in enumerate(found.found):
        sizes[row] = one.voxels
        shared[row] = np.bincount(places[one.box][one.mask], minlength=len(numbers))
    overlaps = shared / (sizes[:, None] + counts[None] - shared)
    scores = np.array([one.score for one in found.found])
    return ComparedImage(scores, overlaps[:, numbers != 0])


def compared_boxes(found: Instances, truth: np.ndarray) -> ComparedImage:
    """Compare the boxes of an image's objects with those of the true ones.

    So a network that draws its objects is compared with one that finds boxes alone.

    Args:
        found: the objects.
        truth: as in ``compared``.

    Raises:
        InputError: the shapes differ.
    """
    numbers, places = _numbered(found, truth)
    true = ndimage.find_objects(places + int(0 not in numbers))  # 0 is no object
    overlaps = [[_overlap(one.box, box) for box in true] for one in found.found]
    scores = np.array([one.score for one in found.found])
    return ComparedImage(scores, np.array(overlaps, dtype=float).reshape(len(scores), len(true)))


def measure_instances(images: Sequence[ComparedImage]) -> InstanceMeasurement:
    """Return the measures of all images together.

    Found objects of all images are sorted by score, as COCO does; the average precision is the area
    below the curve of precision over recall, made to fall. Without any true object, AP is 1 when
    nothing was found and 0 otherwise.
    """
    true = sum(image.overlaps.shape[1] for image in images)
    found = sum(len(image.scores) for image in images)
    precisions = {least: _average_precision(images, least, true) for least in COCO_OVERLAPS}
    right = sum(int(_matched(image, 0.5).sum()) for image in images)
    return InstanceMeasurement(
        ap50=precisions[0.5],
        ap=float(np.mean(list(precisions.values()))),
        sensitivity=right / true if true else 1.0,
        false=(found - right) / max(1, len(images)),
        found=found,
        true=true,
    )


def _numbered(found: Instances, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sorted numbers that occur in the truth, and the place of each voxel's in them."""
    if truth.shape != found.shape:
        raise InputError(
            f"The true objects have the shape {truth.shape}, but the image has {found.shape}."
        )
    numbers, places = np.unique(truth, return_inverse=True)
    return numbers, places.reshape(truth.shape)


def _overlap(one: Box, other: Box) -> float:
    """Return the IoU of two boxes that are not empty."""
    inside = shared_box(one, other)
    if inside is None:
        return 0.0
    shared, *both = (prod(part.stop - part.start for part in box) for box in (inside, one, other))
    return shared / (sum(both) - shared)


def _matched(image: ComparedImage, least: float) -> np.ndarray:
    """Return which found objects are right: each true one is found once, by the surest first."""
    right = np.zeros(len(image.scores), dtype=bool)
    free = np.ones(image.overlaps.shape[1], dtype=bool)
    for row in np.argsort(-image.scores, kind="stable"):
        candidates = np.where(free, image.overlaps[row], -1.0)
        if candidates.size and candidates.max() >= least:
            right[row] = True
            free[candidates.argmax()] = False
    return right


def _average_precision(images: Sequence[ComparedImage], least: float, true: int) -> float:
    scores = np.concatenate([image.scores for image in images]) if images else np.empty(0)
    if not true:
        return float(not scores.size)
    if not scores.size:
        return 0.0
    right = np.concatenate([_matched(image, least) for image in images])
    right = right[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(hits) + 1)
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((falling * right).sum() / true)
