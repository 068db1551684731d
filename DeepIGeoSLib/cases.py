"""Cases with a known truth on disk, found by a split file: for training and for evaluation."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class SourceSettings:
    """One data set.

    Attributes:
        dataset: its folder below the data root and its name in the split file.
        image: path pattern below that folder; ``{case}`` stands for the case's name.
        label: the same for the labelmap.
        target_labels: which labels are the target; every label above 0 when empty.
        weight: share of the training samples, relative to the other sources.
    """

    dataset: str
    image: str
    label: str
    target_labels: tuple[int, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True)
class DataSettings:
    """Where the cases are.

    Attributes:
        root: folder of the data sets; relative to the configuration file.
        splits: CSV file with the columns dataset, case, use ("train" or "val"), below the root.
        sources: the data sets to use.
    """

    root: str
    sources: tuple[SourceSettings, ...]
    splits: str = "splits.csv"


@dataclass(frozen=True)
class LabeledCase:
    """An image and its labelmap on disk.

    Attributes:
        dataset: name of the data set.
        name: of the case.
        image: file or DICOM folder.
        label: labelmap file on the image's grid.
        target_labels: which labels are the target; every label above 0 when empty.
    """

    dataset: str
    name: str
    image: Path
    label: Path
    target_labels: tuple[int, ...] = ()

    def load(self) -> tuple[Volume, np.ndarray]:
        """Return the volume and its target mask (bool, the volume's shape).

        Raises:
            InputError: a file can't be read, the grids differ, or the target is empty.
        """
        volume = Volume.read(self.image)
        labels = volume.read_labels(self.label)
        mask = np.isin(labels, self.target_labels) if self.target_labels else labels > 0
        if not mask.any():
            raise InputError(f"{self.label} has no voxel of the target.")
        return volume, mask


def find_cases(data: DataSettings, base: Path, use: str) -> list[LabeledCase]:
    """Return the cases that the split file marks with ``use``.

    Args:
        data: settings.
        base: folder that a relative data root starts from.
        use: "train" or "val".

    Raises:
        InputError: the split file or a case's file is missing, or no case is left.
    """
    root = (base / data.root).resolve()
    splits = root / data.splits
    if not splits.is_file():
        raise InputError(f"The split file {splits} does not exist.")
    by_name = {source.dataset: source for source in data.sources}
    found = []
    with splits.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            source = by_name.get(row.get("dataset", ""))
            if source is None or row.get("use") != use:
                continue
            folder = root / source.dataset
            case = LabeledCase(
                dataset=source.dataset,
                name=row["case"],
                image=folder / source.image.replace("{case}", row["case"]),
                label=folder / source.label.replace("{case}", row["case"]),
                target_labels=source.target_labels,
            )
            for path in (case.image, case.label):
                if not path.is_file():
                    raise InputError(f"{path} is missing, though {splits} names its case.")
            found.append(case)
    if not found:
        raise InputError(f"{splits} has no case for {use!r} among {sorted(by_name)}.")
    return found
