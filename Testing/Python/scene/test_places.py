"""Boxes and voxels of volumes in Slicer's world."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.errors import InputError

EVERY = ["aligned", "as NIfTI in LPS", "left-handed", "all flipped", "sagittal", "oblique"]
BOX = (slice(2, 6), slice(5, 17), slice(3, 30))


@pytest.fixture
def roi(scene):
    return scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "region")


@pytest.fixture
def moved(scene, volume_node):
    """The volume under an oblique transform."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.array([[0, -1, 0, 5], [0.6, 0, 0.8, -7], [-0.8, 0, 0.6, 9], [0, 0, 0, 1.0]])
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume_node.SetAndObserveTransformNodeID(node.GetID())
    return matrix


@pytest.mark.parametrize("volume_node", EVERY, indirect=True)
def test_a_box_becomes_a_region_and_a_box_again(volume_node, roi):
    from DeepIGeoSLib.scene.places import boxOfRoi, showBox

    showBox(roi, volume_node, BOX)
    assert boxOfRoi(roi, volume_node) == BOX


@pytest.mark.parametrize("volume_node", ["oblique"], indirect=True)
def test_the_region_has_the_boxs_size_in_millimeters(volume_node, roi):
    from DeepIGeoSLib.scene.places import showBox

    showBox(roi, volume_node, BOX)
    np.testing.assert_allclose(roi.GetSize(), (27 * 0.9, 12 * 1.1, 4 * 3))


def test_a_region_follows_the_volumes_transform(volume_node, roi, moved):
    from DeepIGeoSLib.scene.places import boxOfRoi, showBox

    showBox(roi, volume_node, BOX)
    assert boxOfRoi(roi, volume_node) == BOX
    roi.HardenTransform()
    roi.SetAndObserveTransformNodeID(None)
    assert boxOfRoi(roi, volume_node) == BOX


def test_a_region_that_reaches_out_is_cut_and_one_outside_is_refused(volume_node, roi):
    from DeepIGeoSLib.scene.places import boxOfRoi, showBox

    showBox(roi, volume_node, (slice(-5, 4), slice(5, 90), slice(0, 32)))
    assert boxOfRoi(roi, volume_node) == (slice(0, 4), slice(5, 28), slice(0, 32))
    showBox(roi, volume_node, (slice(50, 60), slice(0, 9), slice(0, 9)))
    with pytest.raises(InputError, match="'region' does not touch the volume 'flair'"):
        boxOfRoi(roi, volume_node)


@pytest.mark.parametrize("volume_node", EVERY, indirect=True)
def test_slice_views_jump_to_a_voxel(scene, volume_node):
    from DeepIGeoSLib.scene.places import jumpTo, worldPosition

    views = []
    for orientation in ("Axial", "Sagittal", "Coronal"):
        view = scene.AddNewNodeByClass("vtkMRMLSliceNode", orientation)
        view.SetOrientation(orientation)
        views.append(view)
    jumpTo(volume_node, (4, 9, 20))
    for view in views:
        center = [view.GetSliceToRAS().GetElement(row, 3) for row in range(3)]
        np.testing.assert_allclose(center, worldPosition(volume_node, (4, 9, 20)), atol=1e-6)


def test_the_world_position_includes_the_transform(volume_node, moved):
    from DeepIGeoSLib.scene.places import worldPosition

    ras = np.array([11.0 + 20, -23.0 + 9, 47.5 + 3 * 4, 1])
    np.testing.assert_allclose(worldPosition(volume_node, (4, 9, 20)), (moved @ ras)[:3])


def test_other_segments_can_be_left_out_of_the_editable_area(
    volume_node, segmentation_node, other_mask
):
    from DeepIGeoSLib.scene.places import EditableArea, editableVoxels

    node = segmentation_node
    place = (volume_node, node)
    assert editableVoxels((*place, "tumor"), EditableArea(node.EditAllowedEverywhere)) is None
    everything = editableVoxels((*place, "tumor"), EditableArea(node.EditAllowedOutsideAllSegments))
    np.testing.assert_array_equal(everything, ~other_mask)
    assert editableVoxels((*place, "other"), EditableArea(node.EditAllowedOutsideAllSegments)).all()
    node.GetDisplayNode().SetSegmentVisibility("other", False)
    assert editableVoxels(
        (*place, "tumor"), EditableArea(node.EditAllowedOutsideVisibleSegments)
    ).all()


def test_a_frame_of_a_sequence_is_named(scene, volume_node):
    import slicer

    from DeepIGeoSLib.scene.places import frameOf

    sequence = scene.AddNode(slicer.vtkMRMLSequenceNode())
    sequence.SetName("perfusion")
    for time in range(3):
        sequence.SetDataNodeAtValue(volume_node, str(time))
    browser = scene.AddNode(slicer.vtkMRMLSequenceBrowserNode())
    assert frameOf(volume_node) is None
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.AddProxyNode(volume_node, sequence, False)
    browser.SetSelectedItemNumber(1)
    assert frameOf(volume_node) == ("perfusion", 2, 3)
