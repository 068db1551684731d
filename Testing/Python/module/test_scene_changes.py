"""The scene is saved, loaded and changed while the panel is open."""

from __future__ import annotations

import numpy as np
import pytest

STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))
ACROSS = (slice(5, 6), slice(17, 21), slice(14, 16))


def save(folder):
    """Save the scene as a .mrml file with its nodes beside it; return its path."""
    import slicer

    for kind in ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode"):
        for node in slicer.util.getNodesByClass(kind):
            suffix = "nrrd" if kind == "vtkMRMLScalarVolumeNode" else "seg.nrrd"
            assert slicer.util.saveNode(node, str(folder / f"{node.GetID()}.{suffix}"))
    path = str(folder / "scene.mrml")
    slicer.mrmlScene.SetRootDirectory(str(folder))
    slicer.mrmlScene.SetURL(path)
    assert slicer.mrmlScene.Commit(path)
    return path


def load(path, how):
    """Load a scene in place of the one there is, or into an empty one."""
    import slicer

    slicer.mrmlScene.SetURL(path)
    if how == "in place":
        assert slicer.mrmlScene.Connect()
    else:
        slicer.mrmlScene.Clear(0)
        slicer.mrmlScene.SetURL(path)
        assert slicer.mrmlScene.Import()


@pytest.mark.parametrize("how", ["in place", "after closing"])
@pytest.mark.parametrize("entered", [True, False], ids=["open", "left"])
def test_a_loaded_scene_has_its_target_and_can_be_refined(
    volume_node, user, tmp_path, how, entered
):
    user.click("segmentButton")
    user.stroke(STROKE)
    user.click("nextLesionButton")
    user.choose("targetSelector", "Lesion")
    user.click("acceptButton")
    name = user.ui.targetSelector.currentText
    before = user.content()
    path = save(tmp_path)
    user.choose("targetSelector", "Lesion 2")
    if not entered:
        user.widget.exit()
        user.widget.parent.isEntered = False
    load(path, how)
    if not entered:
        user.widget.enter()
    user.wait()
    bench = user.panel.workbench
    assert user.ui.targetSelector.currentText == name
    assert user.widget.logic.getParameterNode().targetSegmentID == bench.segmentId
    np.testing.assert_array_equal(user.content(), before)
    assert user.ui.segmentationSelector.currentNode() != bench.seeds.segmentationNode


def test_overlapping_strokes_are_settled_saved_and_refined_after_loading(
    volume_node, user, tmp_path
):
    user.click("segmentButton")
    user.stroke(STROKE)
    user.stroke(ACROSS, "tooMuchButton")
    assert not user.content()[ACROSS].any()
    foreground, background = user.panel.workbench.seeds.read(volume_node)
    assert background[ACROSS].all()
    assert not (foreground & background).any()
    load(save(tmp_path), "after closing")
    user.wait()
    user.stroke((slice(6, 7), slice(17, 19), slice(12, 17)))
    assert "Refined" in user.status
    assert user.content()[6, 17:19, 12:17].all()
    assert not user.content()[ACROSS].any()


def test_strokes_that_were_saved_overlapping_are_settled_by_what_they_made(
    volume_node, user, tmp_path
):
    user.click("segmentButton")
    user.stroke(STROKE)
    user.stroke(ACROSS, "tooMuchButton")
    bench = user.panel.workbench
    foreground, background = bench.seeds.read(volume_node)
    foreground[STROKE] = True
    with bench.strokes.own():
        bench.seeds.write(volume_node, foreground, background)
    load(save(tmp_path), "after closing")
    user.wait()
    user.click("refineButton")
    assert "Refined" in user.status
    foreground, background = bench.seeds.read(bench.volumeNode)
    assert background[ACROSS].all()
    assert not (foreground & background).any()
    assert not user.content()[ACROSS].any()


@pytest.mark.parametrize("answered", [True, False])
def test_the_later_of_two_quick_strokes_wins(volume_node, user, hold, answered):
    hold.set()
    user.click("segmentButton")
    user.ui.autoRefineCheckBox.setChecked(answered)
    user.stroke(ACROSS, "tooMuchButton", wait=False)
    user.panel.workbench.poll()
    user.stroke(STROKE)
    if not answered:
        user.click("refineButton")
    assert "Refined" in user.status
    assert user.content()[STROKE].all()
    user.click("undoButton")
    user.click("redoButton")
    foreground, background = user.panel.workbench.seeds.read(volume_node)
    assert foreground[STROKE].all()
    assert not (foreground & background).any()


def test_a_deleted_segmentation_is_not_replaced_by_its_seeds(volume_node, user):
    import slicer

    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "other")
    user.click("segmentButton")
    user.stroke(STROKE)
    bench = user.panel.workbench
    seeds = bench.seeds.segmentationNode
    offered = [user.ui.segmentationSelector.itemData(n) for n in range(3)]
    assert seeds.GetID() not in offered
    slicer.mrmlScene.RemoveNode(bench.segmentationNode)
    user.wait()
    assert user.ui.segmentationSelector.currentNode() is other
    assert bench.segmentationNode is other
    slicer.mrmlScene.RemoveNode(other)
    user.wait()
    assert user.ui.segmentationSelector.currentNode() is None
    assert bench.segmentationNode is None
    user.click("segmentButton")
    assert user.content().any()
    assert bench.segmentationNode is not seeds


def test_seeds_chosen_by_a_script_are_no_target(volume_node, user):
    user.click("segmentButton")
    user.click("missingButton")
    bench = user.panel.workbench
    user.widget.logic.getParameterNode().segmentation = bench.seeds.segmentationNode
    assert bench.segmentationNode is None
