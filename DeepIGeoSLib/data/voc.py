"""The layout of PASCAL VOC 2012, for 2D networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.data.patterns import confined
from DeepIGeoSLib.data.photographs import read_label_picture
from DeepIGeoSLib.data.picture_case import PictureCase
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.data.source import DataFault, Found, Source
from DeepIGeoSLib.data.targets import ClassMarks
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.settings.mapping import nearest_name

# Labels 1 to 20; 0 is the background, and 255 the border around objects, which VOC leaves out.
CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
_BORDER = 255


@dataclass(frozen=True, kw_only=True)
class VocSource(Source):
    """PASCAL VOC 2012 photographs for 2D networks; the folder is the one with JPEGImages in it.

    Attributes:
        classes: which classes are the target, by name, such as aeroplane.
        train: list of the photographs to train with.
        val: list of the photographs to validate with. One that is in both lists is validated with.
        labels: folder of the label pictures; SegmentationClassAug is that of the trainaug list.
        color: one gray channel, or three of red, green and blue.
        others: photographs without the target that are added to each list, as a share of those
            with it.
    """

    layout: Literal["voc"] = "voc"
    ignored_labels: tuple[int, ...] = (_BORDER,)
    classes: tuple[str, ...]
    train: str = "ImageSets/Segmentation/trainaug.txt"
    val: str = "ImageSets/Segmentation/val.txt"
    labels: str = "SegmentationClassAug"
    color: Literal["gray", "rgb"] = "gray"
    others: float = 0.0

    def __post_init__(self) -> None:
        """Check the classes."""
        super().__post_init__()
        if not self.classes:
            raise InputError("classes is empty; at least one name such as aeroplane is expected.")
        for name in self.classes:
            if name not in CLASSES:
                close = nearest_name(name, CLASSES)
                meant = f"did you mean {close!r}?" if close else f"there are {', '.join(CLASSES)}."
                raise InputError(f"classes names {name!r}; {meant}")

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return 3 if self.color == "rgb" else 1

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return the listed photographs that show the target, and some others if wanted."""
        names = {use: _read_list(confined(folder, getattr(self, use))) for use in ("train", "val")}
        names["train"] = [name for name in names["train"] if name not in set(names["val"])]
        cases, problems = [], []
        for use, listed_names in names.items():
            with_target, without = [], []
            for name in listed_names:
                case = self._case(folder, name, use)
                try:
                    shown = case.target_of(read_label_picture(case.label)).any()
                except InputError as error:
                    problems.append(DataFault(f"{self.dataset}/{name}", str(error)))
                    continue
                (with_target if shown else without).append(case)
            cases += with_target + evenly(without, round(self.others * len(with_target)))
        if not cases and not problems:
            raise InputError(f"{folder}: no listed photograph shows {', '.join(self.classes)}.")
        return Found(cases, problems)

    def resolved(self, marks: ClassMarks, folder: Path) -> ClassMarks:
        """Return the labels of classes; see ``Source``."""
        for name in marks.names:
            if name not in self.classes:
                raise InputError(
                    f"the target {name!r} is none of the classes {', '.join(self.classes)}; the "
                    "photographs of all targets are found by classes."
                )
        numbers = tuple(1 + CLASSES.index(name) for name in marks.names)
        return ClassMarks((*marks.labels, *numbers))

    def _case(self, folder: Path, name: str, use: str) -> PictureCase:
        return PictureCase(
            dataset=self.dataset,
            name=name,
            image=confined(folder, f"JPEGImages/{name}.jpg"),
            label=confined(folder, f"{self.labels}/{name}.png"),
            target_labels=tuple(1 + CLASSES.index(c) for c in self.classes),
            use=use,
            may_be_empty=self.others > 0,
            color=self.color,
        )


def _read_list(path: Path) -> list[str]:
    """Return the names in a list: "2007_000032", or "/JPEGImages/2007_000032.jpg /...png"."""
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file: {error}.") from error
    names = [Path(line.split()[0]).stem for line in lines if line.strip()]
    return list(dict.fromkeys(names))
