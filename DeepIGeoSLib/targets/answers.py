"""From the probabilities of exclusive classes to those of targets, and to one labelmap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from DeepIGeoSLib.targets.target import Target, class_count

# The largest float32 that is no label yet.
_BELOW_HALF = np.nextafter(np.float32(0.5), np.float32(0))


def target_probabilities(classes: np.ndarray, targets: Sequence[Target]) -> np.ndarray:
    """Return for each target its probability against the strongest of what excludes it.

    Each is p / (p + q), with q that of its strongest rival: another target, or all that belongs to
    none. So 0.5 and more means that the target wins, as the largest of the classes' probabilities
    does: targets that exclude each other never overlap and leave no gap between them, and a target
    in another one is never outside of it. With one target it is the probability itself.

    Args:
        classes: probabilities of all classes but the background, axes (class, k, j, i).
        targets: see ``check_targets``.

    Returns:
        float32 in [0, 1], axes (target, k, j, i). Where two win alike, it is the first one's voxel.
    """
    background = np.clip(1 - classes.sum(axis=0), 0, 1)
    everything = [background, *classes]
    found = np.empty((len(targets), *classes.shape[1:]), dtype=np.float32)
    for number, target in enumerate(targets):
        own = _sum(everything, target.classes)
        strongest = np.zeros_like(own)
        for rival in _rivals(target, targets):
            np.maximum(strongest, _sum(everything, rival), out=strongest)
        total = own + strongest
        np.divide(own, total, out=found[number], where=total > 0)
        found[number][total <= 0] = 0
        for earlier, other in zip(found[:number], targets, strict=False):
            if target.excludes(other):
                found[number][(earlier >= 0.5) & (found[number] >= 0.5)] = _BELOW_HALF
    return found


def label_numbers(masks: Sequence[np.ndarray], targets: Sequence[Target]) -> np.ndarray:
    """Return one labelmap of all targets: uint8, 1 for the first target, 2 for the second, ...

    Where one target lies in another, its voxels have its own number.

    Args:
        masks: where each target is: bool, all of one shape.
        targets: in the same order.
    """
    labels = np.zeros(masks[0].shape, dtype=np.uint8)
    outer_first = sorted(range(len(targets)), key=lambda number: -len(targets[number].classes))
    for number in outer_first:
        labels[masks[number]] = number + 1
    return labels


def masks_of_labels(labels: np.ndarray, targets: Sequence[Target]) -> list[np.ndarray]:
    """Return where each target is in a labelmap from ``label_numbers``: bool, its shape."""
    return [
        np.isin(labels, [n for n, t in enumerate(targets, 1) if set(t.classes) <= set(own.classes)])
        for own in targets
    ]


def _rivals(target: Target, targets: Sequence[Target]) -> Iterator[tuple[int, ...]]:
    """Yield the classes of each target that excludes this one, and those that nobody claims."""
    left = set(range(class_count(targets))) - set(target.classes)
    for other in targets:
        if target.excludes(other):
            left -= set(other.classes)
            yield other.classes
    yield tuple(sorted(left))


def _sum(everything: Sequence[np.ndarray], numbers: Sequence[int]) -> np.ndarray:
    total = np.zeros(everything[0].shape, dtype=np.float32)
    for number in numbers:
        total += everything[number]
    return total
