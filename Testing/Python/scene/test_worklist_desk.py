"""A case of a worklist between its files and the scene."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer

from DeepIGeoSLib import InputError, Volume
from DeepIGeoSLib.dicom import Algorithm, Code, SegmentationMeaning, SegmentMeaning
from DeepIGeoSLib.formats.segmentation import NamedMask
from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment
from DeepIGeoSLib.scene.worklist_desk import WorklistDesk
from DeepIGeoSLib.worklist import Status, Worklist

SHAPE = (6, 10, 12)
OBLIQUE = np.array([[0, -0.8, 0.6, 5], [1.1, 0, 0, -7], [0, 0.9, 2.0, 3], [0, 0, 0, 1]])
OBLIQUE[:3, 1] = np.array([-0.8, 0, 0.6]) * 0.9
OBLIQUE[:3, 2] = np.array([0.6, 0, 0.8]) * 3


def mask(number: int) -> np.ndarray:
    inside = np.zeros(SHAPE, bool)
    inside[2:4, 3 : 5 + number, 4:8] = True
    return inside


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three oblique images: with a Slicer segmentation, with a labelmap, with nothing."""
    for number, name in enumerate("abc"):
        voxels = np.random.default_rng(number).random(SHAPE, np.float32)
        volume = Volume(voxels, ijk_to_ras=OBLIQUE)
        volume.write_map(tmp_path / f"{name}.nrrd", voxels)
        if name == "a":
            volume.write_labels(tmp_path / "a.seg.nrrd", mask(number))
        if name == "b":
            volume.write_labels(tmp_path / "b_seg.nii.gz", mask(number))
    return tmp_path


@pytest.fixture
def desk(scene: Any, folder: Path) -> WorklistDesk:
    return WorklistDesk(Worklist(folder))


def shown(desk: WorklistDesk, segment: str) -> np.ndarray:
    return maskFromSegment(desk.volumeNode, desk.segmentationNode, segment)


@pytest.mark.parametrize(("name", "number"), [("a", 0), ("b", 1)])
def test_what_is_there_is_shown_on_the_voxels_of_the_image(desk, folder, name, number) -> None:
    segment = desk.open(name)
    np.testing.assert_array_equal(shown(desk, segment), mask(number))
    np.testing.assert_allclose(
        slicer.util.arrayFromVolume(desk.volumeNode), Volume.read(folder / f"{name}.nrrd").array
    )
    assert desk.worklist.record(name).status is Status.IN_WORK


def test_each_label_of_a_labelmap_is_a_segment(desk, folder) -> None:
    volume = Volume.read(folder / "c.nrrd")
    volume.write_labels(folder / "c_seg.nii.gz", mask(1).astype(np.uint8) + mask(0))
    opened = WorklistDesk(Worklist(folder))
    opened.open("c")
    segments = opened.segmentationNode.GetSegmentation().GetSegmentIDs()
    first, second = (shown(opened, segment) for segment in segments)
    np.testing.assert_array_equal(first, mask(1) & ~mask(0))
    np.testing.assert_array_equal(second, mask(0))


def test_work_is_stored_when_another_case_is_opened_and_is_there_again(desk, folder) -> None:
    before = (folder / "a.seg.nrrd").read_bytes()
    segment = desk.open("a")
    assert not (folder / "a-reviewed.seg.nrrd").exists()
    writeMaskToSegment(mask(3), desk.volumeNode, desk.segmentationNode, segment)
    desk.open("b")
    assert (folder / "a.seg.nrrd").read_bytes() == before
    read = Volume.read(folder / "a.nrrd").read_labels(folder / "a-reviewed.seg.nrrd")
    np.testing.assert_array_equal(read > 0, mask(3))
    segment = desk.open("a")
    np.testing.assert_array_equal(shown(desk, segment), mask(3))


def test_a_case_that_was_only_looked_at_is_not_written(desk, folder) -> None:
    desk.open("c")
    desk.open("a")
    assert not list(folder.glob("*-reviewed*"))


def test_the_scene_holds_one_case_and_what_others_put_there(desk, scene) -> None:
    slicer.util.addVolumeFromArray(np.zeros(SHAPE), name="mine")
    for name in "abc":
        desk.open(name)
        assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2
        assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 1
    desk.close()
    (left,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert left.GetName() == "mine"


def test_accepted_is_locked_until_it_is_reopened(desk, folder) -> None:
    segment = desk.open("a")
    writeMaskToSegment(mask(2), desk.volumeNode, desk.segmentationNode, segment)
    desk.save(accept=True)
    assert desk.isAccepted
    logic = slicer.modules.segmentations.logic()

    def status() -> int:
        (own,) = desk.segmentationNode.GetSegmentation().GetSegmentIDs()
        return logic.GetSegmentStatus(desk.segmentationNode.GetSegmentation().GetSegment(own))

    assert status() == logic.Completed
    assert desk.neighbor(1).name == "b"
    desk.open("b")
    assert desk.neighbor(-1) is None
    desk.open("a")  # read from its file
    assert status() == logic.Completed
    with pytest.raises(InputError, match="accepted"):
        desk.save()
    desk.reopen()
    assert status() == logic.InProgress
    desk.save()
    assert Worklist(folder).record("a").status is Status.IN_WORK


def test_nothing_found_can_be_accepted(desk, folder) -> None:
    desk.open("c")
    desk.save(accept=True)
    again = WorklistDesk(Worklist(folder))
    desk.close()
    segment = again.open("c")
    assert not shown(again, segment).any()


def test_a_torn_image_leaves_the_case_before_open(desk, folder) -> None:
    content = (folder / "b.nrrd").read_bytes()
    (folder / "b.nrrd").write_bytes(content[: len(content) // 2])
    desk.open("a")
    with pytest.raises(InputError, match=r"b\.nrrd"):
        desk.open("b")
    assert desk.isOpen
    assert desk.case.name == "a"
    assert desk.worklist.record("b").status is Status.NEW


def test_a_torn_segmentation_leaves_nothing_of_its_case(desk, folder) -> None:
    content = (folder / "a.seg.nrrd").read_bytes()
    (folder / "a.seg.nrrd").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"a\.seg\.nrrd"):
        desk.open("a")
    assert not slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    with pytest.raises(InputError, match="No case of the worklist is open"):
        desk.save()


def test_a_disk_that_can_not_be_written_keeps_the_work(desk, folder, monkeypatch) -> None:
    segment = desk.open("a")
    writeMaskToSegment(mask(3), desk.volumeNode, desk.segmentationNode, segment)
    monkeypatch.setattr(slicer.util, "saveNode", lambda node, path: Path(path).write_bytes(b"half"))
    with pytest.raises(InputError):
        desk.open("b")
    with pytest.raises(InputError):
        desk.save(accept=True)
    assert desk.case.name == "a"
    np.testing.assert_array_equal(shown(desk, segment), mask(3))
    monkeypatch.undo()
    desk.open("b")
    assert (folder / "a-reviewed.seg.nrrd").is_file()


def test_a_closed_scene_is_no_open_case(desk, scene) -> None:
    desk.open("a")
    scene.Clear(0)
    assert not desk.isOpen
    assert not desk.hasChanges
    desk.open("b")
    assert desk.isOpen


def test_a_real_oblique_dicom_series_is_a_case(scene, data, tmp_path) -> None:
    import zipfile

    with zipfile.ZipFile(data / "dicom_gbm/PGBM-002_FLAIRreg_dicom.zip") as archive:
        archive.extractall(tmp_path / "head")
    desk = WorklistDesk(Worklist(tmp_path))
    (case,) = desk.worklist.cases
    segment = desk.open(case.name)
    volume = Volume.read(case.image)
    labels = np.zeros(volume.shape, bool)
    labels[4:6, 100:200, 200:220] = True
    writeMaskToSegment(labels, desk.volumeNode, desk.segmentationNode, segment)
    np.testing.assert_array_equal(volume.read_labels(desk.save()) > 0, labels)
    shutil.rmtree(tmp_path / "head")


def test_each_segment_of_a_dicom_segmentation_is_one_with_its_name(scene, data, tmp_path) -> None:
    """Also where one lies in the other, and where one is not there."""
    import zipfile

    pytest.importorskip("highdicom", reason="highdicom is not installed")
    with zipfile.ZipFile(data / "dicom_gbm/PGBM-002_FLAIRreg_dicom.zip") as archive:
        archive.extractall(tmp_path / "images" / "head")
    (case,) = Worklist(tmp_path / "images").cases
    volume = Volume.read(case.image)
    whole, core, absent = np.zeros((3, *volume.shape), bool)
    whole[4:8, 100:140, 200:260], core[5:7, 110:120, 210:230] = True, True
    masks = [
        NamedMask(name, (200, 0, 0), inside)
        for name, inside in (("whole tumor", whole), ("core", core), ("necrosis", absent))
    ]
    path = tmp_path / "results" / f"{case.name}.dcm"
    path.parent.mkdir(parents=True)
    volume.write_segments(path, masks, meaning=_meaning("whole tumor", "core", "necrosis"))
    desk = WorklistDesk(Worklist(tmp_path / "images", tmp_path / "results"))
    desk.open(case.name)
    segmentation = desk.segmentationNode.GetSegmentation()
    segments = segmentation.GetSegmentIDs()
    assert [segmentation.GetSegment(i).GetName() for i in segments] == [m.name for m in masks]
    for segment, written in zip(segments, masks, strict=True):
        np.testing.assert_array_equal(shown(desk, segment), written.inside)


def _meaning(*names: str) -> SegmentationMeaning:
    tissue = Code("85756007", "Tissue")
    segments = {
        number: SegmentMeaning(name, tissue, tissue, None) for number, name in enumerate(names, 1)
    }
    return SegmentationMeaning(segments, Algorithm("tiny", "1.2.3"))
