"""What the slice views do while somebody works in the panel."""

from __future__ import annotations

import numpy as np
import pytest

STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))
OBLIQUE = np.array([[1, 0, 0, 5], [0, 0.8, -1.8, -7], [0, 0.6, 2.4, 9], [0, 0, 0, 1.0]])


@pytest.fixture
def view(desktop):
    """A coronal slice view."""
    import slicer

    made = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Green")
    made.SetOrientation("Coronal")
    return made


def to_ras(view):
    import slicer

    return slicer.util.arrayFromVTKMatrix(view.GetSliceToRAS())


def test_views_go_to_what_segment_found_and_stay_where_a_stroke_was_painted(
    volume_node, user, view, lesion
):
    view.JumpSliceByCentering(0, -300, 0)
    user.click("segmentButton")
    voxels = np.argwhere(lesion)
    k, j, i = (voxels.min(axis=0) + voxels.max(axis=0)) / 2
    np.testing.assert_allclose(to_ras(view)[:3, 3], (i, j, 3 * k))
    view.JumpSliceByOffsetting(0, 17, 0)
    before = to_ras(view)
    user.stroke(STROKE)
    np.testing.assert_array_equal(to_ras(view), before)
    view.JumpSliceByOffsetting(0, -300, 0)
    user.click("undoButton")
    assert STROKE[1].start <= to_ras(view)[1, 3] < STROKE[1].stop


def test_views_stay_where_they_are_if_the_user_wishes(volume_node, user, view):
    user.ui.goToChangesCheckBox.setChecked(False)
    before = to_ras(view)
    user.click("segmentButton")
    np.testing.assert_array_equal(to_ras(view), before)


def test_views_are_aligned_when_an_oblique_volume_is_chosen(user, view, head):
    import slicer

    from DeepIGeoSLib.scene.slice_views import isAligned

    user.ui.alignViewsCheckBox.setChecked(False)
    node = slicer.util.addVolumeFromArray(head, ijkToRAS=OBLIQUE, name="oblique")
    user.ui.sourceVolumeSelector.setCurrentNode(node)
    assert not isAligned(view, node)
    user.ui.alignViewsCheckBox.setChecked(True)
    assert isAligned(view, node)


def test_the_surface_is_shown_if_wished_and_never_delays_a_stroke(volume_node, user):
    import threading
    import time

    import slicer

    def model():
        nodes = slicer.util.getNodesByClass("vtkMRMLModelNode")
        return nodes[0] if nodes else None

    def await_model(bounds_differ_from=None):
        end = time.monotonic() + 20
        while model() is None or model().GetPolyData().GetBounds() == bounds_differ_from:
            assert time.monotonic() < end
            user.wait()

    user.click("segmentButton")
    assert model() is None
    user.ui.showSurfaceCheckBox.setChecked(True)
    await_model()
    before = model().GetPolyData().GetBounds()
    release = threading.Event()
    user.panel._aside.submit(release.wait, 20)  # a surface that takes its time
    user.stroke(STROKE)
    assert user.content()[STROKE].all()
    assert model().GetPolyData().GetBounds() == before
    release.set()
    await_model(bounds_differ_from=before)
    user.ui.showSurfaceCheckBox.setChecked(False)
    assert not model().GetDisplayNode().GetVisibility()
