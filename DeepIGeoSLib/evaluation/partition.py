"""How well a mask divides an image into objects: pixel, Rand and warping error.

The measures of the ISBI 2012 challenge (Arganda-Carreras et al., 2015) for pictures of cells and
the membranes between them; an object is a connected part of the mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.data.objects import separated
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.simple_points import IS_SIMPLE, code_at, eight_neighbors

# Of the probability that a pixel belongs to an object.
THRESHOLDS = tuple(step / 20 for step in range(2, 20))


@dataclass(frozen=True)
class LeastErrors:
    """The least mean errors over ``THRESHOLDS``, each with its own threshold.

    So the ISBI 2012 challenge ranks answers: by their best threshold, which is chosen by the truth.

    Attributes:
        pixel: least mean pixel error.
        rand: least mean Rand error.
        pixel_threshold, rand_threshold: where they are.
    """

    pixel: float
    rand: float
    pixel_threshold: float
    rand_threshold: float

    @classmethod
    def of(cls, errors: Sequence[np.ndarray]) -> LeastErrors:
        """Take the mean of what ``errors_by_threshold`` returned for each image."""
        mean = np.mean(errors, axis=0)
        places = mean.argmin(axis=0)
        return cls(*mean.min(axis=0).tolist(), *(THRESHOLDS[place] for place in places))


def errors_by_threshold(probability: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """Return pixel and Rand error at each of ``THRESHOLDS``: (thresholds, 2).

    Args:
        probability: that a pixel belongs to an object, axes ([k,] j, i).
        objects: the truth, see ``partition_errors``.
    """
    masks = (probability >= threshold for threshold in THRESHOLDS)
    return np.array([(pixel_error(m, objects > 0), rand_error(m, objects)) for m in masks])


def partition_errors(labels: np.ndarray, objects: np.ndarray) -> dict[str, float]:
    """Return "pixel error", "rand error" and "warping error" of a mask.

    Args:
        labels: bool, axes ([k,] j, i).
        objects: the truth: a mask whose connected parts are the objects, or whole numbers, another
            for each object and 0 outside. Where numbered objects touch, the warping error wants a
            gap between them.
    """
    mask = objects > 0
    apart = mask if objects.dtype == bool else separated(objects) > 0
    return {
        "pixel error": pixel_error(labels, mask),
        "rand error": rand_error(labels, objects),
        "warping error": warping_error(labels, apart),
    }


def pixel_error(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of pixels that differ, of two bool arrays."""
    _check(labels, truth)
    return float(np.count_nonzero(labels != truth) / max(1, truth.size))


def rand_error(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return 1 - F of the pairs of foreground pixels that lie in one object in both.

    Of all pairs of pixels in the true foreground, precision is the share of those together in the
    result that belong together, recall the share of those that belong together that the result
    leaves together; F is their harmonic mean. A pixel of an object that the result leaves out is an
    object of its own.

    Args:
        labels: bool, axes ([k,] j, i).
        truth: the same, or whole numbers, another for each object and 0 outside.

    Raises:
        InputError: the shapes differ.
    """
    _check(labels, truth)
    known = _objects(truth) if truth.dtype == bool else truth
    found = _objects(labels)
    inside = known > 0
    known, found = known[inside], found[inside]
    pairs = np.stack([known, found])[:, found > 0]
    _, together = np.unique(pairs, axis=1, return_counts=True)
    _, in_found = np.unique(pairs[1], return_counts=True)
    _, in_known = np.unique(known, return_counts=True)
    right, claimed, wanted = (_pairs(counts) for counts in (together, in_found, in_known))
    return 1.0 - (2 * right / (claimed + wanted) if claimed + wanted else 1.0)


def warping_error(labels: np.ndarray, truth: np.ndarray) -> float:
    """Return which share of pixels still differs when the truth is bent towards the result.

    The truth is changed pixel by pixel, only where it differs, and never so that an object splits,
    merges, appears or vanishes (objects connected by edges, what lies between them by corners).
    What cannot be reached so is a split, a merger, a hole or an object too many; borders that are a
    little off cost nothing (Jain et al., CVPR 2010, whose search this is: it makes no detours, so
    a detour might come still nearer). Volumes are measured slice by slice.

    Args:
        labels: bool, axes ([k,] j, i).
        truth: the same.

    Raises:
        InputError: the shapes differ.
    """
    _check(labels, truth)
    flat = truth.shape[-2:]
    slices = zip(labels.reshape(-1, *flat), truth.reshape(-1, *flat), strict=True)
    left = sum(int(np.count_nonzero(warped(own, true) != own)) for own, true in slices)
    return left / max(1, truth.size)


def warped(labels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the truth (bool, (j, i)) bent towards the result as far as its topology allows."""
    image = np.pad(truth, 1).astype(np.uint8)
    wanted = np.pad(labels, 1).astype(np.uint8)
    width = image.shape[1]
    flat, goal = image.ravel(), wanted.ravel()
    around = eight_neighbors(width)
    frame = np.zeros(image.shape, dtype=bool)
    frame[[0, -1], :] = frame[:, [0, -1]] = True
    kept = frame.ravel()
    waiting = np.flatnonzero((flat != goal) & ~kept).tolist()
    queued = np.zeros(flat.shape, dtype=bool)
    queued[waiting] = True
    while waiting:
        next_round: list[int] = []
        for place in waiting:
            queued[place] = False
            if not IS_SIMPLE[code_at(flat, place, around)]:
                continue
            flat[place] = goal[place]
            for step in around:
                other = place + step
                if flat[other] != goal[other] and not queued[other] and not kept[other]:
                    queued[other] = True
                    next_round.append(other)
        waiting = next_round
    return image[1:-1, 1:-1].astype(bool)


def _objects(mask: np.ndarray) -> np.ndarray:
    return ndimage.label(mask)[0]


def _pairs(counts: Sequence[int] | np.ndarray) -> float:
    counts = np.asarray(counts, dtype=np.float64)
    return float((counts * (counts - 1) / 2).sum())


def _check(labels: np.ndarray, truth: np.ndarray) -> None:
    if labels.shape != truth.shape:
        raise InputError(f"The result has the shape {labels.shape}, but the truth {truth.shape}.")
