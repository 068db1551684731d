"""What was refined is in the file, and comes back from it."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK

GEOMETRIES = ["aligned", "sagittal", "oblique", "oblique and left-handed"]
STROKE = (slice(5, 6), slice(16, 18), slice(12, 17))


@pytest.fixture
def refined(logic, volume_node, segmentation_node, editor):
    """The refined segment's voxels; seeds are in their segments."""
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    logic.propose(volume_node, segmentation_node, "tumor")
    editor.paint("foreground", STROKE)
    logic.refine(volume_node, segmentation_node, "tumor", "foreground", "background")
    return maskFromSegment(volume_node, segmentation_node, "tumor")


def on_the_grid_of(volume, reloaded, array):
    """Turn an array of the reloaded volume to the axes it was saved with.

    Slicer's reader makes left-handed volumes right-handed by reversing an axis.
    """
    steps = np.linalg.inv(volume.ijk_to_ras) @ reloaded.ijk_to_ras
    signs = np.diag(steps)[:3]
    np.testing.assert_allclose(steps[:3, :3], np.diag(np.sign(signs)), atol=1e-9)
    ends = [n - 1 if sign < 0 else 0 for n, sign in zip(volume.shape[::-1], signs, strict=True)]
    np.testing.assert_allclose(steps[:3, 3], ends, atol=1e-9)
    return array[tuple(slice(None, None, -1 if sign < 0 else 1) for sign in signs[::-1])]


def masks(volume_node, segmentation_node):
    """All segments by name."""
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    segmentation = segmentation_node.GetSegmentation()
    return {
        segmentation.GetSegment(segment_id).GetName(): maskFromSegment(
            volume_node, segmentation_node, segment_id
        )
        for segment_id in segmentation.GetSegmentIDs()
    }


@pytest.mark.parametrize("volume_node", GEOMETRIES, indirect=True)
def test_a_seg_nrrd_file_holds_all_segments(volume_node, segmentation_node, refined, tmp_path):
    import slicer

    path = str(tmp_path / "result.seg.nrrd")
    before = masks(volume_node, segmentation_node)
    assert slicer.util.saveNode(segmentation_node, path)
    loaded = slicer.util.loadSegmentation(path)
    after = masks(volume_node, loaded)
    assert list(after) == ["tumor", "foreground", "background", "other"]
    for name, mask in before.items():
        np.testing.assert_array_equal(after[name], mask)
    np.testing.assert_array_equal(after["tumor"], refined)
    assert after["foreground"][STROKE].all()


def test_a_reloaded_segmentation_can_be_refined_further(
    logic, volume_node, segmentation_node, refined, tmp_path
):
    import slicer

    path = str(tmp_path / "result.seg.nrrd")
    slicer.util.saveNode(segmentation_node, path)
    loaded = slicer.util.loadSegmentation(path)
    ids = {
        name: loaded.GetSegmentation().GetSegmentIdBySegmentName(name)
        for name in ("tumor", "foreground", "background")
    }
    logic.refine(volume_node, loaded, ids["tumor"], ids["foreground"], ids["background"])
    assert masks(volume_node, loaded)["tumor"][STROKE].all()


@pytest.mark.parametrize("volume_node", GEOMETRIES, indirect=True)
def test_an_mrb_file_holds_volume_and_segments(
    scene, volume_node, segmentation_node, refined, tmp_path
):
    import slicer

    from DeepIGeoSLib.scene.nodes import volumeFromNode

    path = str(tmp_path / "scene.mrb")
    volume, before = volumeFromNode(volume_node), masks(volume_node, segmentation_node)
    assert slicer.util.saveScene(path)
    scene.Clear(0)
    slicer.util.loadScene(path)
    volume_node = slicer.util.getNode("flair")
    segmentation_node = slicer.util.getNode("segmentation")

    reloaded = volumeFromNode(volume_node)
    turned = on_the_grid_of(volume, reloaded, reloaded.array)
    np.testing.assert_array_equal(turned, volume.array)
    after = {
        name: on_the_grid_of(volume, reloaded, mask)
        for name, mask in masks(volume_node, segmentation_node).items()
    }
    assert list(after) == list(before)
    for name, mask in before.items():
        np.testing.assert_array_equal(after[name], mask)
    np.testing.assert_array_equal(after["tumor"], refined)


def test_a_session_never_outlives_the_scene_it_was_made_in(
    logic, scene, volume_node, segmentation_node, refined, tmp_path
):
    import slicer

    path = str(tmp_path / "scene.mrb")
    slicer.util.saveScene(path)
    scene.Clear(0)
    slicer.util.loadScene(path)
    place = (slicer.util.getNode("flair"), slicer.util.getNode("segmentation"), "tumor")
    voxels = slicer.util.arrayFromVolume(place[0])
    voxels[:] = voxels[::-1]
    logic.propose(*place)
    assert masks(*place[:2])["tumor"][3:6].any()
    logic.undo(*place)
    np.testing.assert_array_equal(masks(*place[:2])["tumor"], refined)


def test_a_refined_segment_can_be_exported_to_nifti(
    scene, volume_node, segmentation_node, refined, tmp_path
):
    import slicer
    import vtk

    ids = vtk.vtkStringArray()
    ids.InsertNextValue("tumor")
    labels = scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    slicer.modules.segmentations.logic().ExportSegmentsToLabelmapNode(
        segmentation_node, ids, labels, volume_node
    )
    path = str(tmp_path / "labels.nii.gz")
    assert slicer.util.saveNode(labels, path)
    written = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(path))
    np.testing.assert_array_equal(written > 0, refined)
