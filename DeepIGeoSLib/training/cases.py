"""Training cases: found by the split file, brought to the working grid once, kept in memory."""

from __future__ import annotations

import csv
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.orientation import Orientation
from DeepIGeoSLib.preprocessing import (
    GridSettings,
    NormalizationSettings,
    WorkingGrid,
    bounding_box,
    grown_box,
    normalize,
    tissue_mask,
)
from DeepIGeoSLib.training.config import DataSettings, SourceSettings
from DeepIGeoSLib.volume import Volume

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CaseFiles:
    """A case on disk."""

    source: SourceSettings
    case: str
    image: Path
    label: Path

    def load(self) -> tuple[Volume, np.ndarray]:
        """Return the volume and its target mask (bool, the volume's shape).

        Raises:
            InputError: a file can't be read, the grids differ, or the target is empty.
        """
        volume = Volume.read(self.image)
        labels = volume.read_labels(self.label)
        wanted = self.source.target_labels
        mask = np.isin(labels, wanted) if wanted else labels > 0
        if not mask.any():
            raise InputError(f"{self.label} has no voxel of the target.")
        return volume, mask


@dataclass(frozen=True)
class TrainingCase:
    """A case on its working grid.

    Attributes:
        name: "dataset/case".
        dataset: for weighting.
        image: normalized float32, axes (k, j, i).
        target: bool, same shape.
        spacing: mm along (k, j, i).
    """

    name: str
    dataset: str
    image: np.ndarray
    target: np.ndarray
    spacing: tuple[float, float, float]


def find_cases(data: DataSettings, base: Path, use: str) -> list[CaseFiles]:
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
            files = CaseFiles(
                source=source,
                case=row["case"],
                image=folder / source.image.format(case=row["case"]),
                label=folder / source.label.format(case=row["case"]),
            )
            for path in (files.image, files.label):
                if not path.is_file():
                    raise InputError(f"{path} is missing, though {splits} names its case.")
            found.append(files)
    if not found:
        raise InputError(f"{splits} has no case for {use!r} among {sorted(by_name)}.")
    return found


def prepare_case(
    files: CaseFiles, normalization: NormalizationSettings, grid: GridSettings
) -> TrainingCase:
    """Load a case, turn it, crop it to the tissue, normalize it and bring it to the working grid."""
    volume, mask = files.load()
    orientation = Orientation.of(volume.ijk_to_ras)
    array, mask = orientation.apply(volume.array), orientation.apply(mask)
    spacing = orientation.spacing(volume.spacing)
    tissue = tissue_mask(array, normalization)
    margin = [int(np.ceil(grid.margin / s)) for s in spacing]
    box = grown_box(bounding_box(tissue | mask), margin, array.shape)
    working = WorkingGrid.of_box(box, spacing, grid)
    image = working.to_working(normalize(array, normalization, tissue)[box])
    target = working.to_working(mask[box].astype(np.float32)) >= 0.5
    return TrainingCase(
        name=f"{files.source.dataset}/{files.case}",
        dataset=files.source.dataset,
        image=image,
        target=target,
        spacing=working.spacing,
    )


def prepare_cases(
    files: list[CaseFiles],
    normalization: NormalizationSettings,
    grid: GridSettings,
    progress: Callable[[float, str], None] | None = None,
) -> list[TrainingCase]:
    """Prepare many cases, reporting progress."""
    cases = []
    for index, entry in enumerate(files):
        cases.append(prepare_case(entry, normalization, grid))
        if progress is not None:
            progress((index + 1) / len(files), f"Read {cases[-1].name}")
    return cases
