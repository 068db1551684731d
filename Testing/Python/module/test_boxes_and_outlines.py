"""Boxes, points and outlines in the panel."""

from __future__ import annotations

import numpy as np
import pytest

NO_MODEL = "No model: from your strokes alone"
AROUND = (slice(3, 8), slice(6, 18), slice(8, 22))  # the lesion, and some of what is around it


@pytest.fixture
def without_model(volume_node, user):
    user.choose("bundleSelector", NO_MODEL)
    return user


def boxes():
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLMarkupsROINode")


def put(node, volume_node, box):
    from DeepIGeoSLib.scene.places import showBox

    showBox(node, volume_node, box)


def points(volume_node, *places):
    """Place points as the Markups module does."""
    import slicer

    from DeepIGeoSLib.scene.places import worldPosition

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "F")
    node.CreateDefaultDisplayNodes()
    for place in places:
        node.AddControlPointWorld(worldPosition(volume_node, place))
    return node


def test_the_box_button_shows_a_box_and_then_looks_into_it(without_model, volume_node, lesion):
    user = without_model
    user.click("boxButton")
    assert user.status == "Move the box around your target by its handles, then press Box again."
    (box,) = boxes()
    put(box, volume_node, AROUND)
    user.click("boxButton")
    assert user.status.startswith("The box is answered.")
    found = user.content()
    assert 2 * (found & lesion).sum() / (found.sum() + lesion.sum()) > 0.8
    outside = found.copy()
    outside[AROUND] = False
    assert not outside.any()
    assert boxes() == [box]
    user.click("undoButton")
    assert not user.content().any()
    assert boxes() == [box]
    user.click("redoButton")
    np.testing.assert_array_equal(user.content(), found)


def test_a_box_of_the_user_counts_and_the_region_of_influence_does_not(without_model, volume_node):
    import slicer

    user = without_model
    user.ui.pinRegionCheckBox.click()
    user.ui.pinRegionCheckBox.click()
    user.click("boxButton")
    assert len(boxes()) == 2
    slicer.mrmlScene.RemoveNode(boxes()[1])
    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Mine")
    mine.CreateDefaultDisplayNodes()
    put(mine, volume_node, AROUND)
    user.click("boxButton")
    assert user.content()[5, 12, 15]
    assert mine.GetName() == "Mine"


def test_a_box_beside_the_volume_is_told(without_model, volume_node):
    user = without_model
    user.click("boxButton")
    put(boxes()[0], volume_node, (slice(80, 90), slice(0, 9), slice(0, 9)))
    user.click("boxButton")
    assert "does not touch the volume" in user.status


def test_with_a_model_only_what_it_proposes_in_the_box_is_taken(volume_node, user, lesion):
    user.click("boxButton")
    part = (slice(5, 7), slice(6, 18), slice(8, 22))
    put(boxes()[0], volume_node, part)
    user.click("boxButton")
    found = user.content()
    assert found[5, 12, 15]
    found[part] = False
    assert not found.any()


def test_points_are_clicks_of_the_class_that_is_pressed(without_model, volume_node):
    user = without_model
    user.click("pointsButton")
    assert user.status.startswith("No points are to be seen")
    points(volume_node, (5, 12, 15))
    user.click("pointsButton")
    assert user.content()[5, 12, 15]
    beside = points(volume_node, (5, 20, 15))
    user.click("tooMuchButton")
    user.click("pointsButton")
    assert not user.content()[5, 20, 15]
    seeds = user.panel.workbench.seeds.read(volume_node)
    assert seeds[1][5, 20, 15]
    assert beside.GetNumberOfControlPoints() == 1
    points(volume_node, (50, 0, 0))
    user.click("pointsButton")
    assert "lies beside the volume" in user.status


def ring():
    """The outline of the lesion's rectangle, one voxel wide, in one slice."""
    mask = np.zeros((10, 28, 32), bool)
    mask[5, 8:16, 10:20] = True
    mask[5, 9:15, 11:19] = False
    return mask


def draw_ring(user):
    for part in ((8, 9, 10, 20), (15, 16, 10, 20), (8, 16, 10, 11), (8, 16, 19, 20)):
        j, j_end, i, i_end = part
        user.stroke((slice(5, 6), slice(j, j_end), slice(i, i_end)), wait=False)
    user.click("refineButton")


def test_a_closed_stroke_counts_as_its_area_and_undo_takes_it_back(without_model, volume_node):
    user = without_model
    user.ui.autoRefineCheckBox.click()
    draw_ring(user)
    area = (5, slice(8, 16), slice(10, 20))
    assert user.content()[area].all()
    foreground, _ = user.panel.workbench.seeds.read(volume_node)
    assert foreground[area].all()
    assert foreground.sum() == 80
    user.stroke((slice(5, 6), slice(11, 13), slice(14, 16)), "tooMuchButton")
    user.click("refineButton")
    assert not user.content()[5, 11:13, 14:16].any()
    user.click("undoButton")
    user.click("undoButton")
    foreground, _ = user.panel.workbench.seeds.read(volume_node)
    assert not foreground.any()


def test_the_option_leaves_closed_strokes_as_they_are(without_model, volume_node):
    user = without_model
    user.ui.autoRefineCheckBox.click()
    user.ui.outlinesCheckBox.click()
    draw_ring(user)
    foreground, _ = user.panel.workbench.seeds.read(volume_node)
    np.testing.assert_array_equal(foreground, ring())
