"""A volume as the networks want it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.errors import InputError, stop_if
from DeepIGeoSLib.grid.boxes import (
    Box,
    absolute_box,
    bounding_box,
    grown_box,
    hull,
    three,
    whole_box,
)
from DeepIGeoSLib.grid.resampling import resample_in_slabs
from DeepIGeoSLib.inputs.channels import Channels
from DeepIGeoSLib.inputs.normalization import Normalization, NormalizationSettings, tissue_mask
from DeepIGeoSLib.inputs.working_grid import GridSettings, WorkingGrid, working_spacing


@dataclass(frozen=True)
class InputSettings:
    """How a volume becomes network input; training and use must agree, so bundles store it.

    Attributes:
        normalization: of intensities.
        grid: the spacings that networks work at.
        region: working voxels (k, j, i) that are computed anew around a stroke; None for all.
    """

    normalization: NormalizationSettings
    grid: GridSettings
    region: tuple[int, int, int] | None


class PreparedImage:
    """The channels of a volume, normalized when a part of them is read.

    Normalized copies are not kept: making a region's takes less than a hundredth of a round, and a
    large volume's would take as much memory as the volume again.

    Attributes:
        spacing: mm along (k, j, i).
        tissue_box: the box around everything that is not air, with a margin.
        settings: how it becomes input.
    """

    def __init__(
        self,
        arrays: Sequence[np.ndarray],
        spacing: tuple[float, float, float],
        settings: InputSettings,
        *,
        name: str,
    ) -> None:
        """Measure the oriented float32 arrays (k, j, i) of all channels, which are kept.

        Raises:
            InputError: a channel is constant, or the spacing can't be true.
        """
        self.spacing = spacing
        self.settings = settings
        self._arrays = arrays
        self._normalizations = []
        box: Box | None = None
        for array in arrays:
            try:
                working_spacing(spacing, settings.grid)
                tissue = tissue_mask(array, settings.normalization)
            except InputError as error:
                raise InputError(f"{name} can't be segmented. {error}") from error
            self._normalizations.append(Normalization.of(array, settings.normalization, tissue))
            box = hull(box, bounding_box(tissue))
        margin = [int(np.ceil(settings.grid.margin / s)) for s in spacing]
        self.tissue_box = grown_box(box or whole_box(self.shape), margin, self.shape)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the oriented volume along (k, j, i)."""
        return self._arrays[0].shape

    @property
    def channels(self) -> int:
        """How many there are."""
        return len(self._arrays)

    @property
    def intensities(self) -> np.ndarray:
        """The first channel as it is: float32, axes (k, j, i)."""
        return self._arrays[0]

    def grid(self, box: Box) -> WorkingGrid:
        """Return the working grid of a box."""
        return WorkingGrid.of_box(box, self.spacing, self.settings.grid)

    def region_size(self) -> tuple[int, int, int]:
        """Return the voxels (k, j, i) of the volume that a region of R-Net covers."""
        if self.settings.region is None:
            return self.shape
        target = working_spacing(self.spacing, self.settings.grid)
        return three(
            max(1, round(count * wanted / own))
            for count, wanted, own in zip(self.settings.region, target, self.spacing, strict=True)
        )

    def on(self, grid: WorkingGrid, cancel: threading.Event | None = None) -> np.ndarray:
        """Return the normalized channels on a working grid: float32, axes (channel, k, j, i).

        Raises:
            Cancelled: ``cancel`` was set.
        """
        channels = np.empty((len(self._arrays), *grid.shape), dtype=np.float32)
        for array, normalization, channel in zip(
            self._arrays, self._normalizations, channels, strict=True
        ):
            own = array[grid.box]

            def read(
                k: slice, own: np.ndarray = own, by: Normalization = normalization
            ) -> np.ndarray:
                stop_if(cancel)
                return by.apply(own[k])

            resample_in_slabs(read, own.shape, channel)
        return channels

    def read_on(self, grid: WorkingGrid, cancel: threading.Event | None = None) -> Channels:
        """Return what ``on`` does, made part by part as it is read where that is possible."""
        if grid.shape == grid.box_shape:
            return _Parts(self, grid, cancel)
        return self.on(grid, cancel)


class _Parts:
    """The normalized channels of a box on the volume's own grid, made when they are read."""

    def __init__(
        self, image: PreparedImage, grid: WorkingGrid, cancel: threading.Event | None
    ) -> None:
        self._image = image
        self._grid = grid
        self._cancel = cancel
        self.shape = (image.channels, *grid.shape)

    def __getitem__(self, part: tuple[slice, ...]) -> np.ndarray:
        of_channels, *inside = part
        box = absolute_box(self._grid.box, three(inside))
        return self._image.on(self._image.grid(box), self._cancel)[of_channels]
