"""Folders of pictures (JPEG, PNG) and label pictures, for 2D networks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from DeepIGeoSLib.data.pairs import FoundPairs
from DeepIGeoSLib.data.patterns import path_of
from DeepIGeoSLib.data.picture_case import PictureCase


@dataclass(frozen=True, kw_only=True)
class PictureSource(FoundPairs):
    """Folders of pictures and label pictures, such as microscopy: whatever fits the patterns.

    Attributes:
        image: path pattern below the folder; ``{case}`` stands for the picture's name.
        label: the same for the label picture: a class, or the number of an object, at each pixel.
        color: one gray channel, or three of red, green and blue.
    """

    layout: Literal["pictures"] = "pictures"
    image: str = "{case}.png"
    label: str = "{case}_mask.png"
    color: Literal["gray", "rgb"] = "gray"

    @property
    def channels(self) -> int:
        """How many channels the images have."""
        return 3 if self.color == "rgb" else 1

    def case(self, folder: Path, name: str) -> PictureCase:
        """Return a case by its name; whether its files exist is not checked."""
        return PictureCase(
            dataset=self.dataset,
            name=name,
            image=path_of(folder, self.image, name),
            label=path_of(folder, self.label, name),
            target_labels=self.target_labels,
            color=self.color,
        )
