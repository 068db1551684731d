"""DICOM files, placed by their headers: every voxel where its header says, or a sentence."""

from DeepIGeoSLib.dicom.reader import find_slices, is_dicom, read_dicom
from DeepIGeoSLib.dicom.segment_meaning import (
    Algorithm,
    Code,
    SegmentationMeaning,
    SegmentMeaning,
)

__all__ = [
    "Algorithm",
    "Code",
    "SegmentMeaning",
    "SegmentationMeaning",
    "find_slices",
    "is_dicom",
    "read_dicom",
]
