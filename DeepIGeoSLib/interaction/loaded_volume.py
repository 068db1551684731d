"""The volume of a session: turned to the axes that networks know, with the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, shared_box
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.inputs.prepared_image import InputSettings, PreparedImage
from DeepIGeoSLib.interaction.boxes import checked_box
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.volume import Volume

_NOTHING: Box = (slice(0, 0), slice(0, 0), slice(0, 0))


@dataclass(frozen=True)
class LoadedVolume:
    """What a session knows of its volume.

    Attributes:
        image: what networks read, on the oriented grid.
        orientation: turns arrays of the volume to the oriented grid, and back.
        shape: voxels of the volume along (k, j, i).
    """

    image: PreparedImage
    orientation: Orientation
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, channels: Sequence[Volume], settings: InputSettings) -> LoadedVolume:
        """Measure the channels of one volume; the first one's grid counts.

        Raises:
            InputError: the channels' grids differ, or a channel is constant.
        """
        first = channels[0]
        aligned = [first.aligned(channel) for channel in channels]
        orientation = Orientation.of(first.ijk_to_ras)
        image = PreparedImage(
            [orientation.apply(channel.array) for channel in aligned],
            orientation.spacing(first.spacing),
            settings,
            name=first.name,
        )
        return cls(image, orientation, first.shape)

    def no_scribbles(self) -> Interactions:
        """Return the interactions of a user who has not begun."""
        return Interactions(self.shape)

    def oriented_mask(self, mask: np.ndarray, name: str) -> np.ndarray:
        """Return where a mask of the volume is above 0, on the oriented grid: bool.

        Args:
            mask: axes (k, j, i).
            name: of the mask, for the error.

        Raises:
            InputError: another shape than the volume's.
        """
        mask = np.asarray(mask)
        if mask.shape != self.shape:
            raise InputError(
                f"{name} have the shape {mask.shape}, but the volume has {self.shape} (k, j, i)."
            )
        return self.orientation.apply(mask) > 0

    def oriented_probability(self, probability: np.ndarray) -> np.ndarray:
        """Return a probability of the volume on the oriented grid: float32, an array of its own.

        Raises:
            InputError: another shape than the volume's.
        """
        values = np.asarray(probability, dtype=np.float32)
        if values.shape != self.shape:
            raise InputError(
                f"The probability has the shape {values.shape}, but the volume has {self.shape} "
                "(k, j, i)."
            )
        return self.orientation.apply(values).copy()

    def oriented_region(self, box: Box) -> Box:
        """Return a region of the volume, whose slices may be open, on the oriented grid.

        Raises:
            InputError: it is empty or not inside the volume.
        """
        bounds = [
            (0 if part.start is None else part.start, size if part.stop is None else part.stop)
            for part, size in zip(box, self.shape, strict=True)
        ]
        if any(
            not 0 <= start < stop <= size
            for (start, stop), size in zip(bounds, self.shape, strict=True)
        ):
            text = " x ".join(f"{start}:{stop}" for start, stop in bounds)
            raise InputError(
                f"The region {text} is not inside the volume, which has {self.shape} voxels "
                "(k, j, i)."
            )
        k, j, i = (slice(start, stop) for start, stop in bounds)
        return self.orientation.apply_to_box((k, j, i), self.shape)

    def oriented_box(self, box: Box, region: Box | None) -> Box:
        """Return the part of a box around the target that may change, on the oriented grid.

        Args:
            box: slices (k, j, i) of the volume; what lies outside of it does not count.
            region: the only box that may change, on the oriented grid; everything when None.

        Raises:
            InputError: nothing is left of the box.
        """
        turned = self.orientation.apply_to_box(checked_box(box, self.shape), self.shape)
        boxed = turned if region is None else shared_box(turned, region)
        if boxed is None:
            raise InputError("The box lies outside of the region that may change.")
        return boxed

    def box_in_volume(self, box: Box | None) -> Box:
        """Return a box of the oriented grid as slices of the volume; empty ones for None."""
        if box is None:
            return _NOTHING
        return self.orientation.invert_box(box, self.image.shape)
