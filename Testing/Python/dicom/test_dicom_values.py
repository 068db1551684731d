"""DICOM values are what the headers make of the stored ones, and damaged files are refused."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, RLELossless

from DeepIGeoSLib import InputError, Volume

PET = "1.2.840.10008.5.1.4.1.1.128"


def refused(path: Path, *words: str) -> str:
    with pytest.raises(InputError) as raised:
        Volume.read(path)
    sentence = str(raised.value)
    for word in words:
        assert word in sentence, sentence
    return sentence


@pytest.mark.parametrize("first", [0.013, 1.0])
def test_each_slice_has_its_own_slope_and_intercept(
    write_series, voxels, upright, first: float
) -> None:
    slopes = (first, *(0.0001 * (n + 1) for n in range(5)))
    intercepts = tuple(-0.5 * n for n in range(6))
    folder = write_series(
        voxels, upright, uid=PET, RescaleSlope=slopes, RescaleIntercept=intercepts
    )
    wanted = voxels * np.reshape(slopes, (6, 1, 1)) + np.reshape(intercepts, (6, 1, 1))
    np.testing.assert_allclose(Volume.read(folder).array, wanted, rtol=1e-6)


@pytest.mark.parametrize(
    ("said", "wanted"), [({"RescaleSlope": 0.5}, 0.5), ({"RescaleIntercept": 7}, 7)]
)
def test_a_slope_or_an_intercept_may_stand_alone(
    write_series, voxels, upright, said: dict, wanted: float
) -> None:
    values = voxels * wanted if "RescaleSlope" in said else voxels + wanted
    np.testing.assert_allclose(Volume.read(write_series(voxels, upright, **said)).array, values)


def test_each_frame_has_its_own_slope(write_enhanced, voxels) -> None:
    groups = []
    for n in range(6):
        item = Dataset()
        item.RescaleSlope, item.RescaleIntercept, item.RescaleType = 0.1 * (n + 1), n, "US"
        groups.append({"PixelValueTransformationSequence": item})
    volume = Volume.read(write_enhanced(voxels, [3.0 * n for n in range(6)], groups))
    factors = np.reshape([0.1 * (n + 1) for n in range(6)], (6, 1, 1))
    np.testing.assert_allclose(
        volume.array, voxels * factors + np.arange(6)[:, None, None], rtol=1e-6
    )


def test_a_modality_table_is_applied(write_series, voxels, upright) -> None:
    table = Dataset()
    table.LUTDescriptor = [256, 0, 16]
    table.ModalityLUTType = "US"
    table["LUTDescriptor"].VR = "US"
    table.add_new("LUTData", "OW", (3 * np.arange(256)).astype("<u2").tobytes())
    folder = write_series(voxels, upright, ModalityLUTSequence=[table])
    np.testing.assert_array_equal(Volume.read(folder).array, 3 * voxels.astype(np.float32))


def test_a_slope_of_zero_is_named(write_series, voxels, upright) -> None:
    slopes = (1, 1, 0, 1, 1, 1)
    refused(
        write_series(voxels, upright, RescaleSlope=slopes, RescaleIntercept=0),
        "003.dcm",
        "RescaleSlope 0",
    )


def test_what_is_white_at_zero_is_turned(write_series, voxels, upright) -> None:
    volume = Volume.read(write_series(voxels, upright, PhotometricInterpretation="MONOCHROME1"))
    stored = voxels.astype(np.float32)
    np.testing.assert_array_equal(volume.array, stored.min() + stored.max() - stored)


def test_both_shades_in_one_series_are_refused(write_series, voxels, upright) -> None:
    shades = ("MONOCHROME1", *["MONOCHROME2"] * 5)
    refused(write_series(voxels, upright, PhotometricInterpretation=shades), "MONOCHROME1")


def test_color_is_refused(write_series, upright) -> None:
    color = np.zeros((6, 7, 9), dtype=np.uint8)
    folder = write_series(color, upright, PhotometricInterpretation="PALETTE COLOR")
    refused(folder, "colors (PALETTE COLOR)")


def test_signed_values_and_padding_stay_what_they_are(write_series, voxels, upright) -> None:
    signed = voxels.astype(np.int16) - 100
    signed[:, -1] = -2000
    folder = write_series(signed, upright, PixelPaddingValue=-2000)
    np.testing.assert_array_equal(Volume.read(folder).array, signed)


def test_signed_values_of_twelve_bits(write_series, voxels, upright) -> None:
    signed = voxels.astype(np.int16) - 100
    stored = (signed & 0x0FFF).view(np.uint16)
    folder = write_series(stored, upright, BitsStored=12, HighBit=11, PixelRepresentation=1)
    np.testing.assert_array_equal(Volume.read(folder).array, signed)


def test_drawings_in_unused_bits_are_left_out(write_series, voxels, upright) -> None:
    drawn = voxels.copy()
    drawn[:, 2, 2] |= 0x8000
    folder = write_series(drawn, upright, BitsStored=12, HighBit=11)
    np.testing.assert_array_equal(Volume.read(folder).array, voxels)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
@pytest.mark.parametrize("decoder", ["pydicom", "GDCM"])
def test_compressed_files_are_read(
    write_series, voxels, upright, monkeypatch, syntax: str, decoder: str
) -> None:
    slopes = tuple(0.5 + n for n in range(6))
    folder = write_series(voxels, upright, RescaleSlope=slopes, RescaleIntercept=0)
    for path in folder.iterdir():
        _compress(path, syntax)
    if decoder == "GDCM":

        def no_decoder(dataset: Dataset) -> None:
            raise NotImplementedError("no decoder for this compression")

        monkeypatch.setattr(Dataset, "pixel_array", property(no_decoder))
    wanted = voxels * np.reshape(slopes, (6, 1, 1))
    np.testing.assert_allclose(Volume.read(folder).array, wanted)


def _compress(path: Path, syntax: str) -> None:
    dataset = pydicom.dcmread(path)
    if syntax == RLELossless:
        dataset.compress(RLELossless)
    else:
        image = SimpleITK.GetImageFromArray(dataset.pixel_array)
        writer = SimpleITK.ImageFileWriter()
        writer.SetImageIO("GDCMImageIO")
        writer.SetFileName(str(path.with_suffix(".jp2.dcm")))
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG2000")
        writer.Execute(image)
        other = pydicom.dcmread(path.with_suffix(".jp2.dcm"))
        path.with_suffix(".jp2.dcm").unlink()
        assert other.file_meta.TransferSyntaxUID == JPEG2000Lossless
        dataset.PixelData = other.PixelData
        dataset["PixelData"].is_undefined_length = True
        dataset.file_meta.TransferSyntaxUID = JPEG2000Lossless
    dataset.save_as(path)


def test_a_slice_cut_off_anywhere_is_named(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    whole = (folder / "004.dcm").read_bytes()
    for length in range(0, len(whole) - 1, 37):
        (folder / "004.dcm").write_bytes(whole[:length])
        refused(folder, "004.dcm")


def test_bytes_that_changed_give_a_volume_or_a_sentence(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    whole = (folder / "004.dcm").read_bytes()
    random = np.random.default_rng(5)
    for _ in range(150):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole) - voxels[0].nbytes, 3):
            damaged[place] = random.integers(256)
        (folder / "004.dcm").write_bytes(damaged)
        with contextlib.suppress(InputError):
            assert Volume.read(folder).shape == voxels.shape


def test_sizes_beyond_the_file_are_refused(write_series, rewrite, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    for path in folder.iterdir():
        rewrite(path, Rows=9000, Columns=9000)
    refused(folder, "damaged")


@pytest.mark.parametrize("rows", [0, 65535])
def test_sizes_that_no_volume_has_are_refused(
    write_series, rewrite, voxels, upright, rows: int
) -> None:
    folder = write_series(voxels, upright)
    for path in folder.iterdir():
        rewrite(path, Rows=rows, Columns=65535)
    refused(folder, "gives the size")


def test_a_directory_of_dicom_files_is_passed_over(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    listing = pydicom.dcmread(folder / "001.dcm")
    listing.file_meta.MediaStorageSOPClassUID = pydicom.uid.MediaStorageDirectoryStorage
    for keyword in ("SOPClassUID", "SOPInstanceUID", "Rows", "Columns", "PixelData"):
        delattr(listing, keyword)
    listing.save_as(folder / "DICOMDIR")
    np.testing.assert_array_equal(Volume.read(folder).array, voxels)
    refused(folder / "DICOMDIR", "no image")


def test_text_with_the_ending_of_a_slice_is_named(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    (folder / "007.dcm").write_text("a slice that never arrived")
    refused(folder, "007.dcm")


def test_other_files_beside_a_series_are_passed_over(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    (folder / "README.txt").write_text("These are six slices.")
    (folder / "._001.dcm").write_bytes(b"what a Macintosh leaves")
    (folder / "nested").mkdir()
    np.testing.assert_array_equal(Volume.read(folder).array, voxels)


def test_a_folder_of_folders_names_them(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright, folder="flair")
    refused(folder.parent, "without DICOM files", "flair")


def test_a_series_without_endings_is_read(write_series, voxels, upright, tmp_path: Path) -> None:
    folder = write_series(voxels, upright)
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in folder.iterdir():
        shutil.copy(path, bare / f"IM{path.stem}")
    np.testing.assert_array_equal(Volume.read(bare).array, voxels)
    np.testing.assert_array_equal(Volume.read(bare / "IM003").array[0], voxels[2])


def test_without_pydicom_the_sentence_says_what_is_needed(
    write_series, voxels, upright, monkeypatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydicom.pixels", None)
    refused(write_series(voxels, upright), "pip install pydicom")


SAMPLES = sorted((Path(pydicom.__file__).parent / "data/test_files").glob("*.dcm"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_samples_of_pydicom_are_read_as_itk_reads_them_or_explained(path: Path, capfd) -> None:
    try:
        volume = Volume.read(path)
    except InputError as error:
        volume = None
        sentence = str(error)
    assert capfd.readouterr() == ("", "")
    if volume is None:
        assert path.name in sentence
        return
    theirs = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path), imageIO="GDCMImageIO"))
    np.testing.assert_allclose(volume.array, theirs.reshape(volume.shape), rtol=1e-6)


def test_most_gray_samples_of_pydicom_are_read() -> None:
    read = 0
    for path in SAMPLES:
        with contextlib.suppress(InputError):
            Volume.read(path)
            read += 1
    assert read >= 18


@pytest.mark.parametrize("implicit", [True, False])
def test_files_from_before_there_were_file_headers_are_read(
    write_series, voxels, upright, implicit: bool
) -> None:
    folder = write_series(voxels, upright)
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.file_meta, dataset.preamble = pydicom.dataset.FileMetaDataset(), None
        dataset.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    assert np.array_equal(Volume.read(folder).array, voxels)


@pytest.mark.filterwarnings("error")
def test_values_beyond_those_of_float32_are_refused(write_series, voxels, upright) -> None:
    with pytest.raises(InputError, match="NaN or infinite values"):
        Volume.read(write_series(voxels, upright, RescaleSlope=1e300, RescaleIntercept=0))


def test_labels_may_be_a_dicom_series(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    labels = write_series(voxels % 3, upright, folder="labels")
    np.testing.assert_array_equal(Volume.read(folder).read_labels(labels), voxels % 3)
