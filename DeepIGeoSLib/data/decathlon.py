"""The layout of the Medical Segmentation Decathlon: dataset.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.listing import name_of_file
from DeepIGeoSLib.data.patterns import confined
from DeepIGeoSLib.data.source import Found, Source
from DeepIGeoSLib.data.targets import ClassMarks
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.settings.files import parse_json
from DeepIGeoSLib.settings.mapping import nearest_name
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class DecathlonCase(LabeledCase):
    """A case whose channels are the frames of one 4D file.

    Attributes:
        frames: which ones; empty for a 3D file.
    """

    frames: tuple[int, ...] = ()

    def read_channels(self) -> list[Volume]:
        """Read the frames."""
        if not self.frames:
            return super().read_channels()
        return [Volume.read(self.image, frame=frame) for frame in self.frames]


@dataclass(frozen=True, kw_only=True)
class DecathlonSource(Source):
    """A Medical Segmentation Decathlon task: its dataset.json lists images and labels.

    Attributes:
        modalities: which modalities of dataset.json, by name, become the image's channels; the
            first one when empty.
        classes: which labels of dataset.json, by name, are the target; target_labels when empty.
    """

    layout: Literal["decathlon"] = "decathlon"
    modalities: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return max(1, len(self.modalities))

    def find(self, folder: Path, listed: Sequence[str]) -> Found:
        """Return the cases of the key "training" (those of "test" have no labels)."""
        path = folder / "dataset.json"
        description = _read(path)
        labels = tuple(_index_of(name, description, "labels", path) for name in self.classes)
        cases = []
        for number, entry in enumerate(description["training"]):
            pair = entry if isinstance(entry, Mapping) else {}
            image, label = pair.get("image"), pair.get("label")
            if not isinstance(image, str) or not isinstance(label, str):
                raise InputError(f"{path}: training[{number}] lacks the text image or label.")
            cases.append(
                DecathlonCase(
                    dataset=self.dataset,
                    name=name_of_file(image),
                    image=confined(folder, image),
                    label=confined(folder, label),
                    target_labels=labels or self.target_labels,
                    frames=self._frames(description, path),
                )
            )
        return Found(cases)

    def resolved(self, marks: ClassMarks, folder: Path) -> ClassMarks:
        """Return the labels of classes of dataset.json; see ``Source``."""
        if not marks.names:
            return marks
        path = folder / "dataset.json"
        description = _read(path)
        numbers = tuple(_index_of(name, description, "labels", path) for name in marks.names)
        return ClassMarks((*marks.labels, *numbers))

    def _frames(self, description: Mapping[str, Any], path: Path) -> tuple[int, ...]:
        if len(description["modality"]) < 2 and not self.modalities:
            return ()
        names = self.modalities or (next(iter(description["modality"].values())),)
        frames = tuple(_index_of(name, description, "modality", path) for name in names)
        return () if len(description["modality"]) == 1 else frames


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    try:
        description = parse_json(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path} can't be read: {error}.") from error
    for key, kind in (("training", list), ("labels", dict), ("modality", dict)):
        if not isinstance(description, dict) or not isinstance(description.get(key), kind):
            raise InputError(f"{path} lacks the key {key!r} of the Decathlon's format.")
    if not description["training"]:
        raise InputError(f"{path} lists no case under 'training'.")
    return description


def _index_of(name: str, description: Mapping[str, Any], key: str, path: Path) -> int:
    """Return the number of a label or modality by its name."""
    numbers = {str(value): number for number, value in description[key].items()}
    if name not in numbers:
        close = nearest_name(name, numbers)
        meant = f"did you mean {close!r}?" if close else f"there are {', '.join(numbers)}."
        raise InputError(f"{path} has no {name!r} under {key!r}; {meant}")
    try:
        return int(numbers[name])
    except ValueError as error:
        raise InputError(f"{path}: {key!r} has {numbers[name]!r} for a number.") from error
