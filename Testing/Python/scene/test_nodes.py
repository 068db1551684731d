"""Nodes become arrays and arrays become segments, exactly."""

from __future__ import annotations

import numpy as np
import pytest

GEOMETRIES = [
    "aligned",
    "as NIfTI in LPS",
    "left-handed",
    "all flipped",
    "sagittal",
    "oblique",
    "oblique and left-handed",
]
in_every_geometry = pytest.mark.parametrize("volume_node", GEOMETRIES, indirect=True)


def scattered(shape, seed=0):
    """A mask without any symmetry, so that a flip or a swap of axes would show."""
    return np.random.default_rng(seed).random(shape) > 0.7


def node_ids(scene):
    """The IDs of all nodes."""
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def move(node, scene, translation=(5.0, 0.0, -2.5)):
    """Put a node under a new transform that turns and moves it."""
    import slicer

    matrix = np.array([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    matrix[:3, 3] = translation
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    slicer.util.updateTransformMatrixFromArray(transform, matrix)
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


@pytest.fixture
def shape(volume_node):
    return volume_node.GetImageData().GetDimensions()[::-1]


@in_every_geometry
def test_a_volume_keeps_voxels_geometry_and_name(volume_node):
    import slicer
    import vtk

    from DeepIGeoSLib.scene.nodes import volumeFromNode

    volume = volumeFromNode(volume_node)
    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    np.testing.assert_array_equal(volume.array, slicer.util.arrayFromVolume(volume_node))
    np.testing.assert_allclose(volume.ijk_to_ras, slicer.util.arrayFromVTKMatrix(matrix))
    np.testing.assert_allclose(volume.spacing, volume_node.GetSpacing()[::-1])
    assert "flair" in volume.name


@in_every_geometry
def test_what_is_written_into_a_segment_is_read_back(volume_node, segmentation_node, shape):
    import slicer

    from DeepIGeoSLib.scene.nodes import maskFromSegment, seedsFromSegment, writeMaskToSegment

    mask = scattered(shape)
    writeMaskToSegment(mask, volume_node, segmentation_node, "tumor")
    for read in (
        maskFromSegment(volume_node, segmentation_node, "tumor"),
        seedsFromSegment(volume_node, segmentation_node, "tumor"),
        slicer.util.arrayFromSegmentBinaryLabelmap(segmentation_node, "tumor", volume_node) > 0,
    ):
        np.testing.assert_array_equal(read, mask)


@in_every_geometry
def test_what_slicer_writes_is_read_alike(volume_node, segmentation_node, other_mask):
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    np.testing.assert_array_equal(
        maskFromSegment(volume_node, segmentation_node, "other"), other_mask
    )


def test_an_empty_segment_is_read_as_nothing_and_can_be_emptied_again(
    volume_node, segmentation_node, shape
):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, seedsFromSegment, writeMaskToSegment

    assert maskFromSegment(volume_node, segmentation_node, "tumor").shape == shape
    assert not seedsFromSegment(volume_node, segmentation_node, "tumor").any()
    writeMaskToSegment(scattered(shape), volume_node, segmentation_node, "tumor")
    writeMaskToSegment(np.zeros(shape, bool), volume_node, segmentation_node, "tumor")
    assert not maskFromSegment(volume_node, segmentation_node, "tumor").any()


def test_other_segments_keep_their_voxels_also_in_a_shared_layer(
    volume_node, segmentation_node, editor, shape, other_mask
):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment

    neighbor = (slice(2, 4), slice(20, 24), slice(3, 9))
    editor.paint("tumor", (slice(5, 7), slice(14, 20), slice(3, 9)))
    editor.paint("foreground", neighbor)
    segmentation_node.GetSegmentation().CollapseBinaryLabelmaps(False)
    writeMaskToSegment(np.ones(shape, bool), volume_node, segmentation_node, "tumor")

    expected = np.zeros(shape, bool)
    expected[neighbor] = True
    np.testing.assert_array_equal(
        maskFromSegment(volume_node, segmentation_node, "foreground"), expected
    )
    np.testing.assert_array_equal(
        maskFromSegment(volume_node, segmentation_node, "other"), other_mask
    )


def test_reading_and_writing_leave_no_node_behind(scene, volume_node, segmentation_node, shape):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, volumeFromNode, writeMaskToSegment

    before = node_ids(scene)
    volumeFromNode(volume_node)
    writeMaskToSegment(scattered(shape), volume_node, segmentation_node, "tumor")
    maskFromSegment(volume_node, segmentation_node, "tumor")
    assert node_ids(scene) == before


def test_name_color_and_terminology_survive_and_the_status_becomes_in_progress(
    volume_node, segmentation_node, shape
):
    import slicer

    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    logic = slicer.modules.segmentations.logic()
    segment = segmentation_node.GetSegmentation().GetSegment("tumor")
    segment.SetName("Left frontal tumor")
    segment.SetColor(0.1, 0.2, 0.3)
    segment.SetTerminology("my terminology")
    writeMaskToSegment(scattered(shape), volume_node, segmentation_node, "tumor")

    segment = segmentation_node.GetSegmentation().GetSegment("tumor")
    assert segment.GetName() == "Left frontal tumor"
    assert segment.GetColor() == (0.1, 0.2, 0.3)
    assert segment.GetTerminology() == "my terminology"
    assert logic.GetSegmentStatus(segment) == logic.InProgress

    logic.SetSegmentStatus(segment, logic.Completed)
    writeMaskToSegment(scattered(shape, 1), volume_node, segmentation_node, "tumor")
    assert logic.GetSegmentStatus(segment) == logic.Completed


@pytest.mark.parametrize("shown", [True, False])
def test_surfaces_are_made_anew_only_if_there_were_any(
    volume_node, segmentation_node, other_mask, shown
):
    import slicer

    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    segmentation = segmentation_node.GetSegmentation()
    if shown:
        segmentation_node.CreateClosedSurfaceRepresentation()
    writeMaskToSegment(other_mask, volume_node, segmentation_node, "tumor")
    assert segmentation.ContainsRepresentation(name) is shown
    if shown:
        surface = segmentation.GetSegment("tumor").GetRepresentation(name)
        assert surface.GetNumberOfPoints() > 0


def test_a_segmentation_without_geometry_takes_that_of_the_volume(scene, volume_node, other_mask):
    import slicer

    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segment_id = node.GetSegmentation().AddEmptySegment("tumor")
    writeMaskToSegment(other_mask, volume_node, node, segment_id)
    np.testing.assert_array_equal(
        slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id), other_mask
    )


@pytest.fixture
def finer_segmentation_node(scene, volume_node):
    """A segmentation whose voxels are a third of the volume's along each axis."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    coarse = slicer.util.arrayFromVTKMatrix(matrix)
    fine = coarse.copy()
    fine[:3, :3] /= 3
    fine[:3, 3] -= fine[:3, :3] @ np.ones(3)  # the middle fine voxel sits on the coarse one
    shape = tuple(3 * n for n in volume_node.GetImageData().GetDimensions()[::-1])
    reference = slicer.util.addVolumeFromArray(np.zeros(shape, np.uint8), ijkToRAS=fine)
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "fine")
    node.SetReferenceImageGeometryParameterFromVolumeNode(reference)
    for segment_id in ("tumor", "stroke"):
        node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
    mask = np.zeros(shape, np.uint8)
    mask[12:18, 30:42, 30:51] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "tumor", reference)
    mask[:] = 0
    mask[14, 30:42, 33] = 1  # between the centers of coarse voxels
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, "stroke", reference)
    return node


@pytest.mark.parametrize("volume_node", ["aligned", "oblique and left-handed"], indirect=True)
def test_a_finer_segmentation_is_read_on_the_volume_and_no_stroke_vanishes(
    volume_node, finer_segmentation_node, shape
):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, seedsFromSegment

    expected = np.zeros(shape, bool)
    expected[4:6, 10:14, 10:17] = True
    np.testing.assert_array_equal(
        maskFromSegment(volume_node, finer_segmentation_node, "tumor"), expected
    )
    stroke = np.zeros(shape, bool)
    stroke[4, 10:14, 11] = True
    assert not maskFromSegment(volume_node, finer_segmentation_node, "stroke").any()
    np.testing.assert_array_equal(
        seedsFromSegment(volume_node, finer_segmentation_node, "stroke"), stroke
    )


def test_writing_to_a_finer_segmentation_replaces_that_segment_only(
    volume_node, finer_segmentation_node, shape
):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, seedsFromSegment, writeMaskToSegment

    finer_segmentation_node.GetSegmentation().CollapseBinaryLabelmaps(True)
    before = seedsFromSegment(volume_node, finer_segmentation_node, "stroke")
    mask = scattered(shape)
    writeMaskToSegment(mask, volume_node, finer_segmentation_node, "tumor")
    np.testing.assert_array_equal(
        maskFromSegment(volume_node, finer_segmentation_node, "tumor"), mask
    )
    np.testing.assert_array_equal(
        seedsFromSegment(volume_node, finer_segmentation_node, "stroke"), before
    )


@in_every_geometry
def test_under_the_same_transform_nothing_is_resampled(
    scene, volume_node, segmentation_node, shape
):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment

    transform = move(volume_node, scene)
    segmentation_node.SetAndObserveTransformNodeID(transform.GetID())
    mask = scattered(shape)
    writeMaskToSegment(mask, volume_node, segmentation_node, "tumor")
    np.testing.assert_array_equal(maskFromSegment(volume_node, segmentation_node, "tumor"), mask)


def test_two_transforms_that_move_alike_count_as_the_same(
    scene, volume_node, segmentation_node, shape
):
    from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment

    move(volume_node, scene)
    move(segmentation_node, scene)
    mask = scattered(shape)
    writeMaskToSegment(mask, volume_node, segmentation_node, "tumor")
    np.testing.assert_array_equal(maskFromSegment(volume_node, segmentation_node, "tumor"), mask)


def test_the_same_warp_on_both_works(scene, volume_node, segmentation_node, shape):
    import vtk

    from DeepIGeoSLib.scene.nodes import maskFromSegment, writeMaskToSegment

    warp = vtk.vtkThinPlateSplineTransform()
    source, target = vtk.vtkPoints(), vtk.vtkPoints()
    for n, point in enumerate([(0, 0, 0), (9, 0, 1), (0, 9, 2), (3, 4, 9), (9, 9, 9)]):
        source.InsertNextPoint(point)
        target.InsertNextPoint([x + n for x in point])
    warp.SetSourceLandmarks(source)
    warp.SetTargetLandmarks(target)
    warp.SetBasisToR()
    transform = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    transform.SetAndObserveTransformToParent(warp)
    for node in (volume_node, segmentation_node):
        node.SetAndObserveTransformNodeID(transform.GetID())
    mask = scattered(shape)
    writeMaskToSegment(mask, volume_node, segmentation_node, "tumor")
    np.testing.assert_array_equal(maskFromSegment(volume_node, segmentation_node, "tumor"), mask)


def vector_volume(components):
    """A vector volume of three components."""
    import slicer

    return slicer.util.addVolumeFromArray(
        np.stack(components, axis=-1), name="colors", nodeClassName="vtkMRMLVectorVolumeNode"
    )


def test_gray_stored_as_color_is_a_gray_volume(scene):
    from DeepIGeoSLib.scene.nodes import volumeFromNode

    gray = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(volumeFromNode(vector_volume([gray] * 3)).array, gray)


def test_the_component_named_by_the_node_is_used_and_the_stamp_knows_it(scene):
    from DeepIGeoSLib.scene.nodes import COMPONENT_ATTRIBUTE, volumeFromNode, volumeStamp

    gray = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    node = vector_volume([gray, gray + 1, gray + 2])
    stamps = set()
    for component in range(3):
        node.SetAttribute(COMPONENT_ATTRIBUTE, str(component))
        np.testing.assert_array_equal(volumeFromNode(node).array, gray + component)
        stamps.add(volumeStamp(node))
    assert len(stamps) == 3


def test_the_stamp_changes_with_voxels_and_geometry_and_with_nothing_else(
    volume_node, segmentation_node, shape
):
    import slicer

    from DeepIGeoSLib.scene.nodes import maskFromSegment, volumeStamp, writeMaskToSegment

    first = volumeStamp(volume_node)
    volume_node.CreateDefaultDisplayNodes()
    volume_node.SetName("renamed")
    writeMaskToSegment(scattered(shape), volume_node, segmentation_node, "tumor")
    maskFromSegment(volume_node, segmentation_node, "tumor")
    assert volumeStamp(volume_node) == first
    volume_node.SetOrigin(1, 2, 3)
    second = volumeStamp(volume_node)
    slicer.util.arrayFromVolume(volume_node)[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(volume_node)
    assert len({first, second, volumeStamp(volume_node)}) == 3
