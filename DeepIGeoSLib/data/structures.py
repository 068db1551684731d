"""Images of any kind with masks of any structure: what interactive segmentation is measured on.

Every structure of a mask is a target of its own. A collection is a folder ``volumes`` and a folder
``pictures`` with a ``cases.csv`` each, or a list of one's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.listing import name_of_file
from DeepIGeoSLib.data.patterns import confined
from DeepIGeoSLib.data.photographs import read_label_picture
from DeepIGeoSLib.data.picture_case import PictureCase
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.data.table_file import path_in_table, read_table
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.volume import Volume

_PICTURES = (".png", ".jpg", ".jpeg")

# Of the many objects of a mask that numbers them, so many are targets: a small, a middle-sized and
# a large one.
_OBJECTS = 3


def find_structures(path: Path) -> list[LabeledCase]:
    """Return a case for each structure of a collection; its data set is the structure's kind.

    Args:
        path: of a folder with ``volumes/cases.csv``, ``pictures/cases.csv`` or both, or of a list.

    Raises:
        InputError: there is no such folder or list, or it names a file that is not there.
    """
    if path.is_file():
        return _listed(path)
    tables = [path / part / "cases.csv" for part in ("volumes", "pictures")]
    present = [table for table in tables if table.is_file()]
    if not present:
        raise InputError(
            f"{path} has neither volumes/cases.csv nor pictures/cases.csv, and is no CSV file."
        )
    return [case for table in present for case in _collected(table)]


def _collected(table: Path) -> list[LabeledCase]:
    """Return the structures of a folder: each line of its table names an image and its labels.

    The files are ``KIND__CASE`` with ``_mask``; the column ``labels`` reads "1=liver; 2=lesion".
    "0=instance labels" stands for a mask that numbers its objects, and without the column every
    value of the mask is a structure.
    """
    cases = []
    for _, row in read_table(table, {"kind", "case"}, {"kind", "case", "labels"}):
        kind, name = row["kind"], row["case"].removeprefix(f"{row['kind']}__")
        image, mask = _image_and_mask(table.parent, f"{kind}__{name}")
        for label, structure in _structures(row.get("labels") or "", mask):
            cases.append(_case(kind, f"{name} {structure}", image, mask, (label,)))
    return cases


def _structures(text: str, mask: Path) -> list[tuple[int, str]]:
    """Return the labels that are targets, and their names."""
    named = {int(number): name.strip() for number, name in re.findall(r"(\d+)\s*=\s*([^;]+)", text)}
    if named and 0 not in named:
        return list(named.items())
    values, sizes = np.unique(_read_mask(mask), return_counts=True)
    sizes, values = sizes[values > 0], values[values > 0]
    if 0 in named:
        values = evenly(values[np.argsort(sizes, kind="stable")].tolist(), _OBJECTS)
    return [(int(value), f"label {value}") for value in values]


def _listed(path: Path) -> list[LabeledCase]:
    """Return the structures of a list with the columns image and mask.

    The column label says which values of the mask are the structure ("2" or "1+3"; all above 0
    when it is empty), kind what it is of, and case names the image.
    """
    cases: dict[tuple[str, str], LabeledCase] = {}
    optional = {"image", "mask", "label", "kind", "case"}
    for number, row in read_table(path, {"image", "mask"}, optional):
        where = f"{path}, line {number}"
        if not row["image"] or not row["mask"]:
            raise InputError(f"{where}: the image or the mask is empty.")
        text = row.get("label") or ""
        if text and not re.fullmatch(r"\d+(\s*\+\s*\d+)*", text):
            raise InputError(
                f"{where}: the label {text!r} is no number above 0, nor several joined by +."
            )
        labels = tuple(int(value) for value in text.split("+")) if text else ()
        name = row.get("case") or name_of_file(path_in_table(row["image"]))
        name = f"{name} label {text}" if text else name
        kind = row.get("kind") or path.stem
        image, mask = (path.parent / path_in_table(row[key]) for key in ("image", "mask"))
        for file in (image, mask):
            if not file.exists():
                raise InputError(f"{where}: {file} does not exist.")
        if (kind, name) in cases:
            raise InputError(
                f"{where}: {name!r} is listed twice; the column 'case' can tell images of the same "
                "name apart."
            )
        cases[kind, name] = _case(kind, name, image, mask, labels)
    if not cases:
        raise InputError(f"{path} lists no case.")
    return list(cases.values())


def _image_and_mask(folder: Path, name: str) -> tuple[Path, Path]:
    for ending in (".nii.gz", *_PICTURES):
        image = confined(folder, name + ending)
        if image.is_file():
            mask = confined(folder, f"{name}_mask{'.nii.gz' if ending == '.nii.gz' else '.png'}")
            if not mask.is_file():
                raise InputError(f"{mask} does not exist.")
            return image, mask
    raise InputError(f"{folder} has no image {name}, which its cases.csv lists.")


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in _PICTURES


def _read_mask(path: Path) -> np.ndarray:
    return read_label_picture(path) if _is_picture(path) else Volume.read(path).read_labels(path)


def _case(kind: str, name: str, image: Path, mask: Path, labels: Sequence[int]) -> LabeledCase:
    common: dict[str, Any] = {
        "dataset": kind,
        "name": name,
        "image": image,
        "label": mask,
        "target_labels": tuple(labels),
    }
    return PictureCase(**common) if _is_picture(image) else LabeledCase(**common)
