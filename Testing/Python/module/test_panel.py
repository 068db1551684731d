"""A user's way through the panel: real widgets are clicked, strokes painted, results awaited."""

from __future__ import annotations

import sys

import numpy as np
import pytest

STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))
OFF = (slice(5, 6), slice(9, 11), slice(12, 17))
FAR = (slice(2, 3), slice(20, 22), slice(22, 27))
IDENTITY = np.diag([1, 1, 3, 1.0])
SAGITTAL = np.array([[0, 0, 1.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
CORONAL = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])


def test_in_an_empty_scene_the_panel_asks_for_an_image(user):
    assert "Load an image" in user.status
    for name in ("segmentButton", "missingButton", "refineButton", "undoButton", "cancelButton"):
        assert not getattr(user.ui, name).isEnabled()


def test_the_only_image_is_chosen_and_labelmaps_are_not(volume_node, user):
    import slicer

    parameters = user.widget.logic.getParameterNode()
    assert parameters.sourceVolume is volume_node
    slicer.mrmlScene.RemoveNode(volume_node)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    user.widget.initializeParameterNode()
    assert parameters.sourceVolume is None
    assert user.ui.sourceVolumeSelector.count == 1


def test_one_click_segments_into_a_new_segment(volume_node, user, lesion):
    user.click("segmentButton")
    np.testing.assert_array_equal(user.content(), lesion)
    assert user.ui.targetSelector.currentText == "Lesion"
    assert "Segmented" in user.status
    assert user.ui.roundsTable.rowCount == 1
    assert user.ui.roundsTable.item(0, 1).text() == f"{lesion.sum() * 3 / 1000:.2f}"


def test_objects_become_segments_that_strokes_refine(volume_node, user, lesion):
    user.click("objectsButton")
    assert user.ui.targetSelector.currentText == "Object 1"
    assert "Objects found: 1" in user.status
    np.testing.assert_array_equal(user.content(), lesion)
    user.stroke(STROKE)
    assert user.content()[STROKE].all()
    user.click("objectsButton")
    assert user.ui.targetSelector.currentText == "Object 2"


def test_where_no_object_is_found_nothing_is_added(volume_node, user):
    import slicer

    voxels = slicer.util.arrayFromVolume(volume_node)
    voxels[voxels == 160] = 100
    slicer.util.arrayFromVolumeModified(volume_node)
    user.click("objectsButton")
    assert "No object was found" in user.status
    assert user.panel.workbench.segmentationNode.GetSegmentation().GetNumberOfSegments() == 0


@pytest.mark.parametrize("matrix", [IDENTITY, SAGITTAL, CORONAL], ids=["ax", "sag", "cor"])
def test_segment_stroke_undo_redo_in_volumes_of_every_orientation(user, lesion, matrix, head):
    import slicer

    node = slicer.util.addVolumeFromArray(head, ijkToRAS=matrix, name="turned")
    user.ui.sourceVolumeSelector.setCurrentNode(node)
    user.click("segmentButton")
    user.stroke(STROKE)
    refined = user.content()
    assert refined[STROKE].all()
    assert "Refined" in user.status
    user.click("undoButton")
    np.testing.assert_array_equal(user.content(), lesion)
    user.click("redoButton")
    np.testing.assert_array_equal(user.content(), refined)
    assert not user.ui.redoButton.isEnabled()


def test_undo_and_redo_go_through_all_steps_and_a_new_stroke_ends_redo(volume_node, user):
    def state():
        seeds = user.panel.workbench.seeds
        masks = [user.content(), *(seeds.read(volume_node) if seeds else ())]
        return [mask.sum() for mask in masks], b"".join(mask.tobytes() for mask in masks)

    user.click("segmentButton")
    user.click("missingButton")
    states = [state()]
    strokes = ((STROKE, "missingButton"), (OFF, "tooMuchButton"), (FAR, "missingButton"))
    for box, button in strokes:
        user.stroke(box, button)
        states.append(state())
    assert len({shown for _, shown in states}) == 4
    for expected in states[-2::-1]:
        user.click("undoButton")
        assert state() == expected
    for expected in states[1:]:
        user.click("redoButton")
        assert state() == expected
    for _ in range(2):
        user.click("undoButton")
    assert user.ui.roundsTable.rowCount == 2
    user.stroke(OFF, "tooMuchButton")
    assert not user.ui.redoButton.isEnabled()
    assert user.ui.roundsTable.rowCount == 3


@pytest.mark.parametrize(
    "stroke",
    [
        (slice(5, 6), slice(17, 19), slice(12, 17)),
        (slice(3, 8), slice(18, 19), slice(12, 17)),
        (slice(3, 8), slice(16, 20), slice(14, 15)),
    ],
    ids=["axial", "coronal", "sagittal"],
)
def test_strokes_in_all_three_views_are_answered(volume_node, user, stroke):
    user.click("segmentButton")
    user.stroke(stroke)
    assert user.content()[stroke].all()


def test_too_much_removes_and_the_brush_stays(volume_node, user):
    user.click("segmentButton")
    user.stroke(OFF, "tooMuchButton")
    assert not user.content()[OFF].any()
    assert user.ui.seedEditor.activeEffect() == "Paint"
    assert user.ui.tooMuchButton.isChecked()
    assert not user.ui.missingButton.isChecked()


def test_the_editor_offers_paint_draw_and_erase_only(user):
    shown = [n for n, b in user.ui.seedEditor._buttons.items() if not b.isHidden()]
    assert shown == ["Paint", "Draw", "Erase"]
    node = user.ui.seedEditor.mrmlSegmentEditorNode()
    assert node.GetOverwriteMode() == node.OverwriteNone
    assert node.GetSingletonTag() == "DeepIGeoS.SeedEditor"


def test_without_auto_refine_strokes_wait_for_the_button(volume_node, user, lesion):
    user.ui.autoRefineCheckBox.setChecked(False)
    user.click("segmentButton")
    user.stroke(STROKE)
    np.testing.assert_array_equal(user.content(), lesion)
    user.click("refineButton")
    assert user.content()[STROKE].all()


def test_refining_without_strokes_says_so_and_changes_nothing(volume_node, user, lesion):
    user.ui.autoRefineCheckBox.setChecked(False)
    user.click("segmentButton")
    user.click("missingButton")
    user.click("refineButton")
    assert "No seeds are painted yet" in user.status
    np.testing.assert_array_equal(user.content(), lesion)


def test_accept_locks_reopen_unlocks(volume_node, user, lesion):
    user.click("segmentButton")
    user.click("missingButton")
    user.click("acceptButton")
    assert user.ui.acceptButton.text == "Reopen"
    assert not user.ui.segmentButton.isEnabled()
    assert not user.ui.missingButton.isEnabled()
    assert not user.ui.seedEditor.activeEffect()
    user.click("acceptButton")
    assert user.ui.segmentButton.isEnabled()
    np.testing.assert_array_equal(user.content(), lesion)


def test_the_next_lesion_begins_with_missing_again(volume_node, user, lesion):
    user.click("segmentButton")
    user.stroke(OFF, "tooMuchButton")
    first = user.panel.workbench.segmentId
    before = user.content()
    user.click("nextLesionButton")
    assert user.ui.targetSelector.currentText == "Lesion 2"
    assert user.ui.missingButton.isChecked()
    other = (slice(2, 3), slice(20, 22), slice(22, 27))
    user.stroke(other)
    assert user.content()[other].all()
    np.testing.assert_array_equal(user.content(first), before)


def test_cancel_stops_and_changes_nothing(volume_node, user, hold):
    user.click("segmentButton", wait=False)
    assert user.ui.cancelButton.isEnabled()
    user.click("cancelButton", wait=False)
    hold.set()
    user.wait()
    assert "Cancelled" in user.status
    assert not user.content().any()
    assert not user.ui.cancelButton.isEnabled()


def test_a_stroke_during_a_refinement_replaces_it(volume_node, user, hold):
    second = (slice(6, 7), slice(20, 21), slice(20, 24))
    user.stroke(STROKE, wait=False)
    user.panel.workbench.poll()
    user.stroke(second, wait=False)
    hold.set()
    user.wait()
    assert user.content()[STROKE].all()
    assert user.content()[second].all()
    assert user.ui.roundsTable.rowCount == 1


def test_a_worker_that_dies_is_told_and_the_next_stroke_is_answered(
    volume_node, user, lesion, monkeypatch
):
    def die(*_, **__):
        raise SystemExit

    user.click("segmentButton")
    with monkeypatch.context() as dying:
        dying.setattr("DeepIGeoSLib.scene.segment_session.SegmentSession.refine", die)
        user.stroke(STROKE)
    assert "ended unexpectedly" in user.status
    np.testing.assert_array_equal(user.content(), lesion)
    user.click("refineButton")
    assert user.content()[STROKE].all()
    assert user.ui.roundsTable.rowCount == 2


def test_a_scene_closed_during_a_run_leaves_the_panel_ready(volume_node, user, hold, head):
    import slicer

    user.click("segmentButton", wait=False)
    slicer.mrmlScene.Clear(0)
    hold.set()
    user.wait()
    assert "Load an image" in user.status
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    node = slicer.util.addVolumeFromArray(head, name="next")
    user.ui.sourceVolumeSelector.setCurrentNode(node)
    user.click("segmentButton")
    assert user.content().any()


def test_another_volume_during_a_run_gets_nothing_of_the_old_one(volume_node, user, hold, head):
    import slicer

    other = slicer.util.addVolumeFromArray(head, ijkToRAS=IDENTITY, name="t1")
    user.click("segmentButton", wait=False)
    user.ui.sourceVolumeSelector.setCurrentNode(other)
    hold.set()
    user.wait()
    assert not user.content().any()


def test_a_volume_deleted_during_a_run_is_noticed(volume_node, user, hold):
    import slicer

    user.click("segmentButton", wait=False)
    slicer.mrmlScene.RemoveNode(volume_node)
    hold.set()
    user.wait()
    assert "Load an image" in user.status


def test_a_target_deleted_during_a_run_is_forgotten(volume_node, user, hold):
    user.click("segmentButton", wait=False)
    bench = user.panel.workbench
    bench.segmentationNode.GetSegmentation().RemoveSegment(bench.segmentId)
    hold.set()
    user.wait()
    assert user.ui.targetSelector.currentText == "New segment"
    user.click("segmentButton")
    assert user.content().any()


@pytest.fixture
def loaded_packages():
    """Reloading forgets the library; the tests' own imports of it must stay the same."""
    before = dict(sys.modules)
    yield
    sys.modules.update(before)


@pytest.mark.usefixtures("loaded_packages")
def test_a_reload_during_a_run_is_safe(volume_node, widget, hold, desktop):
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    worker = widget.panel._worker
    widget.ui.segmentButton.click()
    bench = widget.panel.workbench
    place = (bench.volumeNode, bench.segmentationNode, bench.segmentId)
    widget.onReload()
    hold.set()
    worker.shutdown(wait=True)
    assert not maskFromSegment(*place).any()


@pytest.mark.usefixtures("loaded_packages")
def test_after_a_reload_the_panel_works_and_library_and_panel_are_new(
    volume_node, user, desktop, lesion
):
    from desktop.user import User

    before = sys.modules["DeepIGeoSLib"], sys.modules["DeepIGeoSPanel"]
    user.widget.onReload()
    after = sys.modules["DeepIGeoSLib"], sys.modules["DeepIGeoSPanel"]
    assert not set(before) & set(after)
    reloaded = User(desktop.widgets["DeepIGeoS"])
    assert reloaded.widget is not user.widget
    reloaded.choose("bundleSelector", "No model: from your strokes alone")
    reloaded.stroke(STROKE, wait=False)
    reloaded.stroke(OFF, "tooMuchButton")
    assert reloaded.content()[STROKE].all()


def test_a_module_that_is_not_open_installs_no_keys(module, desktop, tiny_bundle, monkeypatch):
    from PySide6 import QtWidgets

    from DeepIGeoSLib import bundles

    monkeypatch.setattr(bundles, "list_bundles", lambda: [str(tiny_bundle)])
    desktop.mainWindow = QtWidgets.QWidget()
    widget = module.DeepIGeoSWidget()
    assert not widget.panel.shortcuts._installed
    widget.cleanup()


def test_another_model_takes_the_sentence_about_the_old_one_away(volume_node, user):
    user.click("segmentButton")
    assert "Segmented" in user.status
    user.choose("bundleSelector", "No model: from your strokes alone")
    assert "Segmented" not in user.status
    assert "Paint what is missing" in user.status


def test_opening_the_panel_logs_nothing(user, caplog):
    assert [record.getMessage() for record in caplog.get_records("setup")] == []


def test_an_open_list_of_targets_keeps_its_row_while_something_is_computed(volume_node, user, hold):
    hold.set()
    user.click("segmentButton")
    user.click("nextLesionButton")
    model = user.ui.targetSelector.model()
    removed = []
    model.rowsAboutToBeRemoved.connect(lambda *_: removed.append(1))
    user.choose("targetSelector", "Lesion")
    user.click("acceptButton")
    user.stroke(STROKE)
    assert "Refined" in user.status
    assert removed == []


def test_the_segments_table_of_the_editor_is_hidden(user):
    import slicer

    table = slicer.util.findChild(user.ui.seedEditor, "SegmentsTableView")
    assert table.parent().isHidden()


def test_the_user_chooses_segments_by_name_and_renames_show(volume_node, user):
    user.click("segmentButton")
    segmentation = user.panel.workbench.segmentationNode.GetSegmentation()
    segmentation.AddEmptySegment("second", "Second lesion")
    user.choose("targetSelector", "Second lesion")
    assert user.panel.workbench.segmentId == "second"
    segmentation.GetSegment("second").SetName("Renamed")
    assert user.ui.targetSelector.currentText == "Renamed"


def test_other_segments_are_background_if_the_user_wishes(volume_node, user, lesion):
    user.click("segmentButton")
    user.click("nextLesionButton")
    user.choose("otherSegmentsSelector", "are background")
    user.click("segmentButton")
    assert not user.content().any()
    user.stroke((slice(5, 6), slice(10, 12), slice(5, 15)))
    assert not (user.content() & lesion).any()
    assert user.content().any()


def test_no_model_works_from_strokes_alone(volume_node, user, module, monkeypatch, lesion):
    from DeepIGeoSPanel import first_use

    monkeypatch.setattr(first_use, "missingPackages", lambda: ["torch", "safetensors"])
    user.choose("bundleSelector", "No model: from your strokes alone")
    assert not user.ui.segmentButton.isEnabled()
    assert not user.ui.objectsButton.isEnabled()
    assert "without PyTorch" in user.ui.bundleInfoLabel.text
    user.ui.autoRefineCheckBox.setChecked(False)
    user.stroke(OFF)
    for j in (4, 20):
        user.stroke((slice(4, 7), slice(j, j + 2), slice(4, 27)), "tooMuchButton")
    user.click("refineButton")
    both = (user.content() & lesion).sum()
    assert 2 * both / (user.content().sum() + lesion.sum()) > 0.75


def test_the_model_is_described(user):
    text = user.ui.bundleInfoLabel.text
    assert "bright things" in text
    assert "Apache-2.0" in text
    assert "MB" in text


def test_a_model_of_the_users_stays_in_the_list(module, user, desktop, tmp_path, tiny_bundle):
    import shutil

    own = tmp_path / "own"
    shutil.copytree(tiny_bundle, own)
    user.panel.models.add(str(own))
    assert user.widget.logic.bundle == str(own)
    texts = [user.ui.bundleSelector.itemData(n) for n in range(user.ui.bundleSelector.count)]
    assert str(own) in texts
    shutil.rmtree(own)
    user.panel.models.refresh()
    texts = [user.ui.bundleSelector.itemData(n) for n in range(user.ui.bundleSelector.count)]
    assert str(own) not in texts


@pytest.mark.parametrize("problem", ["constant", "no voxels", "transform"])
def test_bad_input_is_told_in_the_status_line(volume_node, user, problem):
    import slicer

    if problem == "constant":
        slicer.util.arrayFromVolume(volume_node)[:] = 3
        slicer.util.arrayFromVolumeModified(volume_node)
    elif problem == "no voxels":
        volume_node.SetAndObserveImageData(None)
    else:
        user.click("segmentButton")
        before = user.content()
        moved = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        moved.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.diag([1, 1, 2, 1.0])))
        volume_node.SetAndObserveTransformNodeID(moved.GetID())
    user.click("segmentButton")
    words = {"constant": "constant", "no voxels": "no voxels", "transform": "same one"}
    assert words[problem] in user.status
    assert "'flair'" in user.status
    if problem == "transform":
        volume_node.SetAndObserveTransformNodeID(None)
        np.testing.assert_array_equal(user.content(), before)


def test_the_frame_of_a_sequence_is_named(volume_node, user):
    import slicer

    sequence = slicer.mrmlScene.AddNode(slicer.vtkMRMLSequenceNode())
    sequence.SetName("perfusion")
    for moment in range(3):
        sequence.SetDataNodeAtValue(volume_node, str(moment))
    browser = slicer.mrmlScene.AddNode(slicer.vtkMRMLSequenceBrowserNode())
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.AddProxyNode(volume_node, sequence, False)
    browser.SetSelectedItemNumber(1)
    user.click("segmentButton")
    assert "Frame 2 of 3 of perfusion" in user.status
