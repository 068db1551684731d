"""A case with a known truth on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from DeepIGeoSLib.data.targets import ClassMarks
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.targets import IGNORED, Target, in_targets
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class LabeledCase:
    """An image and its labelmap on disk.

    Layouts that store them in another way than as two files on one grid derive from this class and
    replace ``read_channels`` and ``read_labels``.

    Attributes:
        dataset: name of the data set.
        name: of the case.
        image: file or DICOM folder of the first channel.
        label: labelmap on the image's grid, or Slicer segmentation (.seg.nrrd).
        target_labels: which labels are the target; every label above 0 when empty.
        segments: which segments of a segmentation are the target; all of them when empty.
        ignored_labels: labels of voxels that count neither as target nor as background.
        other_channels: files of the channels after the first, on the same grid.
        patient: two cases of one patient have the same; never on both sides of a split.
        use: "train", "val" or another word of a split file; empty before the split.
        may_be_empty: whether the case is there to show the absence of the target.
        classes: what marks each of several classes, from class 1 on; empty for a single target.
        targets: those that the classes are parts of; empty for a single one.
        target: name of the only one of several targets that this case is about; empty for all.
    """

    dataset: str
    name: str
    image: Path
    label: Path
    target_labels: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    ignored_labels: tuple[int, ...] = ()
    other_channels: tuple[Path, ...] = ()
    patient: str = ""
    use: str = ""
    may_be_empty: bool = False
    classes: tuple[ClassMarks, ...] = ()
    targets: tuple[Target, ...] = ()
    target: str = ""

    def files(self) -> tuple[Path, ...]:
        """Return every file (or DICOM folder) that the case needs."""
        return tuple(dict.fromkeys((self.image, *self.other_channels, self.label)))

    def load(self) -> tuple[Volume, np.ndarray]:
        """Return the first channel and the target mask (bool, the volume's shape).

        Raises:
            InputError: as ``load_channels``.
        """
        channels, mask = self.load_channels()
        return channels[0], mask

    def load_channels(self) -> tuple[list[Volume], np.ndarray]:
        """Return all channels and the target mask (bool, their shape).

        Raises:
            InputError: a file can't be read, the grids differ, or the target is empty.
        """
        channels = on_one_grid(self.read_channels())
        mask = self.target_of(self.read_labels(channels[0]))
        if not mask.any() and not self.may_be_empty:
            raise InputError(f"{self.label} has no voxel of the target.")
        return channels, mask

    def load_classes(self) -> tuple[list[Volume], np.ndarray]:
        """Return all channels and the class of each voxel (uint8, their shape).

        Raises:
            InputError: as ``load_channels``.
        """
        channels = on_one_grid(self.read_channels())
        classes = self.read_classes(channels[0])
        if not in_targets(classes).any() and not self.may_be_empty:
            raise InputError(f"{self.label} has no voxel of any target.")
        return channels, classes

    def read_classes(self, volume: Volume) -> np.ndarray:
        """Return the class of each voxel of ``volume``: uint8, 0 where there is no target.

        A single target is class 1. Where segments overlap, the one of the later class counts.
        ``IGNORED`` is in the place of a class where no label counts.
        """
        classes = np.zeros(volume.shape, dtype=np.uint8)
        for number, marks in enumerate(self.classes, 1):
            part = self.marked_by([marks])
            classes[part.target_of(part.read_labels(volume))] = number
        if not self.classes:
            classes[self.target_of(self.read_labels(volume))] = 1
        ignored = self.read_ignored(volume)
        if ignored is not None:
            classes[ignored] = IGNORED
        return classes

    def read_ignored(self, volume: Volume) -> np.ndarray | None:
        """Return where labels don't count: bool, on the grid of ``volume``; None for nowhere."""
        if not self.ignored_labels:
            return None
        return np.isin(self.read_labels(volume), self.ignored_labels)

    def marked_by(self, marks: Iterable[ClassMarks]) -> LabeledCase:
        """Return the same case with other labels and segments for its one target."""
        marks = list(marks)
        return replace(
            self,
            target_labels=tuple(label for one in marks for label in one.labels),
            segments=tuple(name for one in marks for name in one.names),
            classes=(),
            targets=(),
        )

    def of_target(self, target: Target) -> LabeledCase:
        """Return the case with one of its targets alone, which it need not show."""
        case = self.marked_by(self.classes[number - 1] for number in target.classes)
        dataset = f"{self.dataset} ({target.name})"
        return replace(case, target=target.name, dataset=dataset, may_be_empty=True)

    def for_each_target(self) -> list[LabeledCase]:
        """Return the case itself, or, of several targets, one case for each."""
        return [self.of_target(target) for target in self.targets] or [self]

    def read_channels(self) -> list[Volume]:
        """Read the image."""
        return [Volume.read(path) for path in (self.image, *self.other_channels)]

    def read_labels(self, volume: Volume) -> np.ndarray:
        """Read the labels: whole numbers on the grid of ``volume``, axes (k, j, i)."""
        return volume.read_labels(self.label, self.segments)

    def target_of(self, labels: np.ndarray) -> np.ndarray:
        """Return where labels are the target: bool, their shape."""
        if self.target_labels:
            return np.isin(labels, self.target_labels)
        return (labels > 0) & ~np.isin(labels, self.ignored_labels)


def on_one_grid(channels: list[Volume]) -> list[Volume]:
    """Return the channels along the axes of the first.

    Raises:
        InputError: one lies on other voxels.
    """
    return [channels[0].aligned(channel) for channel in channels]
