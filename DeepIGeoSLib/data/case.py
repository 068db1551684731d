"""A case with a known truth on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
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
        other_channels: files of the channels after the first, on the same grid.
        patient: two cases of one patient have the same; never on both sides of a split.
        use: "train", "val" or another word of a split file; empty before the split.
        may_be_empty: whether the case is there to show the absence of the target.
    """

    dataset: str
    name: str
    image: Path
    label: Path
    target_labels: tuple[int, ...] = ()
    segments: tuple[str, ...] = ()
    other_channels: tuple[Path, ...] = ()
    patient: str = ""
    use: str = ""
    may_be_empty: bool = False

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

    def read_channels(self) -> list[Volume]:
        """Read the image."""
        return [Volume.read(path) for path in (self.image, *self.other_channels)]

    def read_labels(self, volume: Volume) -> np.ndarray:
        """Read the labels: whole numbers on the grid of ``volume``, axes (k, j, i)."""
        return volume.read_labels(self.label, self.segments)

    def target_of(self, labels: np.ndarray) -> np.ndarray:
        """Return where labels are the target: bool, their shape."""
        return np.isin(labels, self.target_labels) if self.target_labels else labels > 0


def on_one_grid(channels: list[Volume]) -> list[Volume]:
    """Return the channels along the axes of the first.

    Raises:
        InputError: one lies on other voxels.
    """
    return [channels[0].aligned(channel) for channel in channels]
