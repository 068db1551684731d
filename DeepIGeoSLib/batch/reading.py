"""Reading what belongs to a case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.batch.truths import truths_of
from DeepIGeoSLib.data.case import on_one_grid
from DeepIGeoSLib.data.channels import read_channels
from DeepIGeoSLib.interaction.seed_files import read_seeds
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class CaseContent:
    """What was read for a case; masks lie on the first channel: bool, axes (k, j, i).

    Attributes:
        channels: the image.
        seeds: strokes of the foreground and of the background; None without any.
        initial: what is corrected by them instead of the automatic segmentation.
        truths: where each target truly is; None where that is not known.
    """

    channels: list[Volume]
    seeds: tuple[np.ndarray, np.ndarray] | None
    initial: np.ndarray | None
    truths: list[np.ndarray] | None


def read_case(case: BatchCase, order: WorkOrder) -> CaseContent:
    """Read the files of a case.

    Raises:
        InputError: one can't be read, or lies on other voxels than the first.
    """
    series = case.series or (None,) * len(case.images)
    channels = on_one_grid(read_channels(case.images, order.channels, series=series))
    first = channels[0]
    return CaseContent(
        channels,
        None if case.seeds is None else read_seeds(first, case.seeds),
        None if case.initial is None else first.read_labels(case.initial) > 0,
        None if case.truth is None else truths_of(first, case.truth, order),
    )
