"""Every voxel of a DICOM volume lies where its header says, or one sentence refuses it."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from DeepIGeoSLib import InputError, Volume

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
CT = "1.2.840.10008.5.1.4.1.1.2"


def check_places(volume: Volume, positions: list[tuple[float, float, float]]) -> None:
    """Compare the place of each slice, told by its first voxel, with its header."""
    for k in range(volume.shape[0]):
        x, y, z = positions[int(volume.array[k, 0, 0]) - 1]
        np.testing.assert_allclose(
            volume.ijk_to_ras @ [0, 0, k, 1], [-x, -y, z, 1], rtol=0, atol=1e-6
        )


def refused(path: Path, *words: str, **choice: object) -> str:
    with pytest.raises(InputError) as raised:
        Volume.read(path, **choice)
    sentence = str(raised.value)
    for word in words:
        assert word in sentence, sentence
    return sentence


def test_files_in_any_order_are_sorted_by_place(write_series, voxels, upright) -> None:
    order = [3, 0, 5, 1, 4, 2]
    folder = write_series(voxels[order], [upright[n] for n in order])
    volume = Volume.read(folder)
    np.testing.assert_array_equal(volume.array, voxels)
    assert volume.spacing == pytest.approx((3.0, 0.5, 0.75))
    check_places(volume, upright)


def test_places_are_those_of_highdicom(write_series, voxels) -> None:
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    turn[:, 2] = np.cross(turn[:, 0], turn[:, 1])
    positions = [tuple(np.round(2.5 * n * turn[:, 2] - 30, 8)) for n in range(6)]
    directions = [float(x) for x in np.round(turn[:, :2].T.ravel(), 9)]
    folder = write_series(voxels, positions, uid=CT, ImageOrientationPatient=directions)
    datasets = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    for dataset in datasets:  # highdicom asks for what the tests leave out
        dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = "1.2", "1.3"
    theirs = highdicom.get_volume_from_series(datasets)
    volume = Volume.read(folder)
    corner = theirs.affine @ [2, 3, 4, 1]
    place = np.argwhere(volume.array == theirs.array[2, 3, 4])
    here = [volume.ijk_to_ras @ [*index[::-1], 1] for index in place]
    assert min(np.abs(h - LPS_TO_RAS @ corner).max() for h in here) < 1e-5
    assert abs(np.linalg.det(volume.ijk_to_ras)) == pytest.approx(
        abs(np.linalg.det(theirs.affine)), rel=1e-6
    )


def test_a_tilted_gantry_gives_a_sheared_volume(write_series, voxels) -> None:
    positions = [(10.0, -20.0 + n, 3.0 * n) for n in range(6)]
    volume = Volume.read(write_series(voxels, positions, uid=CT))
    check_places(volume, positions)
    assert np.linalg.det(volume.ijk_to_ras) == pytest.approx(3 * 0.5 * 0.75)


def test_a_tilt_of_half_a_degree_is_kept(write_series, voxels) -> None:
    positions = [(10.0, -20.0 + 0.026 * n, 3.0 * n) for n in range(6)]
    check_places(Volume.read(write_series(voxels, positions, uid=CT)), positions)


def test_a_gap_is_named(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    (folder / "004.dcm").unlink()
    refused(folder, "6 mm between 003.dcm and 005.dcm", "3 mm apart")


def test_two_distances_are_named(write_series, voxels, upright) -> None:
    positions = [*upright[:4], (10.0, -20.0, 14.0), (10.0, -20.0, 19.0)]
    refused(write_series(voxels, positions), "5 mm between 004.dcm and 005.dcm")


def test_a_slice_that_is_set_off_sideways_is_named(write_series, voxels, upright) -> None:
    upright[2] = (11.0, -20.0, 6.0)
    refused(write_series(voxels, upright), "003.dcm is 1 mm off")


def test_rounded_positions_are_no_gap(write_series, voxels) -> None:
    exact = [(10.0, -20.0, 1.2345678 * n) for n in range(6)]
    volume = Volume.read(write_series(voxels, [(x, y, round(z, 2)) for x, y, z in exact]))
    assert volume.spacing[0] == pytest.approx(1.2345678, rel=0.002)


def test_slices_side_by_side_are_no_volume(write_series, voxels) -> None:
    positions = [(10.0 * n, -20.0, 5.0) for n in range(6)]
    refused(write_series(voxels, positions), "same plane")


def test_a_repeated_slice_is_named(write_series, voxels, upright) -> None:
    upright[3] = upright[2]
    refused(write_series(voxels, upright), "003.dcm and 004.dcm lie at the same place")


def test_a_copied_file_is_read_once(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    shutil.copy(folder / "002.dcm", folder / "002 copy.dcm")
    assert Volume.read(folder).shape == voxels.shape


def test_time_points_are_chosen(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright, TemporalPositionIdentifier=2, AcquisitionNumber=1)
    write_series(voxels + 500, upright, first=101, TemporalPositionIdentifier=1)
    refused(folder, "2 volumes", "TemporalPositionIdentifier", "--frame")
    np.testing.assert_array_equal(Volume.read(folder, frame=0).array, voxels + 500)
    np.testing.assert_array_equal(Volume.read(folder, frame=1).array, voxels)
    refused(folder, "2 frame(s)", "no frame 2", frame=2)


def test_an_incomplete_time_point_is_named(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright, TemporalPositionIdentifier=1)
    write_series(voxels, upright, first=101, TemporalPositionIdentifier=2)
    (folder / "104.dcm").unlink()
    refused(folder, "at the same place", frame=0)


def test_repeated_places_that_nothing_tells_apart_are_refused(
    write_series, voxels, upright
) -> None:
    folder = write_series(voxels, upright)
    write_series(voxels + 500, upright, first=101)
    refused(folder, "001.dcm and 101.dcm", "nothing says how they differ")


def test_a_scout_is_listed_beside_its_series(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright, SeriesDescription="flair")
    sagittal = [0, 1, 0, 0, 0, -1]
    write_series(voxels[:1], upright[:1], first=101, ImageOrientationPatient=sagittal)
    refused(folder, "1: MR 'flair' 6 of 7 x 9, axial", "2: MR 1 of 7 x 9, sagittal", "101.dcm")
    np.testing.assert_array_equal(Volume.read(folder, series=1).array, voxels)


def test_a_parallel_scout_is_listed_beside_its_series(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright)
    scout = [(10.0, -20.0, 200.0)]
    write_series(voxels[:1], scout, first=101, ImageType=["DERIVED", "PRIMARY", "LOCALIZER"])
    refused(folder, "2: MR 1 of 7 x 9, axial, from 101.dcm")
    np.testing.assert_array_equal(Volume.read(folder, series=1).array, voxels)


def test_places_in_two_frames_of_reference_are_not_compared(write_series, voxels, upright) -> None:
    folder = write_series(voxels[:3], upright[:3], FrameOfReferenceUID="1.5")
    write_series(voxels[3:], upright[3:], first=101, FrameOfReferenceUID="1.6")
    refused(folder, "2 DICOM series or sets", "--series")


def test_a_series_is_chosen_by_number_uid_or_description(write_series, voxels, upright) -> None:
    folder = write_series(voxels, upright, SeriesDescription="flair")
    other = {"SeriesInstanceUID": "1.2.3.5", "SeriesDescription": "t1"}
    write_series(voxels[:4] + 500, upright[:4], first=101, **other)
    refused(folder, "2 DICOM series", "1: MR 'flair'", "2: MR 't1'", "--series")
    for choice in (2, "2", "1.2.3.5", "t1"):
        np.testing.assert_array_equal(Volume.read(folder, series=choice).array, voxels[:4] + 500)
    refused(folder, "none of them is meant by 't2'", series="t2")


def test_a_series_of_something_else_is_refused(tmp_path: Path, voxels) -> None:
    Volume(voxels).write_map(tmp_path / "image.nrrd", voxels)
    refused(tmp_path / "image.nrrd", "is not DICOM", series=1)


@pytest.mark.parametrize("missing", ["ImagePositionPatient", "ImageOrientationPatient"])
def test_a_slice_without_a_place_is_named(
    write_series, rewrite, voxels, upright, missing: str
) -> None:
    folder = write_series(voxels, upright)
    rewrite(folder / "005.dcm", **{missing: None})
    refused(folder, "005.dcm")


def test_a_series_without_places_is_refused(write_series, voxels) -> None:
    nowhere = {"ImageOrientationPatient": None}
    folder = write_series(voxels, [None] * 6, **nowhere)
    refused(folder, "nothing says where 001.dcm", "and 2 more")
    assert Volume.read(folder / "001.dcm").shape == (1, 7, 9)  # a picture has no place to miss


IMPOSSIBLE = {
    "no spacing": ({"PixelSpacing": None}, "PixelSpacing"),
    "spacing of zero": ({"PixelSpacing": [0, 1]}, "PixelSpacing"),
    "directions that are no unit vectors": (
        {"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]},
        "ImageOrientationPatient",
    ),
    "directions at no right angle": (
        {"ImageOrientationPatient": [1, 0, 0, 0.6, 0.8, 0]},
        "ImageOrientationPatient",
    ),
    "half a position": ({"ImagePositionPatient": [1, 2]}, "3 finite numbers"),
}


@pytest.mark.parametrize(("said", "words"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_geometry_that_cannot_be_true_is_named(
    write_series, rewrite, voxels, upright, said: dict, words: str
) -> None:
    folder = write_series(voxels, upright)
    rewrite(folder / "003.dcm", **said)
    refused(folder, "003.dcm", words)


def test_a_single_slice_is_as_thick_as_it_says(write_series, voxels, upright) -> None:
    folder = write_series(voxels[:1], upright[:1], SpacingBetweenSlices=-4.5)
    volume = Volume.read(folder)
    assert volume.spacing == pytest.approx((4.5, 0.5, 0.75))
    np.testing.assert_allclose(volume.ijk_to_ras[:3, 3], [-10, 20, 0])


def test_an_enhanced_file_is_ordered_by_its_headers(write_enhanced, voxels, upright) -> None:
    order = [2, 0, 1, 5, 4, 3]
    path = write_enhanced(voxels[order], [3.0 * n for n in order])
    for where in (path, path.parent):
        volume = Volume.read(where)
        np.testing.assert_array_equal(volume.array, voxels)
        check_places(volume, upright)


def test_a_gap_in_an_enhanced_file_is_named(write_enhanced, voxels) -> None:
    path = write_enhanced(voxels, [0, 3, 6, 12, 15, 18])
    refused(path, "6 mm between frame 3 of enhanced.dcm and frame 4 of enhanced.dcm")


def test_the_stacks_of_an_enhanced_file_are_listed(write_enhanced, voxels) -> None:
    content = [Dataset() for _ in range(6)]
    for n, item in enumerate(content):
        item.StackID = "AB"[n // 3]
    groups = [{"FrameContentSequence": item} for item in content]
    path = write_enhanced(voxels, [0, 3, 6, 100, 103, 106], groups)
    refused(path, "2 DICOM series or sets", "--series")
    np.testing.assert_array_equal(Volume.read(path, series=2).array, voxels[3:])


def test_the_dimensions_of_an_enhanced_file_tell_volumes_apart(write_enhanced, voxels) -> None:
    content = [Dataset() for _ in range(6)]
    for n, item in enumerate(content):
        item.DimensionIndexValues = [n // 2 + 1, n % 2 + 1]
    groups = [{"FrameContentSequence": item} for item in content]
    path = write_enhanced(voxels, [0, 0, 3, 3, 6, 6], groups)
    refused(path, "2 volumes", "dimensions")
    np.testing.assert_array_equal(Volume.read(path, frame=1).array, voxels[1::2])


def test_enhanced_files_at_one_place_are_told_apart_by_file(write_enhanced, voxels) -> None:
    heights = [3.0 * n for n in range(6)]
    folder = write_enhanced(voxels, heights).parent
    shutil.move(folder / "enhanced.dcm", folder / "later.dcm")
    write_enhanced(voxels + 500, heights)
    refused(folder, "2 volumes", "told apart by file")
    np.testing.assert_array_equal(Volume.read(folder, frame=1).array, voxels)


def test_fewer_frame_headers_than_frames_are_damage(write_enhanced, voxels) -> None:
    refused(write_enhanced(voxels, [0, 3, 6]), "6 frames, but headers for 3")


def test_a_film_is_refused(write_enhanced, rewrite, voxels) -> None:
    path = write_enhanced(voxels, [3.0 * n for n in range(6)])
    rewrite(path, PerFrameFunctionalGroupsSequence=None)
    refused(path, "6 frames without saying where each lies")


def test_the_command_line_chooses(write_series, voxels, upright, tmp_path: Path, capsys) -> None:
    from DeepIGeoSLib.cli import main

    folder = write_series(voxels, upright)
    write_series(voxels + 500, upright, first=101, SeriesInstanceUID="1.2.3.5")
    seeds = np.zeros(voxels.shape, dtype=np.uint8)
    seeds[3, 3, 3] = 1
    Volume.read(folder, series=2).write_labels(tmp_path / "seeds.nrrd", seeds)
    command = ["geodesic", str(folder), "--seeds", str(tmp_path / "seeds.nrrd")]
    command += ["-o", str(tmp_path / "map.nrrd")]
    assert main(command) == 2
    assert "--series" in capsys.readouterr().err
    assert main([*command, "--series", "2"]) == 0


def test_a_real_series_lies_where_itk_puts_it(data: Path, tmp_path: Path) -> None:
    import SimpleITK

    with zipfile.ZipFile(data / "dicom_gbm" / "PGBM-002_FLAIRreg_dicom.zip") as archive:
        archive.extractall(tmp_path)
    folder = next(path.parent for path in tmp_path.rglob("*.dcm"))
    files = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    theirs = SimpleITK.ReadImage(files)
    volume = Volume.read(folder)
    np.testing.assert_array_equal(volume.array, SimpleITK.GetArrayFromImage(theirs))
    for index in ((0, 0, 0), (511, 300, 0), (100, 200, 21)):
        lps = [*theirs.TransformIndexToPhysicalPoint(index), 1]
        np.testing.assert_allclose(
            volume.ijk_to_ras @ [*index, 1], LPS_TO_RAS @ lps, rtol=0, atol=2e-3
        )
