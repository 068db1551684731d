"""DICOM segmentations lie on the voxels of their source, by four readers."""

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
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.dicom import Algorithm, Code, SegmentationMeaning, SegmentMeaning
from DeepIGeoSLib.dicom.segmentation_reader import read_segments

TUMOR = SegmentMeaning(
    "Tumor",
    Code("49755003", "Morphologically Abnormal Structure"),
    Code("108369006", "Neoplasm"),
    Code("12738006", "Brain"),
)
MEANING = SegmentationMeaning({1: TUMOR}, Algorithm("tiny", "1.2.3", parameters={"hash": "abc"}))

# What highdicom asks for and the tests of reading leave out.
PATIENT = {
    "PatientID": "7",
    "PatientName": "Nobody",
    "StudyInstanceUID": "1.2",
    "FrameOfReferenceUID": "1.3",
    "SeriesNumber": 4,
}

# What may be empty, but not missing, for highdicom; ours takes what is missing for empty.
UNKNOWN = dict.fromkeys(
    (
        *("PatientBirthDate", "PatientSex", "ReferringPhysicianName", "AccessionNumber"),
        *("StudyID", "StudyDate", "StudyTime"),
    ),
    "",
)


def two_labels(shape: tuple[int, int, int]) -> np.ndarray:
    """Two things of no symmetry, on different slices."""
    labels = np.zeros(shape, np.uint8)
    labels[1, 2:4, 3] = 1
    labels[2:4, 1, 1:6] = 1
    labels[3, 4, 5:7] = 2
    return labels


@pytest.fixture(scope="module")
def glioma(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real oblique series."""
    folder = tmp_path_factory.mktemp("glioma")
    with zipfile.ZipFile(data / "dicom_gbm/PGBM-002_FLAIRreg_dicom.zip") as archive:
        archive.extractall(folder)
    (file, *_) = folder.rglob("*.dcm")
    return file.parent


@pytest.fixture(scope="module")
def glioma_written(glioma: Path) -> tuple[Volume, np.ndarray, Path]:
    """A volume, labels on it, and the file."""
    volume = Volume.read(glioma)
    labels = np.zeros(volume.shape, np.uint8)
    labels[5:9, 100:200, 150:260] = 1
    labels[8, 300, 20] = 2
    path = glioma.parent / "segmentation.dcm"
    volume.write_labels(path, labels, meaning=MEANING)
    return volume, labels, path


def test_a_real_oblique_series_by_our_own_reader(glioma_written) -> None:
    volume, labels, path = glioma_written
    np.testing.assert_array_equal(volume.read_labels(path) > 0, labels > 0)
    np.testing.assert_array_equal(volume.read_labels(path, ["Tumor"]) > 0, labels == 1)
    np.testing.assert_array_equal(volume.read_labels(path, ["Segment_2"]) > 0, labels == 2)
    with pytest.raises(InputError, match="no segment 'Tumour'; did you mean 'Tumor'"):
        volume.read_labels(path, ["Tumour"])


def test_a_real_oblique_series_by_pydicom(glioma, glioma_written) -> None:
    """Frame by frame, with the headers of the source's slices."""
    volume, labels, path = glioma_written
    written = pydicom.dcmread(path)
    sources = {d.SOPInstanceUID: d for d in map(pydicom.dcmread, glioma.iterdir())}
    ordered = sorted(sources.values(), key=lambda d: d.ImagePositionPatient[2])
    seen = np.zeros_like(labels)
    for values, group in zip(
        written.pixel_array, written.PerFrameFunctionalGroupsSequence, strict=True
    ):
        (derived,) = group.DerivationImageSequence
        source = sources[derived.SourceImageSequence[0].ReferencedSOPInstanceUID]
        assert group.PlanePositionSequence[0].ImagePositionPatient == source.ImagePositionPatient
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        seen[ordered.index(source)][values > 0] = number
    np.testing.assert_array_equal(seen, labels)
    first = next(iter(sources.values()))
    for keyword in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert written[keyword].value == first[keyword].value
    assert written.SeriesInstanceUID != first.SeriesInstanceUID
    assert written.Modality == "SEG"
    (series,) = written.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert len(series.ReferencedInstanceSequence) == volume.shape[0]


def test_a_real_oblique_series_by_highdicom(glioma_written) -> None:
    volume, labels, path = glioma_written
    read = highdicom.seg.segread(path)
    assert [read.get_segment_description(n).segment_label for n in (1, 2)] == ["Tumor", "Segment_2"]
    tumor = read.get_segment_description(1)
    assert tumor.segmented_property_type == highdicom.sr.CodedConcept(
        "108369006", "SCT", "Neoplasm"
    )
    assert tumor.anatomic_regions[0].value == "12738006"
    assert tumor.algorithm_type.value == "AUTOMATIC"
    (algorithm,) = tumor.algorithm_identification
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("tiny", "1.2.3")
    assert "abc" in algorithm.AlgorithmParameters
    theirs = read.get_volume(segment_numbers=[1, 2], combine_segments=True)
    points = np.argwhere(theirs.array > 0)
    places = theirs.affine @ np.c_[points, np.ones(len(points))].T  # LPS
    to_ijk = np.linalg.inv(volume.ijk_to_ras) @ np.diag([-1, -1, 1, 1])
    voxels = np.rint((to_ijk @ places)[2::-1].T).astype(int)
    assert {tuple(v) for v in voxels} == {tuple(v) for v in np.argwhere(labels > 0)}


def test_a_real_oblique_series_in_slicers_scene(glioma_written, running_slicer) -> None:
    import slicer

    from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment

    volume, labels, path = glioma_written
    running_slicer.scene.Clear(0)
    node = slicer.util.addVolumeFromArray(volume.array, ijkToRAS=volume.ijk_to_ras)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segment = segmentation.GetSegmentation().AddEmptySegment()
    writeMaskToSegment(volume.read_labels(path) > 0, node, segmentation, segment)
    np.testing.assert_array_equal(maskFromSegment(node, segmentation, segment), labels > 0)
    running_slicer.scene.Clear(0)


def test_a_tilted_gantry_keeps_its_voxels(write_series, voxels, tmp_path) -> None:
    positions = [(10.0, -20.0 + 1.5 * n, 3.0 * n) for n in range(6)]
    volume = Volume.read(write_series(voxels, positions, **PATIENT))
    labels = two_labels(volume.shape)
    volume.write_labels(tmp_path / "s.dcm", labels)
    np.testing.assert_array_equal(volume.read_labels(tmp_path / "s.dcm") > 0, labels > 0)


def test_frames_of_an_enhanced_file_in_any_order(write_enhanced, rewrite, voxels, tmp_path) -> None:
    path = write_enhanced(voxels, [6, 0, 15, 3, 12, 9], **PATIENT)
    volume = Volume.read(path)
    labels = two_labels(volume.shape)
    volume.write_labels(tmp_path / "s.dcm", labels)
    np.testing.assert_array_equal(volume.read_labels(tmp_path / "s.dcm") > 0, labels > 0)


def test_one_of_two_time_points(write_series, voxels, upright, tmp_path) -> None:
    folder = write_series(voxels, upright, **PATIENT, TemporalPositionIdentifier=1)
    write_series(voxels + 1, upright, first=7, **PATIENT, TemporalPositionIdentifier=2)
    volume = Volume.read(folder, frame=1)
    labels = two_labels(volume.shape)
    volume.write_labels(tmp_path / "s.dcm", labels)
    np.testing.assert_array_equal(volume.read_labels(tmp_path / "s.dcm") > 0, labels > 0)
    (series,) = pydicom.dcmread(tmp_path / "s.dcm").ReferencedSeriesSequence
    referred = {str(i.ReferencedSOPInstanceUID) for i in series.ReferencedInstanceSequence}
    later = {pydicom.dcmread(p).SOPInstanceUID for p in sorted(folder.iterdir())[6:]}
    assert referred == later


def test_nothing_found_is_a_segment_without_voxels(write_series, voxels, upright, tmp_path) -> None:
    volume = Volume.read(write_series(voxels, upright, **PATIENT))
    volume.write_labels(tmp_path / "s.dcm", np.zeros(volume.shape))
    assert not volume.read_labels(tmp_path / "s.dcm").any()


def test_a_fractional_segmentation_is_cut_at_one_half(
    write_series, voxels, upright, tmp_path
) -> None:
    folder = write_series(voxels, upright, **PATIENT, **UNKNOWN)
    volume = Volume.read(folder)
    shares = np.random.default_rng(1).random(volume.shape)
    highdicom.seg.Segmentation(
        [pydicom.dcmread(path) for path in sorted(folder.iterdir())],
        shares,
        "FRACTIONAL",
        [highdicom.seg.SegmentDescription(1, "a", _code("85756007"), _code("85756007"), "MANUAL")],
        highdicom.UID(),
        1,
        highdicom.UID(),
        1,
        "somebody",
        "something",
        "1",
        "1",
    ).save_as(tmp_path / "s.dcm")
    read = volume.read_labels(tmp_path / "s.dcm") > 0
    clear = np.abs(shares - 0.5) > 1 / 255
    np.testing.assert_array_equal(read[clear], (shares > 0.5)[clear])


def test_a_labelmap_segmentation_is_read(write_series, voxels, upright, tmp_path) -> None:
    folder = write_series(voxels, upright, **PATIENT, **UNKNOWN)
    volume = Volume.read(folder)
    labels = two_labels(volume.shape)
    names = {1: "one", 2: "two"}
    highdicom.seg.Segmentation(
        [pydicom.dcmread(path) for path in sorted(folder.iterdir())],
        labels,
        "LABELMAP",
        [
            highdicom.seg.SegmentDescription(
                number, name, _code("85756007"), _code("85756007"), "MANUAL"
            )
            for number, name in names.items()
        ],
        highdicom.UID(),
        1,
        highdicom.UID(),
        1,
        "somebody",
        "something",
        "1",
        "1",
    ).save_as(tmp_path / "s.dcm")
    np.testing.assert_array_equal(volume.read_labels(tmp_path / "s.dcm", ["two"]) > 0, labels == 2)
    segments = read_segments(tmp_path / "s.dcm", volume.shape, volume.ijk_to_ras)
    assert [name for name, _ in segments] == ["one", "two"]
    for number, (_, inside) in enumerate(segments, 1):
        np.testing.assert_array_equal(inside, labels == number)
    with pytest.raises(InputError, match="is DICOM, but no image"):
        Volume.read(tmp_path / "s.dcm")


def _code(value: str) -> highdicom.sr.CodedConcept:
    return highdicom.sr.CodedConcept(value, "SCT", "Tissue")


def test_another_image_is_refused(write_series, voxels, upright, tmp_path) -> None:
    volume = Volume.read(write_series(voxels, upright, **PATIENT))
    volume.write_labels(tmp_path / "s.dcm", two_labels(volume.shape))
    aside = [(x + 0.4, y, z) for x, y, z in upright]
    other = Volume.read(write_series(voxels, aside, folder="other"))
    with pytest.raises(InputError, match="lies on other voxels"):
        other.read_labels(tmp_path / "s.dcm")
    smaller = Volume.read(write_series(voxels[:3], upright[:3], folder="smaller"))
    with pytest.raises(InputError, match="voxels outside of the image"):
        smaller.read_labels(tmp_path / "s.dcm")


def test_what_can_not_be_written_is_explained(write_series, voxels, upright, tmp_path) -> None:
    labels = two_labels(voxels.shape)
    with pytest.raises(InputError, match="was not read from a file"):
        Volume(voxels).write_labels(tmp_path / "s.dcm", labels)
    Volume(voxels).write_map(tmp_path / "a.nii.gz", voxels)
    with pytest.raises(InputError, match=r"a\.nii\.gz is no DICOM; use"):
        Volume.read(tmp_path / "a.nii.gz").write_labels(tmp_path / "s.dcm", labels)
    folder = write_series(voxels, upright)  # without a study
    volume = Volume.read(folder)
    with pytest.raises(InputError, match=r"lack what a DICOM segmentation needs"):
        volume.write_labels(tmp_path / "s.dcm", labels)
    with pytest.raises(InputError, match="among the slices"):
        volume.write_labels(folder / "s.dcm", labels)
    assert not (tmp_path / "s.dcm").exists()


def test_a_damaged_segmentation_is_one_sentence(write_series, voxels, upright, tmp_path) -> None:
    volume = Volume.read(write_series(voxels, upright, **PATIENT))
    path = tmp_path / "s.dcm"
    volume.write_labels(path, two_labels(volume.shape))
    whole = path.read_bytes()
    for share in (0.3, 0.7, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(InputError, match=r"s\.dcm"):
            volume.read_labels(path)
    dataset = pydicom.dcmread(shutil.copy(_written(path, whole), tmp_path / "t.dcm"))
    dataset.PerFrameFunctionalGroupsSequence = [Dataset()]
    dataset.save_as(tmp_path / "t.dcm")
    with pytest.raises(InputError, match=r"t\.dcm is damaged"):
        volume.read_labels(tmp_path / "t.dcm")


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_the_command_line_writes_one_and_corrects_it(
    write_series, head_series, tiny_bundle, tmp_path, capsys
) -> None:
    out, again = tmp_path / "s.dcm", tmp_path / "t.dcm"
    assert main(["segment", str(head_series), "-o", str(out), "--bundle", str(tiny_bundle)]) == 0
    volume = Volume.read(head_series)
    found = volume.read_labels(out)
    assert found.any()
    described = pydicom.dcmread(out).SegmentSequence[0]
    assert described.SegmentAlgorithmType == "AUTOMATIC"
    assert described.SegmentLabel == "Bright things"
    (identified,) = described.SegmentationAlgorithmIdentificationSequence
    assert (identified.AlgorithmName, identified.AlgorithmVersion) == ("DeepIGeoS tiny", "1.0.0")
    assert "SHA-256 of pnet" in identified.AlgorithmParameters
    place = np.argwhere(found)[0]
    given = ["refine", str(head_series), "-o", str(again), "--bundle", str(tiny_bundle)]
    click = ",".join(str(n) for n in place)
    assert main([*given, "--initial", str(out), "--background-click", click]) == 0
    assert pydicom.dcmread(again).SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert volume.read_labels(again)[tuple(place)] == 0


def test_the_command_line_refuses_before_any_work(head_series, tmp_path, capsys) -> None:
    Volume(np.ones((3, 3, 3)) + np.eye(3)).write_map(tmp_path / "a.nii.gz", np.ones((3, 3, 3)))
    assert main(["segment", str(tmp_path / "a.nii.gz"), "-o", str(tmp_path / "s.dcm")]) == 2
    assert "is no DICOM" in capsys.readouterr().err
    given = ["segment", str(head_series), "-o", str(tmp_path / "s.nii.gz")]
    assert main([*given, "--probability", str(tmp_path / "p.dcm")]) == 2
    assert "formats that keep the grid" in capsys.readouterr().err


@pytest.fixture
def head_series(write_series) -> Path:
    """Noise with something bright in it, as a series."""
    stored = np.random.default_rng(3).normal(1000, 50, (8, 40, 40))
    stored[:, :2] = 0
    stored[3:6, 10:20, 12:22] = 1600
    positions = [(0.0, 0.0, 3.0 * n) for n in range(8)]
    return write_series(
        stored.astype(np.uint16), positions, folder="head", PixelSpacing=[1, 1], **PATIENT
    )


def test_every_shipped_model_that_proposes_says_in_codes_what_it_segments() -> None:
    from DeepIGeoSLib.bundles import list_bundles, load_bundle, proposes
    from DeepIGeoSLib.bundles.meaning import meaning_of

    for name in filter(proposes, list_bundles()):
        segment = meaning_of(load_bundle(name), automatic=True).of(1)
        assert segment.kind.meaning != "Tissue", name
        assert segment.region is not None


def test_a_damaged_meaning_is_named(tiny_bundle, tmp_path) -> None:
    from DeepIGeoSLib import load_bundle
    from DeepIGeoSLib.bundles.meaning import meaning_of
    from DeepIGeoSLib.errors import BundleError

    folder = shutil.copytree(tiny_bundle, tmp_path / "bundle")
    (folder / "segment.json").write_text('{"colour": "x"}')
    with pytest.raises(BundleError, match="colour"):
        meaning_of(load_bundle(folder), automatic=True)
