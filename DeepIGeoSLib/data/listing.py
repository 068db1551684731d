"""A CSV file that lists images and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.patterns import confined
from DeepIGeoSLib.data.picture_case import PictureCase
from DeepIGeoSLib.data.source import Found, Source
from DeepIGeoSLib.data.table_file import path_in_table, read_table
from DeepIGeoSLib.errors import InputError

_COLUMNS = {"image", "label", "use", "case", "patient"}


@dataclass(frozen=True, kw_only=True)
class ListSource(Source):
    """A CSV file with the columns image and label, and, if wanted, use, case and patient.

    Attributes:
        file: the CSV file, below the folder. Its paths start at the folder, or are absolute. The
            column use says "train" or "val"; case is the image's name where it is not given.
        color: "gray" for one channel, "rgb" for three of color; the images are then photographs
            (JPEG, PNG) and the labels label pictures.
    """

    layout: Literal["csv"] = "csv"
    file: str = "cases.csv"
    color: Literal["gray", "rgb"] = "gray"

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return 3 if self.color == "rgb" else 1

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return the listed cases."""
        path = confined(folder, self.file)
        rows = read_table(path, required={"image", "label"}, optional=_COLUMNS)
        cases: dict[str, LabeledCase] = {}
        for number, row in rows:
            image, label = path_in_table(row["image"]), path_in_table(row["label"])
            if not image or not label:
                raise InputError(f"{path}, line {number}: the image or the label is empty.")
            name = row.get("case") or name_of_file(image)
            if name in cases:
                raise InputError(
                    f"{path}, line {number}: the case {name!r} is listed twice; the column 'case' "
                    "can tell images of the same name apart."
                )
            case = LabeledCase(
                dataset=self.dataset,
                name=name,
                image=folder / image,
                label=folder / label,
                target_labels=self.target_labels,
                segments=self.segments,
                patient=row.get("patient") or "",
                use=row.get("use") or "",
            )
            cases[name] = self._in_color(case)
        if not cases:
            raise InputError(f"{path} lists no case.")
        return Found(list(cases.values()))

    def _in_color(self, case: LabeledCase) -> LabeledCase:
        return PictureCase(**vars(case), color=self.color) if self.color == "rgb" else case


def name_of_file(path: str) -> str:
    """Return the name of a file without its folder and endings: "a/b_1.nii.gz" gives "b_1"."""
    name = Path(path).name
    for ending in (".gz", ".seg.nrrd", Path(name.removesuffix(".gz")).suffix):
        name = name.removesuffix(ending)
    return name
