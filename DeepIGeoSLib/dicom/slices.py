"""What the headers of DICOM files say about each slice, single-frame and enhanced alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    import pydicom

# Attributes that tell volumes at the same place apart (time points, echoes, diffusion weightings,
# magnitude and phase), and the functional group that holds each in an enhanced file.
_MARKS = {
    "TemporalPositionIdentifier": None,
    "TemporalPositionIndex": "FrameContentSequence",
    "FrameAcquisitionNumber": "FrameContentSequence",
    "AcquisitionNumber": None,
    "NominalCardiacTriggerDelayTime": "CardiacSynchronizationSequence",
    "TriggerTime": None,
    "EchoNumbers": None,
    "EchoTime": None,
    "EffectiveEchoTime": "MREchoSequence",
    "InversionTime": None,
    "FlipAngle": None,
    "DiffusionBValue": "MRDiffusionSequence",
    "ImageType": None,
    "FrameType": "MRImageFrameTypeSequence",
}

# A direction's length may differ from 1, and the product of two from 0, by this much: rounding.
_UNIT_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class Slice:
    """One plane of voxels: a file, or a frame of an enhanced file.

    Attributes:
        path: the file.
        frame: number in the file, from 0.
        header: of the file, without its voxels.
        shape: rows and columns.
        spacing: mm from row to row and from column to column.
        directions: unit vectors (2, 3) along a row and along a column, LPS; None: not said.
        position: center of the first voxel in mm, LPS; None: not said.
        distance: mm to the next slice, for a slice that is alone.
        stack: which of the stacks of a file.
        marks: what may tell slices at the same place apart, by attribute.
        rescaling: holds the slope and intercept, or the table; None: stored values are values.
    """

    path: Path
    frame: int
    header: pydicom.Dataset
    shape: tuple[int, int]
    spacing: tuple[float, float]
    directions: np.ndarray | None
    position: np.ndarray | None
    distance: float
    stack: str
    marks: dict[str, float | str] = field(repr=False)
    rescaling: pydicom.Dataset | None = field(repr=False)

    @property
    def name(self) -> str:
        """What messages call it."""
        if int(self.header.get("NumberOfFrames") or 1) == 1:
            return self.path.name
        return f"frame {self.frame + 1} of {self.path.name}"

    @property
    def known_position(self) -> np.ndarray:
        """``position``, of a slice that has one."""
        if self.position is None:
            raise ValueError(f"{self.name} has no position.")
        return self.position

    @property
    def known_directions(self) -> np.ndarray:
        """``directions``, of a slice that has them."""
        if self.directions is None:
            raise ValueError(f"{self.name} has no directions.")
        return self.directions

    @property
    def normal(self) -> np.ndarray:
        """Unit vector from slice to slice, right-handed with rows and columns."""
        return np.cross(*self.known_directions)


def slices_of(path: Path, header: pydicom.Dataset) -> list[Slice]:
    """Return the slices of an image file.

    Args:
        path: the file.
        header: what it says, with or without its voxels.

    Raises:
        InputError: geometry that can't be true, or frames without a header.
    """
    frames = int(header.get("NumberOfFrames") or 1)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups is not None and len(groups) != frames:
        raise InputError(
            f"{path} is damaged: it has {frames} frames, but headers for {len(groups)}."
        )
    if groups is None and frames > 1:
        raise InputError(
            f"{path} holds {frames} frames without saying where each lies (a film?); export a "
            "series of single slices or an enhanced file."
        )
    shared = next(iter(header.get("SharedFunctionalGroupsSequence") or ()), None)
    return [
        _slice(path, n, header, _Said(header, shared, None if groups is None else groups[n]))
        for n in range(frames)
    ]


class _Said:
    """What is said about one frame: in its own group, the group of all frames, or the header."""

    def __init__(self, header: Any, shared: Any, own: Any) -> None:
        self.enhanced = own is not None
        self._header = header
        self._groups = [group for group in (own, shared) if group is not None]

    def group(self, sequence: str | None) -> Any:
        """Return the frame's item of a functional group; None where there is none."""
        for group in self._groups:
            if sequence and group.get(sequence):
                return group.get(sequence)[0]
        return None

    def value(self, keyword: str, sequence: str | None = None) -> Any:
        """Return a value; None where it is missing or empty."""
        item = self.group(sequence)
        found = item.get(keyword) if item is not None else None
        if found is None:
            found = self._header.get(keyword)
        return None if found in ("", None) else found


def _slice(path: Path, frame: int, header: pydicom.Dataset, said: _Said) -> Slice:
    directions = _numbers(said.value("ImageOrientationPatient", "PlaneOrientationSequence"), 6)
    position = _numbers(said.value("ImagePositionPatient", "PlanePositionSequence"), 3)
    measures = "PixelMeasuresSequence"
    spacing = said.value("PixelSpacing", measures)
    if spacing is None and directions is None and position is None:
        # A picture: it has no place in the patient, at most a size.
        spacing = said.value("ImagerPixelSpacing") or (1.0, 1.0)
    spacing = _numbers(spacing, 2)
    if spacing is None or not (spacing > 0).all():
        raise InputError(f"{path.name} says no usable PixelSpacing: {_listed(spacing)}.")
    if directions is not None:
        directions = directions.reshape(2, 3)
        _check_directions(path, directions)
    distances = (
        said.value(keyword, measures) for keyword in ("SpacingBetweenSlices", "SliceThickness")
    )
    distance = next((abs(float(d)) for d in distances if d is not None and float(d) != 0), 1.0)
    return Slice(
        path=path,
        frame=frame,
        header=header,
        shape=(int(header.Rows), int(header.Columns)),
        spacing=(float(spacing[0]), float(spacing[1])),
        directions=directions,
        position=position,
        distance=distance,
        stack=str(said.value("StackID", "FrameContentSequence") or ""),
        marks=dict(_marks(path, header, said)),
        rescaling=said.group("PixelValueTransformationSequence") if said.enhanced else header,
    )


def _numbers(values: Iterable[Any] | None, count: int) -> np.ndarray | None:
    """Return so many finite numbers; None where nothing is said.

    Raises:
        ValueError: another number of values, NaN or infinity.
    """
    if values is None:
        return None
    numbers = np.array([float(v) for v in values])
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"{count} finite numbers are expected instead of {_listed(numbers)}")
    return numbers


def _check_directions(path: Path, directions: np.ndarray) -> None:
    products = directions @ directions.T
    if np.abs(products - np.eye(2)).max() > _UNIT_TOLERANCE:
        raise InputError(
            f"{path.name} has an ImageOrientationPatient that can't be true: {_listed(directions)} "
            "are no two perpendicular directions of length 1."
        )


def _marks(path: Path, header: pydicom.Dataset, said: _Said) -> Iterator[tuple[str, float | str]]:
    if said.enhanced:
        yield "file", path.name
    for keyword, sequence in _MARKS.items():
        value = said.value(keyword, sequence)
        if value is not None:
            yield keyword, float(value) if isinstance(value, (int, float)) else str(value)
    content = said.group("FrameContentSequence")
    indices = content.get("DimensionIndexValues") if content is not None else None
    if indices is not None:
        indices = [indices] if isinstance(indices, int) else list(indices)
        for number, index in enumerate(indices, 1):
            yield f"dimension {number}", float(index)


def _listed(values: np.ndarray | None) -> str:
    return "nothing" if values is None else ", ".join(f"{v:g}" for v in np.ravel(values))
