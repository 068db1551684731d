"""Training cases, brought to the working grid once and kept in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.grid.boxes import box_around, grown_box
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.inputs.normalization import Normalization, NormalizationSettings, tissue_mask
from DeepIGeoSLib.inputs.working_grid import GridSettings, WorkingGrid


@dataclass(frozen=True)
class TrainingCase:
    """A case on its working grid.

    Attributes:
        name: "dataset/case".
        dataset: for weighting.
        image: normalized float32, axes (channel, k, j, i).
        target: bool, axes (k, j, i).
        spacing: mm along (k, j, i).
        source: where it came from.
        orientation: how the volume was turned.
        working: box of the turned volume, and the grid it was brought to.
        turned_shape: of the turned volume.
    """

    name: str
    dataset: str
    image: np.ndarray
    target: np.ndarray
    spacing: tuple[float, float, float]
    source: LabeledCase
    orientation: Orientation
    working: WorkingGrid
    turned_shape: tuple[int, int, int]

    def to_volume(self, values: np.ndarray) -> np.ndarray:
        """Return real values on the working grid brought back to the volume, 0 outside the box."""
        turned = np.zeros(self.turned_shape, dtype=np.float32)
        turned[self.working.box] = self.working.to_volume(values)
        return self.orientation.invert(turned)


def prepare_case(
    case: LabeledCase, normalization: NormalizationSettings, grid: GridSettings
) -> TrainingCase:
    """Load a case, turn it, crop it to the tissue, normalize it, bring it to the working grid."""
    channels, mask = case.load_channels()
    orientation = Orientation.of(channels[0].ijk_to_ras)
    mask = orientation.apply(mask)
    arrays = [orientation.apply(channel.array) for channel in channels]
    spacing = orientation.spacing(channels[0].spacing)
    tissue = [tissue_mask(array, normalization) for array in arrays]
    margin = [int(np.ceil(grid.margin / s)) for s in spacing]
    box = grown_box(box_around(np.logical_or.reduce([*tissue, mask])), margin, mask.shape)
    working = WorkingGrid.of_box(box, spacing, grid)
    image = np.stack(
        [
            working.to_working(Normalization.of(array, normalization, own).apply(array[box]))
            for array, own in zip(arrays, tissue, strict=True)
        ]
    )
    target = working.to_working(mask[box].astype(np.float32)) >= 0.5
    return TrainingCase(
        name=f"{case.dataset}/{case.name}",
        dataset=case.dataset,
        image=image,
        target=target,
        spacing=working.spacing,
        source=case,
        orientation=orientation,
        working=working,
        turned_shape=mask.shape,
    )
