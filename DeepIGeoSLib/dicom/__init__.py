"""DICOM files, placed by their headers: every voxel where its header says, or a sentence."""

from DeepIGeoSLib.dicom.reader import is_dicom, read_dicom

__all__ = ["is_dicom", "read_dicom"]
