"""The values of DICOM slices, decoded and rescaled one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.dicom.headers import damage_named
from DeepIGeoSLib.dicom.slices import Slice
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.layout import voxel_count
from DeepIGeoSLib.formats.quiet import quiet

if TYPE_CHECKING:
    import pydicom

# What a decoder needs to know of the pixels.
_PIXEL_ATTRIBUTES = (
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelData",
)
_GRAY_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"  # many frames of 16 bits


def values_of(slices: Sequence[Slice], name: str) -> np.ndarray:
    """Return the values of slices: float32, axes (k, j, i).

    Slope and intercept (or the table) are those of each slice. Where the files say that stored
    zeros are white (MONOCHROME1), values are mirrored within their range, so that dark is low.

    Args:
        slices: of one size.
        name: of the file or folder, for messages.

    Raises:
        InputError: a file is damaged, holds colors, can't be decoded, or contradicts another one.
    """
    shades = {str(s.header.get("PhotometricInterpretation")) for s in slices}
    colored = [s.name for s in slices if int(s.header.get("SamplesPerPixel") or 1) > 1]
    if colored or not shades <= {"MONOCHROME1", "MONOCHROME2"}:
        raise InputError(
            f"{name} holds colors ({', '.join(sorted(shades))}); one gray value per voxel is "
            "expected."
        )
    if len(shades) > 1:
        raise InputError(
            f"{name} mixes slices in which zero is white (MONOCHROME1) with others in which it is "
            "black; export the series again in one of both."
        )
    voxel_count([len(slices), *slices[0].shape], slices[0].path)
    # A file is decoded first: it must hold as much as its header says before room is made for all.
    path, stored = slices[0].path, _stored_values(slices[0])
    with damage_named(path):
        values = np.empty((len(slices), *slices[0].shape), dtype=np.float32)
    for n, one in enumerate(slices):
        if one.path != path:
            path, stored = one.path, _stored_values(one)
        # What float32 can't hold becomes infinite, which no volume takes.
        with damage_named(one.path), np.errstate(over="ignore"):
            values[n] = _rescaled(stored[one.frame], one)
    if shades == {"MONOCHROME1"}:
        np.subtract(values.min() + values.max(), values, out=values)
    return values


def _stored_values(one: Slice) -> np.ndarray:
    """Return the stored values of a file, axes (frame, row, column)."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

    frames = int(one.header.get("NumberOfFrames") or 1)
    voxel_count([frames, *one.shape], one.path)
    with damage_named(one.path):
        dataset = pydicom.dcmread(one.path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:  # before there were file headers
            implicit, _ = dataset.original_encoding
            dataset.file_meta.TransferSyntaxUID = (
                ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
            )
        try:
            stored = dataset.pixel_array
        except (NotImplementedError, RuntimeError):  # no decoder for this compression
            stored = _decoded_by_gdcm(dataset, one.path)
        return _significant_bits(stored.reshape(-1, *one.shape), dataset)


def _significant_bits(stored: np.ndarray, dataset: pydicom.Dataset) -> np.ndarray:
    """Clear what old files keep in the bits beside the values: drawings laid over the image."""
    allocated, used = int(dataset.BitsAllocated), int(dataset.get("BitsStored") or 0)
    if stored.dtype.kind not in "iu" or not 0 < used < allocated == 8 * stored.dtype.itemsize:
        return stored
    above = allocated - 1 - int(dataset.get("HighBit", used - 1))
    return (stored << above) >> (allocated - used)


def _decoded_by_gdcm(dataset: pydicom.Dataset, path: Path) -> np.ndarray:
    """Decode by GDCM, inside SimpleITK: it knows compressions for which pydicom needs packages.

    GDCM rescales by the first slope that it finds. It is given the pixels alone.
    """
    import pydicom
    import SimpleITK
    from pydicom.uid import generate_uid

    bare = pydicom.Dataset()
    for keyword in _PIXEL_ATTRIBUTES:
        if keyword in dataset:
            bare[keyword] = dataset[keyword]
    bare.PhotometricInterpretation = "MONOCHROME2"
    bare.SOPClassUID = _GRAY_SECONDARY_CAPTURE
    bare.SOPInstanceUID = generate_uid()
    bare.file_meta = pydicom.dataset.FileMetaDataset()
    syntax = dataset.file_meta.TransferSyntaxUID
    bare.file_meta.TransferSyntaxUID = syntax
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "pixels.dcm"
        bare.save_as(copy, enforce_file_format=True)
        try:
            with quiet():
                image = SimpleITK.ReadImage(str(copy), imageIO="GDCMImageIO")
            return SimpleITK.GetArrayFromImage(image)
        except RuntimeError as error:
            raise InputError(
                f"{path} can't be decoded: it is damaged, or nothing here reads {syntax.name}; "
                "export it without compression."
            ) from error


def _rescaled(stored: np.ndarray, one: Slice) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut

    if one.rescaling is None:
        return stored
    if "ModalityLUTSequence" in one.rescaling:
        return apply_modality_lut(stored, one.rescaling)
    slope, intercept = (one.rescaling.get(k) for k in ("RescaleSlope", "RescaleIntercept"))
    if slope == 0:
        raise InputError(f"{one.name} has the RescaleSlope 0, which makes every voxel the same.")
    return stored * float(1 if slope is None else slope) + float(intercept or 0)
