"""What every layout of a data set has in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.targets import ClassMarks
from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True)
class SliceSettings:
    """Cases cut into single slices, for 2D networks that will see single images.

    The slices are those that a 2D network sees at run time (axial, or the thick ones).

    Attributes:
        every: one of so many slices with target is taken.
        least_voxels: slices with less target than this are left out.
        without_target: slices without target that are added, as a share of those with target.
    """

    every: int = 1
    least_voxels: int = 10
    without_target: float = 0.5

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.every < 1 or self.least_voxels < 1 or self.without_target < 0:
            raise InputError("every and least_voxels must be at least 1, without_target 0.")


@dataclass(frozen=True)
class DataFault:
    """Something in the data that is wrong.

    Attributes:
        where: "data set/case", or the data set or file.
        text: one sentence.
        fatal: whether training must not start.
    """

    where: str
    text: str
    fatal: bool = True


@dataclass(frozen=True)
class Found:
    """What a source found in its folder.

    Attributes:
        cases: without patients; with a use where the layout gives one.
        problems: what was wrong on the way, such as images without a label.
    """

    cases: list[LabeledCase]
    problems: list[DataFault] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A data set.

    Attributes:
        layout: how the data set is laid out on disk.
        dataset: its name, in tables and in the split file.
        folder: where it lies below the data root; the data set's name when empty.
        target_labels: which labels are the target; every label above 0 when empty.
        segments: which segments are the target, by name, where labels are Slicer segmentations
            (.seg.nrrd, .mrb); all of them when empty.
        ignored_labels: labels of voxels that nobody has judged, such as the border around VOC's
            objects: they count neither in training nor in measures.
        patient: regular expression that finds the patient in a case's name (its first group, or
            all that it matches); no patient lies on both sides of the split. When empty, every
            case is a patient of its own.
        weight: share of the training samples, relative to the other sources.
        slices: cut the volumes into single slices, for 2D networks; null for whole volumes.
    """

    layout: str = ""
    dataset: str
    folder: str = ""
    target_labels: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    ignored_labels: tuple[int, ...] = ()
    patient: str = ""
    weight: float = 1.0
    slices: SliceSettings | None = None

    def __post_init__(self) -> None:
        """Check what every source has; layouts with more to check extend this."""
        if not self.dataset:
            raise InputError("dataset is empty; a name is expected.")
        if self.weight <= 0:
            raise InputError(f"weight is {self.weight:g}, expected a number above 0.")
        if self.ignored_labels and self.segments:
            raise InputError("ignored_labels are values of labelmaps; segments have none.")
        both = sorted({*self.ignored_labels} & {0, *self.target_labels})
        if both:
            raise InputError(
                f"ignored_labels holds {both[0]}, which is the background's or the target's label."
            )
        try:
            re.compile(self.patient)
        except re.error as error:
            raise InputError(f"patient is no regular expression: {error}.") from error

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return 1

    @abstractmethod
    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return the cases.

        Args:
            folder: of the data set.
            listed: names of the cases that the split file lists for this data set.

        Raises:
            InputError: the folder is not laid out as this source expects.
        """

    def resolved(self, marks: ClassMarks, folder: Path) -> ClassMarks:
        """Return what marks a class in this layout's labels; names are those of segments.

        Args:
            marks: labels and names as the configuration says them.
            folder: of the data set.

        Raises:
            InputError: the layout has no such name.
        """
        return marks

    def patient_of(self, name: str) -> str | None:
        """Return the patient of a case, or None when the pattern does not find one."""
        if not self.patient:
            return f"{self.dataset}/{name}"
        match = re.search(self.patient, name)
        if match is None:
            return None
        return match.group(1) if match.re.groups else match.group()
