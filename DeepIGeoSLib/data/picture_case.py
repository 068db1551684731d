"""A picture (JPEG, PNG) and its label picture as a case of one slice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.photographs import read_label_picture, read_photograph
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class PictureCase(LabeledCase):
    """A picture and its label picture.

    Attributes:
        color: "gray" or "rgb".
    """

    color: str = "gray"

    def read_channels(self) -> list[Volume]:
        """Read the picture."""
        return read_photograph(self.image, self.color)

    def read_labels(self, volume: Volume) -> np.ndarray:
        """Read the class of every pixel."""
        labels = read_label_picture(self.label)
        if labels.shape != volume.shape:
            raise InputError(
                f"{self.label} has the shape {labels.shape[1:]}, but {self.image} has "
                f"{volume.shape[1:]} (rows, columns)."
            )
        return labels
