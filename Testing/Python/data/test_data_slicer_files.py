"""Slicer's segmentations and scenes are read without Slicer, and nothing in them is trusted."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InputError
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.data.mrb import chosen_node, open_bundle
from DeepIGeoSLib.data.scenes import SceneCase

TUMOR = {"ID": "Segment_1", "Name": "tumor", "LabelValue": 1, "Layer": 0}
EDEMA = {"ID": "Segment_2", "Name": "edema", "LabelValue": 2, "Layer": 0}
BRAIN = {"ID": "Segment_3", "Name": "brain", "LabelValue": 1, "Layer": 1}


@pytest.fixture
def layers(lesion: np.ndarray) -> np.ndarray:
    """Tumor and edema in one layer, the brain around them in a second one."""
    brain = np.zeros_like(lesion)
    brain[:, 2:12, 3:15] = 1
    return np.stack([lesion, brain])


@pytest.fixture
def segmentation(tmp_path: Path, layers, oblique, write_segmentation) -> Path:
    path = tmp_path / "s.seg.nrrd"
    write_segmentation(path, layers, oblique, [TUMOR, EDEMA, BRAIN])
    return path


def test_segments_are_chosen_by_name_or_id(segmentation: Path, head, layers: np.ndarray) -> None:
    lesion, brain = layers
    volume = head()
    for names, expected in {
        ("tumor",): lesion == 1,
        ("Segment_2",): lesion == 2,
        ("tumor", "edema"): lesion > 0,
        ("brain",): brain == 1,
        (): brain == 1,
    }.items():
        np.testing.assert_array_equal(volume.read_labels(segmentation, names), expected)


def test_unknown_segments_are_named(segmentation: Path, head) -> None:
    with pytest.raises(InputError, match="no segment 'tumour'; did you mean 'tumor'"):
        head().read_labels(segmentation, ["tumour"])
    with pytest.raises(InputError, match="no segment 'xyz'; there are tumor, edema, brain"):
        head().read_labels(segmentation, ["xyz"])


def test_a_cropped_segmentation_is_put_in_its_place(
    tmp_path: Path, head, lesion, oblique, write_segmentation
) -> None:
    corner = (1, 3, 5)
    cropped = lesion[1:5, 3:10, 5:13]
    moved = oblique.copy()
    moved[:, 3] = oblique @ [*corner[::-1], 1]
    write_segmentation(tmp_path / "c.seg.nrrd", cropped[np.newaxis], moved, [TUMOR, EDEMA])
    read = head().read_labels(tmp_path / "c.seg.nrrd", ["edema"])
    np.testing.assert_array_equal(read, lesion == 2)


def test_a_segmentation_may_reach_beyond_the_volume_where_it_is_empty(
    tmp_path: Path, head, lesion, oblique, write_segmentation
) -> None:
    larger = np.pad(lesion, ((2, 1), (3, 0), (0, 4)))
    moved = oblique.copy()
    moved[:, 3] = oblique @ [0, -3, -2, 1]
    path = tmp_path / "l.seg.nrrd"
    write_segmentation(path, larger[np.newaxis], moved, [TUMOR])
    np.testing.assert_array_equal(head().read_labels(path), lesion == 1)
    larger[0, 0, 0] = 1
    write_segmentation(path, larger[np.newaxis], moved, [TUMOR])
    with pytest.raises(InputError, match="1 voxels of the segments outside of head 0"):
        head().read_labels(path)


@pytest.mark.parametrize("change", ["shift", "scale", "turn"])
def test_another_lattice_is_refused(
    tmp_path: Path, head, lesion, oblique, write_segmentation, change: str
) -> None:
    matrix = oblique.copy()
    if change == "shift":
        matrix[:, 3] = oblique @ [0.5, 0, 0, 1]
    elif change == "scale":
        matrix[:3, 0] *= 1.05
    else:
        angle = np.array([[0.995, -0.0998, 0], [0.0998, 0.995, 0], [0, 0, 1]])
        matrix[:3, :3] = angle @ matrix[:3, :3]
    write_segmentation(tmp_path / "x.seg.nrrd", lesion[np.newaxis], matrix, [TUMOR])
    with pytest.raises(InputError, match="lies on another lattice than head 0"):
        head().read_labels(tmp_path / "x.seg.nrrd")


def test_files_of_old_slicers_have_a_layer_for_each_segment(
    tmp_path: Path, head, layers, oblique, write_segmentation
) -> None:
    old = [{"ID": "a", "Name": "tumor"}, {"ID": "b", "Name": "brain"}]
    path = tmp_path / "o.seg.nrrd"
    write_segmentation(path, (layers > 0).astype(np.uint8), oblique, old)
    np.testing.assert_array_equal(head().read_labels(path, ["tumor"]), layers[0] > 0)
    np.testing.assert_array_equal(head().read_labels(path, ["brain"]), layers[1] > 0)


BAD_HEADERS = {
    "no segments": ([], "holds no segments"),
    "no number": ([{**TUMOR, "LabelValue": "x"}], "has 'x' for a number"),
    "no layer": ([{**TUMOR, "Layer": 4}], "the layer of the segment 'tumor' is missing"),
    "negative layer": ([{**TUMOR, "Layer": -1}], "the layer of the segment 'tumor' is missing"),
}


@pytest.mark.parametrize(("segments", "sentence"), BAD_HEADERS.values(), ids=BAD_HEADERS.keys())
def test_damaged_headers_are_explained(
    tmp_path: Path, head, lesion, oblique, write_segmentation, segments: list, sentence: str
) -> None:
    write_segmentation(tmp_path / "b.seg.nrrd", lesion[np.newaxis], oblique, segments)
    with pytest.raises(InputError, match=sentence):
        head().read_labels(tmp_path / "b.seg.nrrd")


def test_pairs_with_segmentations(
    tmp_path: Path, settings, head, layers, oblique, write_segmentation
) -> None:
    """{case}.nrrd also fits {case}.seg.nrrd, which is no image."""
    folder = tmp_path / "d"
    folder.mkdir()
    for number in range(2):
        head(number).write_map(folder / f"{number}.nrrd", head(number).array)
        write_segmentation(folder / f"{number}.seg.nrrd", layers, oblique, [TUMOR, EDEMA, BRAIN])
    source = {
        "layout": "folders",
        "dataset": "d",
        "image": "{case}.nrrd",
        "label": "{case}.seg.nrrd",
        "segments": ["edema"],
    }
    data = settings(tmp_path, source)
    cases = find_cases(data, tmp_path, "train") + find_cases(data, tmp_path, "val")
    assert {case.name for case in cases} == {"0", "1"}
    np.testing.assert_array_equal(cases[0].load()[1], layers[0] == 2)


SCENE = """<?xml version="1.0" encoding="UTF-8"?>
<MRML version="Slicer 5.10">
 <Volume id="v1" name="T1" references="storage:vs1;"></Volume>
 <Volume id="v2" name="FLAIR" references="storage:vs2;{transform}"></Volume>
 <LabelMapVolume id="l1" name="old labels" references="storage:vs2;"></LabelMapVolume>
 <Segmentation id="s1" name="Segmentation" references="display:d1;{reference}storage:ss1;">
 </Segmentation>
 <VolumeArchetypeStorage id="vs1" fileName="Data/T1.nrrd"></VolumeArchetypeStorage>
 <VolumeArchetypeStorage id="vs2" fileName="{file}"></VolumeArchetypeStorage>
 <SegmentationStorage id="ss1" fileName="Data/Seg.seg.nrrd"></SegmentationStorage>
</MRML>
"""


@pytest.fixture
def write_scene(tmp_path: Path, head, segmentation: Path) -> Callable[..., Path]:
    """Write a scene bundle with the volumes T1 and FLAIR (head 1 and 2) and a segmentation."""

    def write(path: Path, scene: str = SCENE, flair: bytes | None = None, **words: str) -> Path:
        filled = {"transform": "", "reference": "referenceImageGeometryRef:v2;"}
        filled |= {"file": "Data/My%20FLAIR.nrrd", **words}
        for name, seed in (("T1", 1), ("FLAIR", 2)):
            head(seed).write_map(tmp_path / f"{name}.nrrd", head(seed).array)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("case one/case one.mrml", scene.format(**filled))
            archive.write(tmp_path / "T1.nrrd", "case one/Data/T1.nrrd")
            archive.writestr(
                "case one/Data/My FLAIR.nrrd", flair or (tmp_path / "FLAIR.nrrd").read_bytes()
            )
            archive.write(segmentation, "case one/Data/Seg.seg.nrrd")
        return path

    return write


def scene_case(path: Path, **keys: object) -> SceneCase:
    return SceneCase(dataset="scenes", name="a", image=path, label=path, **keys)


def test_a_scene_gives_the_segmented_volume_and_the_segments(
    tmp_path: Path, write_scene, head, lesion
) -> None:
    path = write_scene(tmp_path / "a.mrb")
    volume, mask = scene_case(path, segments=("tumor",)).load()
    np.testing.assert_allclose(volume.array, head(2).array, rtol=1e-6)
    assert volume.same_grid(head(2))
    assert volume.name == f"{path}: FLAIR"
    np.testing.assert_array_equal(mask, lesion == 1)
    other, _ = scene_case(path, volume="T1").load()
    np.testing.assert_allclose(other.array, head(1).array, rtol=1e-6)


def test_scenes_are_found_by_pattern(tmp_path: Path, settings, write_scene) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    for name in ("a", "b", "c"):
        write_scene(folder / f"{name}.mrb")
    source = {"layout": "scenes", "dataset": "scenes", "segments": ["edema"]}
    data = settings(tmp_path, source)
    cases = find_cases(data, tmp_path, "train") + find_cases(data, tmp_path, "val")
    assert {case.name for case in cases} == {"a", "b", "c"}
    assert cases[0].load()[1].any()


BAD_SCENES = {
    "no volume of that name": ({}, {"volume": "FLAIRE"}, "'FLAIRE'; did you mean 'FLAIR'"),
    "which volume": ({"reference": ""}, {}, r"holds 2 volumes \('T1', 'FLAIR'\); name the one"),
    "transforms": ({"transform": "transform:t1;"}, {}, "under different transforms"),
    "file missing": ({"file": "Data/x.nrrd"}, {}, "has no file 'case one/Data/x.nrrd'"),
    "climbs out": ({"file": "../../../etc/passwd.nrrd"}, {}, "has no file"),
    "two files": ({"file": "Data/My%20FLAIR.nhdr"}, {}, "has another format than"),
    "not stored": ({"file": ""}, {}, "has another format than"),
    "entities": (
        {"scene": '<!DOCTYPE m [<!ENTITY a "b">]><MRML>&a;</MRML>'},
        {},
        "declares entities",
    ),
    "not XML": ({"scene": "<MRML>"}, {}, "is not valid XML"),
    "no segmentation": ({"scene": "<MRML></MRML>"}, {}, "holds no segmentation"),
    "no image": ({"flair": b"NRRD0004\n\n"}, {}, r"a\.mrb: case one/Data/My FLAIR\.nrrd can't be"),
    "voxels elsewhere": (
        {"flair": b"NRRD0004\ntype: short\ndata file: /etc/passwd\n\n"},
        {},
        "keeps its voxels in another file",
    ),
}


@pytest.mark.parametrize(("words", "keys", "sentence"), BAD_SCENES.values(), ids=BAD_SCENES.keys())
def test_bad_scenes_are_explained(
    tmp_path: Path, write_scene, words: dict, keys: dict, sentence: str
) -> None:
    case = scene_case(write_scene(tmp_path / "a.mrb", **words), **keys)
    with pytest.raises(InputError, match=sentence):
        case.load()


def test_bundles_that_are_no_zip_files_are_refused(tmp_path: Path, write_scene) -> None:
    path = write_scene(tmp_path / "a.mrb")
    (tmp_path / "text.mrb").write_text("no zip")
    content = bytearray(path.read_bytes())
    place = content.index(b"NRRD") + 600
    content[place : place + 40] = bytes(40)
    (tmp_path / "damaged.mrb").write_bytes(content)
    for name in ("text", "damaged"):
        with pytest.raises(InputError, match=rf"{name}\.mrb can't be read as a zip file"):
            scene_case(tmp_path / f"{name}.mrb", volume="T1").load()
    with pytest.raises(InputError, match=r"none\.mrb does not exist"):
        scene_case(tmp_path / "none.mrb").load()


def test_nothing_is_written_beside_the_bundle(tmp_path: Path, write_scene) -> None:
    (tmp_path / "alone").mkdir()
    path = write_scene(tmp_path / "alone" / "a.mrb")
    scene_case(path).load()
    assert [entry.name for entry in path.parent.iterdir()] == ["a.mrb"]


def test_files_that_slicer_wrote(tmp_path: Path, running_slicer, head, layers) -> None:
    """Overlapping segments, a cropped file and a scene, saved by Slicer's own code."""
    import slicer
    import vtk

    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    volume, (lesion, brain) = head(3), layers
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "FLAIR größe")
    slicer.util.updateVolumeFromArray(node, volume.array)
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(volume.ijk_to_ras.ravel().tolist())
    node.SetIJKToRASMatrix(matrix)
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "My/Segs")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
    for name, mask in (("tumor", lesion == 1), ("edema", lesion == 2), ("brain", brain > 0)):
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        writeMaskToSegment(mask, node, segmentation, identifier)
    segmentation.AddDefaultStorageNode()
    segmentation.GetStorageNode().SetCropToMinimumExtent(True)
    try:
        assert slicer.util.saveNode(segmentation, str(tmp_path / "cropped.seg.nrrd"))
        assert slicer.util.saveScene(str(tmp_path / "scene ü 1.mrb"))
    finally:
        slicer.mrmlScene.RemoveNode(node)
        slicer.mrmlScene.RemoveNode(segmentation)
    for name, expected in {"tumor": lesion == 1, "edema": lesion == 2, "brain": brain > 0}.items():
        read = volume.read_labels(tmp_path / "cropped.seg.nrrd", [name])
        np.testing.assert_array_equal(read, expected)
        case = scene_case(tmp_path / "scene ü 1.mrb", segments=(name,))
        from_scene, mask = case.load()
        np.testing.assert_array_equal(mask, expected)
        assert from_scene.same_grid(volume)
        np.testing.assert_allclose(from_scene.array, volume.array, rtol=1e-6)


def test_a_name_that_two_nodes_have_is_refused(tmp_path: Path, write_scene) -> None:
    with open_bundle(write_scene(tmp_path / "a.mrb")) as bundle:
        nodes = bundle.volumes()
    with pytest.raises(InputError, match="holds 2 volumes named 'T1'"):
        chosen_node([nodes[0], nodes[0]], "T1", what="volume", where=tmp_path)
