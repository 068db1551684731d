"""Writing DICOM segmentations (SEG): on the slices of the series that they were made of."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from DeepIGeoSLib.dicom.reader import find_slices
from DeepIGeoSLib.dicom.segment_meaning import Algorithm, Code, SegmentationMeaning, SegmentMeaning
from DeepIGeoSLib.dicom.segmentation_reader import read_segmentation
from DeepIGeoSLib.dicom.slices import Slice
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step

if TYPE_CHECKING:
    import pydicom

ENDING = ".dcm"

_MANUFACTURER = "DeepIGeoS for 3D Slicer"

# What may be unknown, but has to be said: anonymized files often leave it out.
_MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "ReferringPhysicianName"),
    *("StudyID", "StudyDate", "StudyTime", "AccessionNumber"),
)

# A series of results gets the number of its source and this: behind those of the scanner.
_SERIES_BEHIND = 1000


def check_segmentation_output(path: Path, source: Path) -> None:
    """Check that a DICOM segmentation of an image can be written, as far as that is known before.

    Args:
        path: where it is to go.
        source: file or folder of the image.

    Raises:
        InputError: the image is no DICOM, so there is nothing to refer to, or highdicom is missing.
    """
    from DeepIGeoSLib.dicom.headers import is_dicom

    if not is_dicom(source):
        raise InputError(
            f"{path} can't be written: a DICOM segmentation refers to the series that it was made "
            f"of, and {source} is no DICOM; use .nii.gz or .seg.nrrd."
        )
    _highdicom(path)


def write_segmentation(
    path: Path,
    masks: Mapping[int, np.ndarray],
    source: Path,
    *,
    series: str | int | None = None,
    frame: int | None = None,
    meaning: SegmentationMeaning | None = None,
    software_version: str = "unknown",
) -> None:
    """Write masks as a DICOM segmentation that appears whole or not at all.

    Each mask is a segment, each slice that holds some of it a frame, which refers to the slice of
    the source. Segments may overlap, and may be empty. Patient, study and frame of reference are
    those of the source.

    Args:
        path: where to.
        masks: at least one, by the label that ``meaning`` knows it by: bool, axes (k, j, i), the
            shape of the volume that is read from the source.
        source: file or folder of the image.
        series: as ``read_dicom``.
        frame: as ``read_dicom``.
        meaning: what the masks are, and what made them.
        software_version: of this library.

    Raises:
        InputError: the source's headers lack what a segmentation needs, highdicom is missing, or
            the file can't be written.
    """
    highdicom = _highdicom(path)
    meaning = meaning or SegmentationMeaning()
    slices, ijk_to_ras = find_slices(source, series=series, frame=frame)
    shape = (len(slices), *slices[0].shape)
    if any(mask.shape != shape for mask in masks.values()):
        raise InputError(f"{source} has changed since it was read; {path} was not written.")
    headers, frames = _on_files(slices, list(masks.values()))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            made = highdicom.seg.Segmentation(
                source_images=headers,
                pixel_array=frames,
                segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
                segment_descriptions=[
                    _described(number, meaning.of(label), meaning.algorithm)
                    for number, label in enumerate(masks, 1)
                ],
                series_instance_uid=highdicom.UID(),
                series_number=int(headers[0].get("SeriesNumber") or 0) + _SERIES_BEHIND,
                sop_instance_uid=highdicom.UID(),
                instance_number=1,
                manufacturer=_MANUFACTURER,
                manufacturer_model_name=meaning.algorithm.name[:64],
                software_versions=software_version,
                device_serial_number="none",
                content_label="SEGMENTATION",
                series_description=f"{meaning.of(next(iter(masks))).label} ({_MANUFACTURER})"[:64],
            )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{path} can't be written: the headers of {source} lack what a DICOM segmentation "
            f"needs ({reason}); use .nii.gz or .seg.nrrd."
        ) from error
    with written_in_one_step(path) as temporary:
        made.save_as(temporary, enforce_file_format=True)
        written = read_segmentation(temporary, shape, ijk_to_ras)
        if not np.array_equal(written, np.any(list(masks.values()), axis=0)):
            raise InputError(f"{path} can't be written: other voxels were read back than written.")


def _on_files(
    slices: Sequence[Slice], masks: Sequence[np.ndarray]
) -> tuple[list[pydicom.Dataset], np.ndarray]:
    """Return the headers of the source's files, and masks (frame, row, column, segment) on them.

    Frames of an enhanced file that are not of this volume hold nothing.
    """
    headers = {one.path: one.header for one in slices}
    starts, count = {}, 0
    for path, header in headers.items():
        starts[path] = count
        count += int(header.get("NumberOfFrames") or 1)
    frames = np.zeros((count, *slices[0].shape, len(masks)), dtype=np.uint8)
    for number, mask in enumerate(masks):
        for plane, one in zip(mask, slices, strict=True):
            frames[starts[one.path] + one.frame, ..., number] = plane
    return [_completed(header) for header in headers.values()], frames


def _completed(header: pydicom.Dataset) -> pydicom.Dataset:
    """Return a header that says of everything unknown that it is."""
    completed = copy(header)
    for keyword in _MAY_BE_EMPTY:
        if keyword not in header:
            setattr(completed, keyword, None)
    return completed


def _described(number: int, meaning: SegmentMeaning, algorithm: Algorithm) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    kinds = highdicom.seg.SegmentAlgorithmTypeValues
    identified = highdicom.AlgorithmIdentificationSequence(
        name=algorithm.name,
        family=codes.DCM.ArtificialIntelligence,
        version=algorithm.version,
        source=_MANUFACTURER,
        parameters=dict(algorithm.parameters) or None,
    )
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=meaning.label[:64],
        segmented_property_category=_coded(meaning.category),
        segmented_property_type=_coded(meaning.kind),
        algorithm_type=kinds.AUTOMATIC if algorithm.automatic else kinds.SEMIAUTOMATIC,
        algorithm_identification=identified,
        anatomic_regions=None if meaning.region is None else [_coded(meaning.region)],
    )


def _coded(code: Code) -> Any:
    import highdicom

    return highdicom.sr.CodedConcept(code.value, code.scheme, code.meaning)


def _highdicom(path: Path) -> Any:
    try:
        import highdicom
    except ImportError as error:
        raise InputError(
            f"Writing {path} needs the package highdicom (pip install deepigeos[dicom])."
        ) from error
    return highdicom
