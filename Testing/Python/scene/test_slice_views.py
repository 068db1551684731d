"""Slice views that are turned to a volume's planes, and that go to what has changed."""

from __future__ import annotations

import numpy as np
import pytest

BOX = (slice(2, 6), slice(5, 17), slice(3, 30))
GRIDS = ["aligned", "left-handed", "sagittal", "oblique", "oblique and left-handed"]


@pytest.fixture
def views(scene):
    """Axial, sagittal and coronal views."""
    made = []
    for orientation in ("Axial", "Sagittal", "Coronal"):
        view = scene.AddNewNodeByClass("vtkMRMLSliceNode", orientation)
        view.SetOrientation(orientation)
        view.JumpSliceByCentering(3.3, -4.4, 5.5)
        made.append(view)
    return made


@pytest.fixture
def turned(scene, volume_node):
    """The volume under a transform that turns it."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    matrix = np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -7], [0, 0, 1, 9], [0, 0, 0, 1.0]])
    node.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    volume_node.SetAndObserveTransformNodeID(node.GetID())
    return matrix


def to_ras(view):
    import slicer

    return slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())


def ijk_of(volume_node, ras, to_world=None):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    volume_node.GetIJKToRASMatrix(matrix)
    matrix = slicer.util.arrayFromVTKMatrix(matrix)
    return np.linalg.solve((np.eye(4) if to_world is None else to_world) @ matrix, [*ras, 1])[:3]


def assert_shows_one_slice(view, volume_node, to_world=None):
    """Points all over the view lie in one slice of voxels."""
    plane = to_ras(view)
    points = [plane @ [x, y, 0, 1] for x in (-20, 0, 33) for y in (-50, 0, 7)]
    ijk = np.array([ijk_of(volume_node, point[:3], to_world) for point in points])
    across = np.argmin(np.ptp(ijk, axis=0))
    assert np.ptp(ijk[:, across]) < 1e-4
    np.testing.assert_allclose(ijk[:, across], np.rint(ijk[0, across]), atol=1e-4)


@pytest.mark.parametrize("volume_node", ["oblique", "oblique and left-handed"], indirect=True)
def test_views_are_turned_to_the_slices_of_an_oblique_volume(volume_node, views):
    from DeepIGeoSLib.scene.slice_views import alignViews, isAligned

    before = [to_ras(view) for view in views]
    assert not any(isAligned(view, volume_node) for view in views)
    alignViews(volume_node)
    for view, was in zip(views, before, strict=True):
        assert isAligned(view, volume_node)
        assert_shows_one_slice(view, volume_node)
        assert to_ras(view)[:3, 2] @ was[:3, 2] > 0.7  # the nearest plane
    normals = np.array([to_ras(view)[:3, 2] for view in views])
    np.testing.assert_allclose(np.abs(normals @ normals.T), np.eye(3), atol=1e-6)


def test_views_follow_the_volumes_transform(volume_node, views, turned):
    from DeepIGeoSLib.scene.slice_views import alignViews

    alignViews(volume_node)
    for view in views:
        assert_shows_one_slice(view, volume_node, turned)


@pytest.mark.parametrize("volume_node", ["aligned", "sagittal", "left-handed"], indirect=True)
def test_views_that_are_aligned_stay_where_they_are(volume_node, views):
    from DeepIGeoSLib.scene.slice_views import alignViews

    before = [to_ras(view) for view in views]
    alignViews(volume_node)
    for view, was in zip(views, before, strict=True):
        np.testing.assert_array_equal(to_ras(view), was)


@pytest.mark.parametrize("volume_node", ["oblique"], indirect=True)
def test_views_are_turned_once_and_then_left_to_the_user(volume_node, views):
    from DeepIGeoSLib.scene.slice_views import ViewGuide, isAligned

    guide = ViewGuide()
    guide.follow(volume_node, False)
    assert not isAligned(views[0], volume_node)
    guide.follow(volume_node, True)
    assert isAligned(views[0], volume_node)
    views[0].SetOrientation("Axial")
    guide.follow(volume_node, True)
    assert not isAligned(views[0], volume_node)
    guide.follow(None, True)
    guide.follow(volume_node, True)
    assert isAligned(views[0], volume_node)


def test_a_bent_volume_has_no_planes(scene, volume_node, views):
    import vtk

    from DeepIGeoSLib.scene.slice_views import alignViews, isAligned

    bent = vtk.vtkThinPlateSplineTransform()
    points = [vtk.vtkPoints(), vtk.vtkPoints()]
    for n, point in enumerate(np.random.default_rng(1).normal(0, 30, (5, 3))):
        points[0].InsertNextPoint(*point)
        points[1].InsertNextPoint(*(point + n))
    bent.SetSourceLandmarks(points[0])
    bent.SetTargetLandmarks(points[1])
    bent.SetBasisToR()
    node = scene.AddNewNodeByClass("vtkMRMLTransformNode")
    node.SetAndObserveTransformToParent(bent)
    volume_node.SetAndObserveTransformNodeID(node.GetID())
    before = [to_ras(view) for view in views]
    alignViews(volume_node)
    for view, was in zip(views, before, strict=True):
        np.testing.assert_array_equal(to_ras(view), was)
        assert not isAligned(view, volume_node)


@pytest.mark.parametrize("volume_node", GRIDS, indirect=True)
def test_all_views_go_to_the_middle_of_a_box(volume_node, views):
    from DeepIGeoSLib.scene.slice_views import goToBox

    goToBox(volume_node, BOX, center=True)
    for view in views:
        middle = ijk_of(volume_node, to_ras(view)[:3, 3])
        np.testing.assert_allclose(middle, (16, 10.5, 3.5), atol=1e-4)


@pytest.mark.parametrize("volume_node", GRIDS, indirect=True)
def test_only_views_that_miss_the_box_move(volume_node, views):
    from DeepIGeoSLib.scene.places import worldPosition
    from DeepIGeoSLib.scene.slice_views import goToBox

    inside = (2, 5, 3)
    views[0].JumpSliceByCentering(*worldPosition(volume_node, inside))
    for view in views[1:]:
        view.JumpSliceByCentering(*worldPosition(volume_node, (200, 200, 200)))
    before = to_ras(views[0])
    goToBox(volume_node, BOX, center=False)
    np.testing.assert_array_equal(to_ras(views[0]), before)
    middle = np.array(worldPosition(volume_node, (3.5, 10.5, 16)))
    for view in views[1:]:
        plane = to_ras(view)
        assert (middle - plane[:3, 3]) @ plane[:3, 2] == pytest.approx(0, abs=1e-6)
    before = [to_ras(view) for view in views]
    goToBox(volume_node, (slice(4, 4), slice(0, 0), slice(0, 0)), center=True)
    for view, was in zip(views, before, strict=True):
        np.testing.assert_array_equal(to_ras(view), was)
