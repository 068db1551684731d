"""The region of influence in the panel, and strokes of one class only."""

from __future__ import annotations

import numpy as np
import pytest

STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))
FAR = (slice(2, 3), slice(20, 22), slice(22, 27))


def region():
    """The ROI nodes of the scene."""
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")


def box_of(node, volume_node):
    from DeepIGeoSLib.scene.places import boxOfRoi

    return boxOfRoi(node, volume_node)


def inside(box):
    mask = np.zeros((10, 28, 32), bool)
    mask[box] = True
    return mask


def test_the_region_is_shown_when_asked_for_and_holds_all_that_changed(volume_node, user):
    user.click("segmentButton")
    before = user.content()
    user.stroke(STROKE)
    assert region() == []
    user.click("undoButton")
    user.ui.showRegionCheckBox.click()
    user.stroke(STROKE)
    (shown,) = region()
    assert shown.GetDisplayNode().GetVisibility()
    assert shown.GetLocked()
    changed = user.content() != before
    assert changed.any()
    assert not (changed & ~inside(box_of(shown, volume_node))).any()
    user.ui.showRegionCheckBox.click()
    assert not shown.GetDisplayNode().GetVisibility()


def test_a_pinned_region_can_be_moved_and_nothing_outside_of_it_changes(volume_node, user, lesion):
    from DeepIGeoSLib.scene.places import showBox

    user.click("segmentButton")
    user.ui.pinRegionCheckBox.click()
    (pinned,) = region()
    assert not pinned.GetLocked()
    assert pinned.GetDisplayNode().GetHandlesInteractive()
    box = (slice(0, 10), slice(17, 28), slice(0, 32))
    showBox(pinned, volume_node, box)  # as dragging its handles does
    user.stroke(STROKE)
    assert user.content()[STROKE].all()
    np.testing.assert_array_equal(user.content() & ~inside(box), lesion & ~inside(box))
    assert box_of(pinned, volume_node) == box
    user.ui.pinRegionCheckBox.click()
    assert pinned.GetLocked()


@pytest.mark.parametrize("button", ["missingButton", "tooMuchButton"])
def test_strokes_of_one_class_suffice_with_a_model(volume_node, user, lesion, button):
    user.click("segmentButton")
    box = STROKE if button == "missingButton" else (slice(5, 6), slice(9, 11), slice(12, 17))
    user.stroke(box, button)
    assert "Refined" in user.status
    assert user.content()[box].all() == (button == "missingButton")
    assert not np.array_equal(user.content(), lesion)


@pytest.mark.parametrize("button", ["missingButton", "tooMuchButton"])
def test_without_a_model_strokes_of_one_class_keep_their_label(volume_node, user, button):
    user.choose("bundleSelector", "No model: from your strokes alone")
    user.stroke(FAR, button)
    assert user.content()[FAR].all() == (button == "missingButton")
    if button == "tooMuchButton":
        assert not user.content().any()
