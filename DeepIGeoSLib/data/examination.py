"""What one case holds, and what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from DeepIGeoSLib.data.case import LabeledCase, on_one_grid
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.volume import Volume

# Longest side of the small pictures, in pixels.
_VIEW_SIZE = 160

# More different labels than this are no labels of structures; a report does not list them all.
_MOST_LABELS = 20


@dataclass(frozen=True)
class View:
    """The middle slice of a case's target, small, as a network sees it.

    Attributes:
        image: uint8, axes (row, column).
        mask: bool, same shape: the target.
        aspect: height of a pixel divided by its width.
    """

    image: np.ndarray
    mask: np.ndarray
    aspect: float


@dataclass(frozen=True)
class CaseFacts:
    """What a case holds.

    Attributes:
        dataset: name of the data set.
        name: of the case.
        use: "train" or "val".
        patient: of the case.
        shape: voxels along (k, j, i).
        spacing: mm along (k, j, i).
        labels: the labels that occur, in order; the first ones when there are very many.
        target_voxels: number of voxels of the target.
        target_ml: its volume.
        intensities: of each channel the minimum, 1 %, 50 %, 99 % and maximum.
        fingerprint: hash of the image's voxels.
    """

    dataset: str
    name: str
    use: str
    patient: str
    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    labels: tuple[int, ...]
    target_voxels: int
    target_ml: float
    intensities: tuple[tuple[float, ...], ...]
    fingerprint: str


@dataclass(frozen=True)
class Examination:
    """A case that was looked at.

    Attributes:
        case: the case.
        faults: sentences on what training can't work with.
        remarks: sentences on what is odd.
        facts: None when the case can't be read.
        view: the same.
    """

    case: LabeledCase
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    facts: CaseFacts | None = None
    view: View | None = None


def examine(case: LabeledCase) -> Examination:
    """Read a case and say what it holds. Nothing that is wrong raises."""
    try:
        channels = on_one_grid(case.read_channels())
    except InputError as error:
        return Examination(case, [str(error)])
    try:
        labels = case.read_labels(channels[0])
    except InputError as error:
        return Examination(case, [str(error)])
    target = case.target_of(labels)
    faults, remarks = _judged(case, channels, target)
    return Examination(
        case, faults, remarks, _facts(case, channels, labels, target), _view(channels[0], target)
    )


def _judged(
    case: LabeledCase, channels: Sequence[Volume], target: np.ndarray
) -> tuple[list[str], list[str]]:
    """Return the faults and the remarks."""
    faults, remarks = [], []
    voxels = int(np.count_nonzero(target))
    if voxels == 0 and not case.may_be_empty:
        faults.append(f"The label is empty: {case.label} has no voxel of the target.")
    if voxels > target.size / 2:
        remarks.append(
            f"The target fills {voxels / target.size:.0%} of the image; is it the background?"
        )
    for channel in channels:
        if channel.array.min() == channel.array.max():
            faults.append(f"{channel.name} is constant: every voxel is {channel.array.min():g}.")
    return faults, remarks


def _facts(
    case: LabeledCase, channels: Sequence[Volume], labels: np.ndarray, target: np.ndarray
) -> CaseFacts:
    volume = channels[0]
    voxels = int(np.count_nonzero(target))
    fingerprint = hashlib.sha256(repr(volume.shape).encode())
    for channel in channels:
        fingerprint.update(channel.array.data)
    return CaseFacts(
        dataset=case.dataset,
        name=case.name,
        use=case.use,
        patient=case.patient,
        shape=volume.shape,
        spacing=three(round(s, 4) for s in volume.spacing),
        labels=tuple(np.unique(labels)[:_MOST_LABELS].tolist()),
        target_voxels=voxels,
        target_ml=round(voxels * float(np.prod(volume.spacing)) / 1000, 4),
        intensities=tuple(
            tuple(round(float(q), 4) for q in np.percentile(channel.array, [0, 1, 50, 99, 100]))
            for channel in channels
        ),
        fingerprint=fingerprint.hexdigest(),
    )


def _view(volume: Volume, target: np.ndarray) -> View:
    """Return the slice at which half of the target is passed; the middle one without target."""
    orientation = Orientation.of(volume.ijk_to_ras)
    image, mask = orientation.apply(volume.array), orientation.apply(target)
    _, height, width = orientation.spacing(volume.spacing)
    passed = np.cumsum(np.count_nonzero(mask, axis=(1, 2)))
    k = int(np.searchsorted(passed, passed[-1] / 2)) if passed[-1] else len(image) // 2
    step = max(1, -(-max(image.shape[1:]) // _VIEW_SIZE))
    image, mask = image[k, ::step, ::step], mask[k, ::step, ::step]
    low, high = np.percentile(image, [0.5, 99.5])
    scaled = np.clip((image - low) / ((high - low) or 1), 0, 1)
    return View((255 * scaled).astype(np.uint8), mask.copy(), height / width)
