"""Where each target of a case truly is: by labels, by segments, or by objects with a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.data.listing import name_of_file
from DeepIGeoSLib.data.table_file import read_table
from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.segmentation import SEGMENTATION_ENDINGS
from DeepIGeoSLib.instances.table import COLUMNS
from DeepIGeoSLib.interaction.target_files import read_masks
from DeepIGeoSLib.targets import Target, masks_of_labels
from DeepIGeoSLib.volume import Volume

# Behind the name of a labelmap that numbers objects: the table of their kinds, as results have it.
_TABLE = "_objects.csv"


def truths_of(volume: Volume, path: Path, order: WorkOrder) -> list[np.ndarray]:
    """Return where each target of a result truly is: bool, axes (k, j, i).

    The truth of several targets, or kinds of objects, is a labelmap with 1 for the first, 2 for the
    second, ...; a segmentation with a segment of each one's name; or, of kinds, numbered objects
    with a table NAME_objects.csv beside them. Of a single one it is every label above 0.

    Args:
        volume: whose grid.
        path: of the truth.
        order: of the run.

    Raises:
        InputError: the file can't be read, lacks a segment, or holds what the bundle does not know.
    """
    if len(order.kinds) > 1:
        kinds = [Target(kind, (number,)) for number, kind in enumerate(order.kinds, 1)]
        table = path.with_name(f"{name_of_file(path.name)}{_TABLE}")
        if table.is_file():
            return _of_objects(volume.read_labels(path), table, order.kinds)
        return _of_labels(volume, path, kinds)
    if not order.known_targets:
        return [volume.read_labels(path) > 0]
    masks = _of_labels(volume, path, order.known_targets)
    wanted = [target.name for target in order.targets] or [order.settings.target]
    names = [target.name for target in order.known_targets]
    return [masks[names.index(name)] for name in wanted]


def _of_labels(volume: Volume, path: Path, targets: Sequence[Target]) -> list[np.ndarray]:
    if path.name.lower().endswith(SEGMENTATION_ENDINGS) or is_dicom(path):
        return read_masks(volume, path, targets)
    labels = volume.read_labels(path)
    if labels.max() > len(targets) or labels.min() < 0:
        unknown = labels[(labels > len(targets)) | (labels < 0)]
        known = ", ".join(f"{number} ({one.name})" for number, one in enumerate(targets, 1))
        raise InputError(f"{path} holds the label {unknown[0]}, but the bundle knows {known}.")
    return masks_of_labels(labels, targets)


def _of_objects(numbers: np.ndarray, table: Path, kinds: Sequence[str]) -> list[np.ndarray]:
    """Return the voxels of each kind of numbered objects, by the table of their kinds."""
    rows = read_table(table, required={"number", "kind"}, optional=set(COLUMNS))
    of_number: dict[int, str] = {}
    for line, row in rows:
        if not row["number"].isdecimal() or row["kind"] not in kinds:
            raise InputError(
                f"{table}, line {line}: a whole number and one of {', '.join(kinds)} are expected."
            )
        of_number[int(row["number"])] = row["kind"]
    missing = sorted(set(np.unique(numbers).tolist()) - {0, *of_number})
    if missing:
        raise InputError(f"{table} does not list the object {missing[0]}.")
    return [
        np.isin(numbers, [number for number, own in of_number.items() if own == kind])
        for kind in kinds
    ]
