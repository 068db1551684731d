"""Bad input from the scene: one sentence that names the thing, and the scene as it was."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError


@pytest.fixture
def place(volume_node, segmentation_node, editor):
    """A target with seeds of both classes."""
    editor.paint("foreground", (slice(5, 6), slice(16, 18), slice(12, 17)))
    editor.paint("background", (slice(5, 6), slice(20, 22), slice(12, 17)))
    return [volume_node, segmentation_node, "tumor"]


@pytest.fixture
def snapshot(scene, segmentation_node):
    """A function that says what is in the scene now."""
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    def take():
        nodes = {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
        segmentation = segmentation_node.GetSegmentation()
        segments = {}
        for segment_id in segmentation.GetSegmentIDs():
            labelmap = slicer.vtkOrientedImageData()
            segmentation_node.GetBinaryLabelmapRepresentation(segment_id, labelmap)
            scalars = labelmap.GetPointData().GetScalars()
            voxels = b"" if scalars is None else vtk_to_numpy(scalars).tobytes()
            status = slicer.modules.segmentations.logic().GetSegmentStatus(
                segmentation.GetSegment(segment_id)
            )
            segments[segment_id] = (labelmap.GetExtent(), voxels, status)
        return nodes, segments

    return take


def refuses(logic, place, words, foreground="foreground", background="background"):
    """Check that propose and refine refuse with one sentence that holds these words."""
    for call in (
        lambda: logic.propose(*place),
        lambda: logic.refine(*place, foreground, background),
    ):
        with pytest.raises(InputError) as caught:
            call()
        sentence = str(caught.value)
        assert "\n" not in sentence
        assert sentence.endswith(".")
        for word in words:
            assert word in sentence


def test_no_volume(logic, place, snapshot):
    before = snapshot()
    refuses(logic, [None, *place[1:]], ["source volume"])
    assert snapshot() == before


def test_no_segmentation(logic, place, snapshot):
    before = snapshot()
    refuses(logic, [place[0], None, "tumor"], ["segmentation"])
    assert snapshot() == before


@pytest.mark.parametrize("segment_id", ["", "no such segment", None])
def test_no_such_segment(logic, place, snapshot, segment_id):
    before = snapshot()
    refuses(logic, [*place[:2], segment_id], ["segmentation", repr(segment_id)])
    assert snapshot() == before


def test_a_name_instead_of_a_node(logic, place, snapshot):
    before = snapshot()
    refuses(logic, ["flair", *place[1:]], ["source volume", "str"])
    assert snapshot() == before


def test_a_model_instead_of_a_volume(logic, scene, place, snapshot):
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", "skull")
    before = snapshot()
    refuses(logic, [model, *place[1:]], ["'skull'", "vtkMRMLModelNode"])
    refuses(logic, [place[0], model, "tumor"], ["'skull'", "vtkMRMLModelNode"])
    assert snapshot() == before


def test_a_labelmap_instead_of_a_volume(logic, place, snapshot):
    import slicer

    labels = slicer.modules.volumes.logic().CreateAndAddLabelVolume(place[0], "labels")
    before = snapshot()
    refuses(logic, [labels, *place[1:]], ["'labels'", "labelmap"])
    assert snapshot() == before


def test_a_volume_without_image_data(logic, scene, place, snapshot):
    empty = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    before = snapshot()
    refuses(logic, [empty, *place[1:]], ["'empty'", "no voxels"])
    assert snapshot() == before


def test_a_volume_that_was_removed_from_the_scene(logic, scene, place, snapshot):
    logic.propose(*place)
    scene.RemoveNode(place[0])
    before = snapshot()
    refuses(logic, place, ["'flair'", "no longer in the scene"])
    assert snapshot() == before


def test_a_target_that_was_deleted(logic, place, snapshot):
    logic.propose(*place)
    place[1].GetSegmentation().RemoveSegment("tumor")
    before = snapshot()
    refuses(logic, place, ["'tumor'"])
    assert snapshot() == before


def test_a_constant_volume(logic, place, snapshot):
    import slicer

    slicer.util.arrayFromVolume(place[0])[:] = 5
    slicer.util.arrayFromVolumeModified(place[0])
    before = snapshot()
    refuses(logic, place, ["'flair'", "constant"])
    assert snapshot() == before


def test_a_volume_with_nan(logic, place, snapshot):
    import slicer

    voxels = slicer.util.arrayFromVolume(place[0]).astype(np.float32)
    voxels[2, 3, 4] = np.nan
    slicer.util.updateVolumeFromArray(place[0], voxels)
    before = snapshot()
    refuses(logic, place, ["'flair'", "NaN"])
    assert snapshot() == before


def test_a_color_volume(logic, place, snapshot):
    import slicer

    voxels = slicer.util.arrayFromVolume(place[0])
    color = slicer.util.addVolumeFromArray(
        np.stack([voxels, voxels + 1, voxels], axis=-1),
        name="photo",
        nodeClassName="vtkMRMLVectorVolumeNode",
    )
    before = snapshot()
    refuses(logic, [color, *place[1:]], ["'photo'", "3 components", "Vector to Scalar Volume"])
    color.SetAttribute("DeepIGeoS.Component", "3")
    refuses(logic, [color, *place[1:]], ["'photo'", "'3'", "0 to 2"])
    assert snapshot() == before


def test_different_transforms(logic, scene, place, snapshot):
    import slicer

    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.eye(4)
    matrix[0, 3] = 3
    slicer.util.updateTransformMatrixFromArray(transform, matrix)
    place[0].SetAndObserveTransformNodeID(transform.GetID())
    before = snapshot()
    refuses(logic, place, ["'segmentation'", "'flair'", "transform"])
    assert snapshot() == before


def test_a_warp_on_one_of_them_only(logic, scene, place, snapshot):
    import vtk

    warp = vtk.vtkThinPlateSplineTransform()
    points = vtk.vtkPoints()
    for point in [(0, 0, 0), (9, 0, 1), (0, 9, 2), (3, 4, 9)]:
        points.InsertNextPoint(point)
    warp.SetSourceLandmarks(points)
    warp.SetTargetLandmarks(points)
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    transform.SetAndObserveTransformToParent(warp)
    place[1].SetAndObserveTransformNodeID(transform.GetID())
    before = snapshot()
    refuses(logic, place, ["transform"])
    assert snapshot() == before


def test_a_segmentation_stored_as_surfaces(logic, place, snapshot):
    import slicer

    segmentation = place[1].GetSegmentation()
    place[1].CreateClosedSurfaceRepresentation()
    segmentation.SetSourceRepresentationName(
        slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    )
    before = snapshot()
    refuses(logic, place, ["'segmentation'", "closed surface", "Segmentations"])
    assert snapshot() == before


def test_a_bundle_that_does_not_exist(place, snapshot):
    from DeepIGeoSLib.scene import SegmentationLogic

    before = snapshot()
    with pytest.raises(InputError, match="no bundle 'elsewhere'"):
        SegmentationLogic("elsewhere").propose(*place)
    assert snapshot() == before


@pytest.mark.parametrize(
    "seeds", [("tumor", "background"), ("foreground", "tumor"), ("foreground", "foreground")]
)
def test_seeds_and_target_must_be_different_segments(logic, place, snapshot, seeds):
    before = snapshot()
    with pytest.raises(InputError, match="different segments"):
        logic.refine(*place, *seeds)
    assert snapshot() == before


def test_a_seed_segment_that_does_not_exist(logic, place, snapshot):
    before = snapshot()
    with pytest.raises(InputError, match="'gone'"):
        logic.refine(*place, "gone", "background")
    assert snapshot() == before


def test_voxels_with_both_classes_at_once(logic, place, editor, snapshot):
    editor.paint("background", (slice(5, 6), slice(17, 18), slice(13, 14)))
    before = snapshot()
    with pytest.raises(InputError, match=r"1 voxels .* \(5, 17, 13\)"):
        logic.refine(*place, "foreground", "background")
    assert snapshot() == before


def test_the_later_stroke_wins_where_the_order_is_known(logic, place, editor):
    logic.refine(*place, "foreground", "background")
    editor.paint("background", (slice(5, 6), slice(17, 18), slice(13, 14)))
    result = logic.refine(*place, "foreground", "background")
    assert result.labels[5, 17, 13] == 0
    assert result.labels[5, 17, 14] == 1


@pytest.fixture
def running(tiny_bundle, running_slicer, place):
    """A logic and a proposal of it that is computed but not written yet."""
    from DeepIGeoSLib.scene import SegmentationLogic

    with ThreadPoolExecutor(max_workers=1) as executor:
        logic = SegmentationLogic(tiny_bundle, executor=executor)
        computation = logic.startPropose(*place)
        computation.future.result()
        yield computation


def test_a_target_deleted_during_the_computation(running, place, snapshot):
    place[1].GetSegmentation().RemoveSegment("tumor")
    before = snapshot()
    with pytest.raises(InputError, match="'tumor'"):
        running.finish()
    assert snapshot() == before


def test_a_volume_changed_during_the_computation(running, place, snapshot):
    import slicer

    slicer.util.arrayFromVolumeModified(place[0])
    before = snapshot()
    with pytest.raises(InputError, match="changed during the computation"):
        running.finish()
    assert snapshot() == before


def test_a_scene_closed_during_the_computation(running, scene):
    scene.Clear(0)
    with pytest.raises(InputError, match="no longer in the scene"):
        running.finish()
