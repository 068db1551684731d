"""Series that the tests of DICOM write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
AXIAL = [1, 0, 0, 0, 1, 0]


@pytest.fixture
def voxels() -> np.ndarray:
    """Six slices of noise; the first voxel of each says which one it is."""
    array = np.random.default_rng(0).integers(50, 200, (6, 7, 9)).astype(np.uint16)
    array[:, 0, 0] = np.arange(6) + 1
    return array


@pytest.fixture
def upright() -> list[tuple[float, float, float]]:
    """Positions of six axial slices, one above the other."""
    return [(10.0, -20.0, 3.0 * n) for n in range(6)]


def image(voxels: np.ndarray, uid: str = MR, **attributes: Any) -> Dataset:
    """A DICOM image without a place; attributes that are None are left out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = uid
    dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = "1.2.3.4"
    dataset.Modality = "CT" if uid == CT else "MR"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = voxels.shape[-2:]
    dataset.BitsAllocated = dataset.BitsStored = 8 * voxels.dtype.itemsize
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(voxels.dtype.kind == "i")
    dataset.PixelData = voxels.tobytes()
    for keyword, value in attributes.items():
        if value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)
    return dataset


@pytest.fixture
def write_series(tmp_path: Path) -> Callable[..., Path]:
    """Write one file for each slice; return the folder.

    An attribute that is a tuple differs from slice to slice.
    """

    def write(
        voxels: np.ndarray,
        positions: Sequence[Sequence[float] | None],
        folder: str = "series",
        first: int = 1,
        **attributes: Any,
    ) -> Path:
        (tmp_path / folder).mkdir(exist_ok=True)
        for n, (plane, position) in enumerate(zip(voxels, positions, strict=True)):
            said = {
                "ImageOrientationPatient": AXIAL,
                "PixelSpacing": [0.5, 0.75],
                "ImagePositionPatient": None if position is None else list(position),
                "InstanceNumber": first + n,
                "SliceThickness": 3,
            }
            own = {k: v[n] if isinstance(v, tuple) else v for k, v in attributes.items()}
            path = tmp_path / folder / f"{first + n:03d}.dcm"
            image(plane, **{**said, **own}).save_as(path, enforce_file_format=True)
        return tmp_path / folder

    return write


@pytest.fixture
def write_enhanced(tmp_path: Path) -> Callable[..., Path]:
    """Write one file whose frames lie at the given heights; return its path."""

    def write(
        voxels: np.ndarray,
        heights: Sequence[float],
        groups: Sequence[dict[str, Dataset]] = (),
        **attributes: Any,
    ) -> Path:
        dataset = image(voxels, ENHANCED_MR, NumberOfFrames=len(voxels), **attributes)
        shared = Dataset()
        shared.PlaneOrientationSequence = [_item(ImageOrientationPatient=AXIAL)]
        shared.PixelMeasuresSequence = [_item(PixelSpacing=[0.5, 0.75], SliceThickness=3)]
        dataset.SharedFunctionalGroupsSequence = [shared]
        frames = []
        for n, height in enumerate(heights):
            frame = Dataset()
            frame.PlanePositionSequence = [_item(ImagePositionPatient=[10, -20, height])]
            for keyword, item in (groups[n] if groups else {}).items():
                setattr(frame, keyword, [item])
            frames.append(frame)
        dataset.PerFrameFunctionalGroupsSequence = frames
        path = tmp_path / "enhanced.dcm"
        dataset.save_as(path, enforce_file_format=True)
        return path

    return write


@pytest.fixture
def rewrite() -> Callable[..., None]:
    """Change attributes of a file; None removes one."""

    def change(path: Path, **attributes: Any) -> None:
        dataset = pydicom.dcmread(path)
        for keyword, value in attributes.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        dataset.save_as(path, enforce_file_format=True)

    return change


def _item(**attributes: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset
