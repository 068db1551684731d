"""Reading DICOM segmentations (SEG) onto the voxels of the image that they belong to."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from DeepIGeoSLib.dicom.headers import SEGMENTATIONS, damage_named
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.layout import voxel_count
from DeepIGeoSLib.formats.segmentation import Segment, chosen_segments
from DeepIGeoSLib.grid.lattice import placement

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class _Frame:
    """A plane of one segment, or of all where pixels hold their numbers."""

    values: np.ndarray
    matrix: np.ndarray
    segment: int | None


def is_dicom_segmentation(path: Path) -> bool:
    """Whether a file is a DICOM segmentation, by its header."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    if not path.is_file():
        return False
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID"])
    except (InvalidDicomError, OSError):
        return False
    return header.get("SOPClassUID") in SEGMENTATIONS


def read_segmentation(
    path: Path, shape: tuple[int, int, int], ijk_to_ras: np.ndarray, *, names: Sequence[str] = ()
) -> np.ndarray:
    """Return where segments of a DICOM segmentation lie: bool, axes (k, j, i), the image's shape.

    Args:
        path: the file.
        shape: of the image, (k, j, i).
        ijk_to_ras: 4 x 4 of the image.
        names: which segments, by label or number; all of them when empty.

    Raises:
        InputError: the file is damaged, holds no such segment, or lies on other voxels.
    """
    result = np.zeros(shape, dtype=bool)
    with _opened(path) as dataset:
        wanted = chosen_segments(_segments_of(dataset), names, str(path))
        masks = {segment.label: result for segment in wanted}  # one for all
        _lay_frames(dataset, masks, ijk_to_ras, path)
    return result


def read_segments(
    path: Path, shape: tuple[int, int, int], ijk_to_ras: np.ndarray
) -> list[tuple[str, np.ndarray]]:
    """Return each segment of a DICOM segmentation: its label, and where it is.

    Args:
        path: the file.
        shape: of the image, (k, j, i).
        ijk_to_ras: 4 x 4 of the image.

    Returns:
        In the order of their numbers; masks are bool, axes (k, j, i), the image's shape, and may
        overlap or be empty.

    Raises:
        InputError: as ``read_segmentation``.
    """
    with _opened(path) as dataset:
        segments = sorted(_segments_of(dataset), key=lambda segment: segment.label)
        masks = {segment.label: np.zeros(shape, dtype=bool) for segment in segments}
        _lay_frames(dataset, masks, ijk_to_ras, path)
    return [(segment.name, masks[segment.label]) for segment in segments]


@contextmanager
def _opened(path: Path) -> Generator[Any, None, None]:
    """Yield what a file holds; what is wrong with it while it is read is named."""
    import pydicom

    with warnings.catch_warnings(), damage_named(path):
        warnings.simplefilter("ignore", UserWarning)
        yield pydicom.dcmread(path)


def _lay_frames(
    dataset: Any, masks: Mapping[int, np.ndarray], ijk_to_ras: np.ndarray, path: Path
) -> None:
    """Add the planes of segments, by their numbers, to masks of the image's shape."""
    for frame in _frames_of(dataset, path):
        if frame.segment is None:
            for number in {int(n) for n in np.unique(frame.values)} & masks.keys():
                _lay(frame.values == number, frame.matrix, masks[number], ijk_to_ras, path)
        elif frame.segment in masks:
            _lay(frame.values, frame.matrix, masks[frame.segment], ijk_to_ras, path)


def _segments_of(dataset: Any) -> list[Segment]:
    return [
        Segment(
            identifier=str(int(item.SegmentNumber)),
            name=str(item.get("SegmentLabel") or item.SegmentNumber),
            layer=0,
            label=int(item.SegmentNumber),
        )
        for item in dataset.SegmentSequence
        if int(item.SegmentNumber) > 0
    ]


def _frames_of(dataset: Any, path: Path) -> Iterator[_Frame]:
    """Yield the planes; fractional ones are cut at one half."""
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    groups = dataset.PerFrameFunctionalGroupsSequence
    voxel_count([len(groups), rows, columns], path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    stored = dataset.pixel_array.reshape(-1, rows, columns)
    kind = str(dataset.SegmentationType)
    if kind == "FRACTIONAL":
        stored = 2 * stored.astype(np.uint16) >= int(dataset.MaximumFractionalValue)
    elif kind == "BINARY":
        stored = stored > 0
    for group, values in zip(groups, stored, strict=True):
        yield _Frame(values, _matrix(group, shared), _segment_of(group, shared, kind))


def _segment_of(group: Any, shared: Any, kind: str) -> int | None:
    if kind == "LABELMAP":
        return None
    return int(_item("SegmentIdentificationSequence", group, shared).ReferencedSegmentNumber)


def _matrix(group: Any, shared: Any) -> np.ndarray:
    """Return the 4 x 4 matrix of a plane from (i, j, k, 1) to RAS in mm."""
    orientation = _item("PlaneOrientationSequence", group, shared).ImageOrientationPatient
    measures = _item("PixelMeasuresSequence", group, shared)
    position = _item("PlanePositionSequence", group, shared).ImagePositionPatient
    row, column = np.array(orientation, dtype=float).reshape(2, 3)
    between_rows, between_columns = (float(distance) for distance in measures.PixelSpacing)
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = row * between_columns, column * between_rows
    matrix[:3, 2] = np.cross(row, column)
    matrix[:3, 3] = np.array(position, dtype=float)
    return _LPS_TO_RAS @ matrix


def _item(sequence: str, group: Any, shared: Any) -> Any:
    """Return the item of a functional group, of the frame or of all frames."""
    return (group.get(sequence) or shared[sequence].value)[0]


def _lay(
    values: np.ndarray, matrix: np.ndarray, result: np.ndarray, ijk_to_ras: np.ndarray, path: Path
) -> None:
    """Add the voxels of a plane to the result."""
    if not values.any():
        return
    place = placement(matrix, (1, *values.shape), ijk_to_ras)
    if place is None:
        raise InputError(f"{path} lies on other voxels than the image: they are between them.")
    voxels = np.argwhere(place.turned(values[np.newaxis])) + place.offset
    if (voxels < 0).any() or (voxels >= result.shape).any():
        raise InputError(f"{path} has voxels outside of the image.")
    result[tuple(voxels.T)] = True
