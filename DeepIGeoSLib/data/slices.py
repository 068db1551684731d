"""Single slices of a volume as cases of their own, for 2D networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.data.source import SliceSettings
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.targets import IGNORED, Target, in_targets
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class SliceCase(LabeledCase):
    """One slice of a case, where it lies in the patient.

    Attributes:
        whole: the case that it is cut from.
        index: of the slice, along the axis that 2D networks take their slices from.
    """

    whole: LabeledCase | None = None
    index: int = 0

    def read_channels(self) -> list[Volume]:
        """Cut the slice out of every channel."""
        channels, _ = _load(self.whole)
        return [_slice_of(channel, self.index) for channel in channels]

    def read_labels(self, volume: Volume) -> np.ndarray:
        """Cut the slice out of the target: 1 is the target."""
        return in_targets(self.read_classes(volume)).astype(np.int32)

    def read_classes(self, volume: Volume) -> np.ndarray:
        """Cut the slice out of the classes."""
        channels, classes = _load(self.whole)
        return np.take(classes, [self.index], slice_axis(channels[0]))

    def read_ignored(self, volume: Volume) -> np.ndarray | None:
        """See ``LabeledCase``."""
        return self.read_classes(volume) == IGNORED if self.ignored_labels else None

    def of_target(self, target: Target) -> LabeledCase:
        """See ``LabeledCase``; the whole case is that of the target, too."""
        if self.whole is None:
            raise ValueError("A slice without its volume has no target.")
        return replace(super().of_target(target), whole=self.whole.of_target(target))

    def target_of(self, labels: np.ndarray) -> np.ndarray:
        """Return where labels are 1: the whole case has chosen the target already."""
        return labels == 1


def slices_of(case: LabeledCase, settings: SliceSettings) -> list[LabeledCase]:
    """Return the slices of a case that the settings ask for.

    Raises:
        InputError: the case can't be loaded.
    """
    channels, classes = _load(case)
    axis = slice_axis(channels[0])
    others = tuple(a for a in range(3) if a != axis)
    sizes = np.count_nonzero(in_targets(classes), axis=others)
    lowest = np.min(channels[0].array, axis=others)
    constant = np.max(channels[0].array, axis=others) == lowest
    with_target = np.flatnonzero((sizes >= settings.least_voxels) & ~constant)[:: settings.every]
    without = np.flatnonzero((sizes == 0) & ~constant).tolist()
    added = evenly(without, round(settings.without_target * len(with_target)))
    digits = len(str(len(sizes) - 1))
    return [
        SliceCase(
            **_common_fields(case),
            name=f"{case.name} slice {index:0{digits}d}",
            may_be_empty=bool(sizes[index] == 0),
            whole=case,
            index=int(index),
        )
        for index in sorted([*with_target.tolist(), *added])
    ]


def slice_axis(volume: Volume) -> int:
    """Return the array axis that 2D networks take their slices from."""
    return Orientation.of(volume.ijk_to_ras).axes[0]


def _slice_of(volume: Volume, index: int) -> Volume:
    axis = slice_axis(volume)
    step = np.zeros(4)
    step[2 - axis] = index  # array axes are (k, j, i), the matrix's columns (i, j, k)
    matrix = volume.ijk_to_ras.copy()
    matrix[:, 3] += matrix @ step
    return Volume(
        np.take(volume.array, [index], axis),
        ijk_to_ras=matrix,
        name=f"{volume.name}, slice {index}",
    )


def _common_fields(case: LabeledCase) -> dict[str, Any]:
    names = ("dataset", "image", "label", "patient", "use", "classes", "targets", "ignored_labels")
    return {name: getattr(case, name) for name in names}


@lru_cache(maxsize=2)
def _load(case: LabeledCase) -> tuple[list[Volume], np.ndarray]:
    """Load a whole case; its slices are asked for one after the other."""
    return case.load_classes()
