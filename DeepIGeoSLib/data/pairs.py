"""Images and labels in files of their own, named by path patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.patterns import check_pattern, path_of, paths_by_case
from DeepIGeoSLib.data.source import DataFault, Found, Source
from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True, kw_only=True)
class PairSource(Source):
    """Images and labels whose paths follow from the case's name.

    Attributes:
        image: path pattern below the folder; ``{case}`` stands for the case's name.
        label: the same for the labelmap, or for the Slicer segmentation (.seg.nrrd).
        other_channels: patterns of the image's further channels.
    """

    image: str
    label: str
    other_channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the patterns."""
        super().__post_init__()
        for key, pattern in (("image", self.image), ("label", self.label)):
            check_pattern(pattern, key)
        for pattern in self.other_channels:
            check_pattern(pattern, "other_channels")

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return 1 + len(self.other_channels)

    def case(self, folder: Path, name: str) -> LabeledCase:
        """Return a case by its name; whether its files exist is not checked."""
        return LabeledCase(
            dataset=self.dataset,
            name=name,
            image=path_of(folder, self.image, name),
            label=path_of(folder, self.label, name),
            target_labels=self.target_labels,
            segments=self.segments,
            other_channels=tuple(path_of(folder, p, name) for p in self.other_channels),
        )


@dataclass(frozen=True, kw_only=True)
class SplitFileSource(PairSource):
    """The cases that the split file lists, and no others."""

    layout: Literal["split-file"] = "split-file"

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return the listed cases."""
        if not listed:
            raise InputError(f"The split file lists no case of the data set {self.dataset!r}.")
        return Found([self.case(folder, name) for name in listed])


@dataclass(frozen=True, kw_only=True)
class FoundPairs(PairSource):
    """Image and label pairs: whatever fits the patterns."""

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return a case for every name that has an image and a label."""
        labels = paths_by_case(folder, self.label)
        used = set(labels.values())
        # {case}.nrrd also fits {case}.seg.nrrd: what is a label is no image.
        images = {
            name: path
            for name, path in paths_by_case(folder, self.image).items()
            if path not in used
        }
        if not images:
            raise InputError(f"{folder} has no file like {self.image}.")
        both = [name for name in images if name in labels]
        problems = [
            _unpaired(f"{self.dataset}/{name}", name in images, name in listed)
            for name in sorted(set(images) ^ set(labels))
        ]
        return Found([self.case(folder, name) for name in both], problems)


@dataclass(frozen=True, kw_only=True)
class FolderSource(FoundPairs):
    """Folders of image and label pairs: whatever fits the patterns."""

    layout: Literal["folders"] = "folders"
    image: str = "images/{case}.nii.gz"
    label: str = "labels/{case}.nii.gz"


def _unpaired(where: str, has_image: bool, is_listed: bool) -> DataFault:
    has, lacks = ("image", "label") if has_image else ("label", "image")
    if is_listed:
        return DataFault(where, f"The split file lists this case, but it has no {lacks}.")
    return DataFault(where, f"The {has} has no {lacks}; the case is left out.", fatal=False)
