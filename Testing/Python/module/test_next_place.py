"""The button "Next place to look" shows the doubtful regions, the largest first."""

from __future__ import annotations

import numpy as np
import pytest

SPACING = (0.9, 1.1, 3.0)  # mm along (i, j, k)
# Boxes (k, j, i) of doubtful voxels. Their order in the volume is not that of their sizes.
SMALL = (slice(2, 3), slice(4, 7), slice(5, 8))
LARGE = (slice(4, 7), slice(16, 24), slice(5, 13))
MEDIUM = (slice(6, 8), slice(5, 10), slice(22, 27))
BY_SIZE = (LARGE, MEDIUM, SMALL)


def turned(axis, degrees):
    """Return a rotation (4x4) around a unit vector."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
    return matrix


IJK_TO_RAS = turned((0.6, 0, 0.8), 35) @ np.diag([*SPACING, 1])
IJK_TO_RAS[:3, 3] = (-31, 12, 57)
MIRRORED = np.diag([-1, 1, 1, 1]) @ IJK_TO_RAS
MOVED = turned((0, 1, 0), -20)
MOVED[:3, 3] = (8, -40, 3)


@pytest.fixture
def sure_head():
    """A head whose tissue is never bright, with a lesion that always is."""
    voxels = np.zeros((10, 28, 32), np.float32)
    inside = (slice(1, 9), slice(2, 26), slice(2, 30))
    voxels[inside] = np.random.default_rng(7).uniform(94, 106, voxels[inside].shape)
    voxels[1:4, 20:24, 20:26] = 160
    return voxels


@pytest.fixture
def doubtful_head(sure_head):
    """The same with three regions of which the tiny P-Net says one half."""
    from DeepIGeoSLib.inputs.normalization import Normalization, NormalizationSettings

    scale = Normalization.of(sure_head, NormalizationSettings(), sure_head > 0)
    for box in BY_SIZE:
        sure_head[box] = scale.median + 4 * scale.spread  # see the fixture tiny_bundle
    return sure_head


@pytest.fixture
def views(desktop):
    """The three slice views of the usual layout."""
    import slicer

    made = []
    for orientation in ("Axial", "Sagittal", "Coronal"):
        view = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", orientation)
        view.SetOrientation(orientation)
        made.append(view)
    return made


def voxel_in_the_middle(view, voxel_to_world):
    """Return the voxel (k, j, i) in the middle of a view; it must be one, not a place between."""
    center = [view.GetSliceToRAS().GetElement(row, 3) for row in range(4)]
    ijk = (np.linalg.inv(voxel_to_world) @ center)[:3]
    np.testing.assert_allclose(ijk, np.rint(ijk), atol=1e-3)
    return tuple(int(value) for value in np.rint(ijk)[::-1])


def lies_in(voxel, box):
    return all(part.start <= at < part.stop for at, part in zip(voxel, box, strict=True))


@pytest.mark.parametrize("matrix", [IJK_TO_RAS, MIRRORED], ids=["oblique", "mirrored"])
@pytest.mark.parametrize("moved", [False, True], ids=["", "under a transform"])
def test_the_views_go_from_the_largest_doubtful_region_to_the_smallest(
    user, views, doubtful_head, matrix, moved
):
    import slicer

    node = slicer.util.addVolumeFromArray(doubtful_head, ijkToRAS=matrix, name="oblique")
    to_world = matrix
    if moved:
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(MOVED))
        node.SetAndObserveTransformNodeID(transform.GetID())
        to_world = MOVED @ matrix
    user.ui.sourceVolumeSelector.setCurrentNode(node)
    user.click("segmentButton")
    for number, box in enumerate((*BY_SIZE, LARGE)):  # after the last comes the first again
        user.click("nextPlaceButton")
        shown = {voxel_in_the_middle(view, to_world) for view in views}
        assert len(shown) == 1, "the views show different places"
        assert lies_in(shown.pop(), box), (number, user.status)
        assert f"Uncertain place {number % 3 + 1} of 3" in user.status


def test_without_doubt_there_is_no_place_and_the_views_stay(user, views, sure_head):
    import slicer

    node = slicer.util.addVolumeFromArray(sure_head, ijkToRAS=IJK_TO_RAS, name="sure")
    user.ui.sourceVolumeSelector.setCurrentNode(node)
    user.click("segmentButton")
    before = [view.GetSliceToRAS().GetElement(2, 3) for view in views]
    user.click("nextPlaceButton")
    assert "There is no uncertain place" in user.status
    assert [view.GetSliceToRAS().GetElement(2, 3) for view in views] == before
