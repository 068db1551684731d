"""What a bundle answers for a case: one target, several, or objects with a number each."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from DeepIGeoSLib.dicom import SegmentationMeaning
from DeepIGeoSLib.instances import Instances
from DeepIGeoSLib.interaction.segmentation import Segmentation


@dataclass(frozen=True)
class AnsweredTarget:
    """One target, or all objects of one kind.

    Attributes:
        name: what it is.
        label: its value in a labelmap; 0 for objects, which have numbers of their own.
        mask: bool, axes (k, j, i).
        segmentation: with probability and uncertainty; None for objects.
        objects: how many there are; None where connected parts are to be counted.
    """

    name: str
    label: int
    mask: np.ndarray
    segmentation: Segmentation | None = None
    objects: int | None = None


@dataclass(frozen=True)
class CaseAnswer:
    """All that was found in a case.

    Attributes:
        numbers: what a labelmap holds: labels of targets, or numbers of objects; axes (k, j, i).
        targets: in the order of their labels.
        objects: None where targets were segmented.
    """

    numbers: np.ndarray
    targets: tuple[AnsweredTarget, ...]
    objects: Instances | None = None


def meaning_of_objects(meaning: SegmentationMeaning, objects: Instances) -> SegmentationMeaning:
    """Return what a DICOM segmentation says of objects: each has its kind and its number."""
    known = meaning.of(1)
    segments = {
        number: replace(known, label=f"{one.kind or known.label} {number}")
        for number, one in enumerate(objects.found, 1)
    }
    return replace(meaning, segments=segments or meaning.segments)
