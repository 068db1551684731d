"""Training cases, brought to the working grid once and kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.data.objects import numbered, separated
from DeepIGeoSLib.grid.boxes import box_around, grown_box
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.inputs.normalization import Normalization, NormalizationSettings, tissue_mask
from DeepIGeoSLib.inputs.working_grid import GridSettings, WorkingGrid
from DeepIGeoSLib.targets import IGNORED, Target, class_count, in_targets


@dataclass(frozen=True)
class TrainingCase:
    """A case on its working grid.

    Attributes:
        name: "dataset/case".
        dataset: for weighting.
        image: normalized float32, axes (channel, k, j, i).
        classes: uint8, axes (k, j, i): the class of each voxel, 0 the background; a single target
            is 1, and ``IGNORED`` where no label counts.
        spacing: mm along (k, j, i).
        source: where it came from.
        orientation: how the volume was turned.
        working: box of the turned volume, and the grid it was brought to.
        turned_shape: of the turned volume.
    """

    name: str
    dataset: str
    image: np.ndarray
    classes: np.ndarray
    spacing: tuple[float, float, float]
    source: LabeledCase
    orientation: Orientation
    working: WorkingGrid
    turned_shape: tuple[int, int, int]

    @property
    def targets(self) -> tuple[Target, ...]:
        """What the classes are parts of; a single target has no name."""
        return self.source.targets or (Target(""),)

    @cached_property
    def target(self) -> np.ndarray:
        """Where any target is: bool, axes (k, j, i)."""
        return in_targets(self.classes)

    @cached_property
    def ignored(self) -> np.ndarray | None:
        """Where no label counts: bool, axes (k, j, i); None for nowhere."""
        ignored = self.classes == IGNORED
        return ignored if ignored.any() else None

    def mask_of(self, target: Target) -> np.ndarray:
        """Return where one of the targets is: bool, axes (k, j, i)."""
        return mask_of_classes(self.classes, target.classes)

    def to_volume(self, values: np.ndarray) -> np.ndarray:
        """Return real values on the working grid brought back to the volume, 0 outside the box."""
        turned = np.zeros(self.turned_shape, dtype=np.float32)
        turned[self.working.box] = self.working.to_volume(values)
        return self.orientation.invert(turned)


def prepare_case(
    case: LabeledCase,
    normalization: NormalizationSettings,
    grid: GridSettings,
    *,
    gaps: bool = False,
) -> TrainingCase:
    """Load a case, turn it, crop it to the tissue, normalize it, bring it to the working grid.

    Args:
        case: on disk.
        normalization: of its intensities.
        grid: the spacings that networks work at.
        gaps: its labels are numbers of objects, and a gap is cut where two of them touch.
    """
    channels, classes = case.load_classes()
    if gaps:
        target = in_targets(classes)
        objects = numbered(case.read_labels(channels[0]), target, "numbers")
        classes[target & (separated(objects) == 0)] = 0
    orientation = Orientation.of(channels[0].ijk_to_ras)
    classes = orientation.apply(classes)
    arrays = [orientation.apply(channel.array) for channel in channels]
    spacing = orientation.spacing(channels[0].spacing)
    tissue = [tissue_mask(array, normalization) for array in arrays]
    margin = [int(np.ceil(grid.margin / s)) for s in spacing]
    box = grown_box(
        box_around(np.logical_or.reduce([*tissue, in_targets(classes)])), margin, classes.shape
    )
    working = WorkingGrid.of_box(box, spacing, grid)
    image = np.stack(
        [
            working.to_working(Normalization.of(array, normalization, own).apply(array[box]))
            for array, own in zip(arrays, tissue, strict=True)
        ]
    )
    count = class_count(case.targets)
    return TrainingCase(
        name=f"{case.dataset}/{case.name}",
        dataset=case.dataset,
        image=image,
        classes=_working_classes(working, classes[box], count),
        spacing=working.spacing,
        source=case,
        orientation=orientation,
        working=working,
        turned_shape=classes.shape,
    )


def mask_of_classes(classes: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Return where classes are one of some numbers: bool, the shape of ``classes``."""
    return classes == numbers[0] if len(numbers) == 1 else np.isin(classes, numbers)


def _working_classes(working: WorkingGrid, classes: np.ndarray, count: int) -> np.ndarray:
    """Return the class that most of each working voxel has, or ``IGNORED``: uint8."""
    numbers = [*range(1, count), *([IGNORED] if (classes == IGNORED).any() else [])]
    shares = [working.to_working((classes == n).astype(np.float32)) for n in numbers]
    if numbers == [1]:
        return (shares[0] >= 0.5).astype(np.uint8)
    background = 1 - np.sum(shares, axis=0)
    chosen = np.argmax([background, *shares], axis=0)
    return np.array([0, *numbers], dtype=np.uint8)[chosen]
