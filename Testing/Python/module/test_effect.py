"""The effect in the Segment Editor, on Slicer's own segment editor logic."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

OTHER = (slice(3, 6), slice(4, 12), slice(6, 14))
AXIAL = ((0, 1), (2, 5))  # shown axes (i, j), and the fixed k
SAGITTAL = ((1, 2), (0, 14))
CORONAL = ((0, 2), (1, 17))


@pytest.fixture
def place(volume_node):
    """A segmentation with the segment tumor and a filled one."""
    import slicer

    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segmentation")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    for segment_id in ("tumor", "other"):
        node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
    mask = np.zeros((10, 28, 32), bool)
    mask[OTHER] = True
    writeMaskToSegment(mask, volume_node, node, "other")
    return volume_node, node, "tumor"


@pytest.fixture
def editor(module, desktop, root, place, tiny_bundle, monkeypatch):
    """The Segment Editor with the effect active."""
    from desktop.python_qt import KEPT

    from DeepIGeoSLib import bundles

    monkeypatch.setattr(bundles, "list_bundles", lambda: [str(tiny_bundle)])
    about = SimpleNamespace(path=str(root / "DeepIGeoS/DeepIGeoS.py"))
    module.DeepIGeoS(about)
    desktop.start()
    (registered,) = desktop.effects
    adaptor = registered.self().clone()
    adaptor.edit(*place)
    KEPT.extend([adaptor, adaptor.self().panel])
    yield adaptor
    adaptor.self().cleanup()


def panel_of(editor):
    return editor.self().panel


def wait(editor):
    from desktop.event_loop import run_until

    bench = panel_of(editor).workbench
    bench.poll()
    run_until(lambda: not bench.busy)
    return panel_of(editor).statusLabel.text


def content(place, segment_id=None):
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    return maskFromSegment(place[0], place[1], segment_id or place[2])


def view_of(place, axes, fixed):
    import slicer
    import vtk
    from desktop.effects import SliceView

    matrix = vtk.vtkMatrix4x4()
    place[0].GetIJKToRASMatrix(matrix)
    return SliceView(slicer.util.arrayFromVTKMatrix(matrix), axes, fixed)


def test_the_effect_is_registered_under_its_name_and_does_not_replace_the_library(editor):
    import DeepIGeoSLib

    assert (editor.name, editor.perSegment, editor.requireSegments) == ("DeepIGeoS", True, True)
    assert sys.modules["DeepIGeoSLib"] is DeepIGeoSLib
    assert "SegmentEditorDeepIGeoSLib" in sys.modules
    assert "Left button" in editor.self().helpText()
    assert not editor.self().icon().isNull()


def test_the_button_segments_in_one_undo_step(editor, place, lesion):
    panel_of(editor).segmentButton.click()
    assert "Segmented" in wait(editor)
    np.testing.assert_array_equal(content(place), lesion)
    editor.logic.Undo()
    assert not content(place).any()
    assert not editor.logic.CanUndo()


def test_objects_become_segments_in_one_undo_step_and_the_surest_is_selected(editor, place, lesion):
    before = content(place, "other")
    panel_of(editor).objectsButton.click()
    assert "Objects found: 1" in wait(editor)
    segmentation = place[1].GetSegmentation()
    assert segmentation.GetNumberOfSegments() == 3
    found = editor.node.GetSelectedSegmentID()
    assert segmentation.GetSegment(found).GetName() == "Object 1"
    np.testing.assert_array_equal(content(place, found), lesion)
    view_of(place, *AXIAL).drag(editor.self(), [(12, 18), (16, 18)])
    wait(editor)
    assert content(place, found)[5, 18, 12:17].all()
    assert not content(place).any()
    editor.logic.Undo()  # the stroke
    editor.logic.Undo()
    assert segmentation.GetNumberOfSegments() == 2
    assert not content(place).any()
    np.testing.assert_array_equal(content(place, "other"), before)
    assert not editor.logic.CanUndo()


def test_where_no_object_is_found_nothing_is_added_and_there_is_nothing_to_undo(editor, place):
    import slicer

    voxels = slicer.util.arrayFromVolume(place[0])
    voxels[voxels == 160] = 100
    slicer.util.arrayFromVolumeModified(place[0])
    panel_of(editor).objectsButton.click()
    assert "No object was found" in wait(editor)
    assert place[1].GetSegmentation().GetNumberOfSegments() == 2
    assert editor.node.GetSelectedSegmentID() == "tumor"
    assert not editor.logic.CanUndo()


@pytest.mark.parametrize("view", [AXIAL, SAGITTAL, CORONAL], ids=["ax", "sag", "cor"])
def test_left_strokes_add_and_right_strokes_remove_in_every_view(editor, place, lesion, view):
    panel_of(editor).segmentButton.click()
    wait(editor)
    editor.setParameter("BrushRadius", 1.0)
    inside, outside = {
        AXIAL: ([(12, 10), (16, 10)], [(12, 18), (16, 18)]),
        SAGITTAL: ([(10, 5), (13, 5)], [(18, 5), (21, 5)]),
        CORONAL: ([(12, 5), (16, 5)], [(12, 7), (16, 7)]),
    }[view]
    shown = view_of(place, *view)
    assert all(shown.drag(editor.self(), outside, "Left"))
    assert editor.actors == []
    assert "Refined" in wait(editor)
    added = content(place) & ~lesion
    assert added.any()
    if view is not CORONAL:  # that view lies beside the lesion
        assert all(shown.drag(editor.self(), inside, "Right"))
        wait(editor)
        assert (lesion & ~content(place)).any()
        np.testing.assert_array_equal(content(place)[added], True)


def test_a_stroke_paints_what_the_mouse_went_over(editor, place):
    editor.setParameter("BrushRadius", 0.5)
    view_of(place, *AXIAL).drag(editor.self(), [(12, 18), (17, 18), (17, 22)])
    seeds = panel_of(editor).workbench.seeds.read(place[0])[0]
    expected = np.zeros_like(seeds)
    expected[5, 18, 12:18] = True
    expected[5, 18:23, 17] = True
    np.testing.assert_array_equal(seeds, expected)


def test_a_stroke_goes_into_the_segment_that_was_selected_last(editor, place, lesion):
    editor.node.SetOverwriteMode(editor.node.OverwriteNone)
    panel_of(editor).segmentButton.click()
    wait(editor)
    other = content(place, "other")
    editor.logic.SetCurrentSegmentID("other")
    view_of(place, *AXIAL).drag(editor.self(), [(20, 18), (24, 18)])
    wait(editor)
    np.testing.assert_array_equal(content(place), lesion)
    grown = content(place, "other")
    assert grown[5, 18, 20:25].all()
    assert grown[other].all()
    editor.logic.SetCurrentSegmentID("tumor")
    view_of(place, *AXIAL).drag(editor.self(), [(12, 18), (16, 18)])
    wait(editor)
    assert content(place)[5, 18, 12:17].all()
    np.testing.assert_array_equal(content(place, "other"), grown)


def test_another_segment_selected_during_a_run_gets_nothing(editor, place):
    before = content(place, "other")
    panel_of(editor).segmentButton.click()
    editor.logic.SetCurrentSegmentID("other")
    wait(editor)
    assert not content(place).any()
    np.testing.assert_array_equal(content(place, "other"), before)


@pytest.mark.parametrize("what", ["segment", "mask", "intensities"])
def test_a_change_that_nobody_told_of_is_noticed_before_the_write(editor, place, what):
    before = content(place, "other")
    panel_of(editor).segmentButton.click()
    editor.node.DisableModifiedEventOn()
    if what == "segment":
        editor.node.SetSelectedSegmentID("other")
    elif what == "mask":
        editor.node.SetMaskMode(place[1].EditAllowedOutsideAllSegments)
    else:
        editor.node.SourceVolumeIntensityMaskOn()
        editor.node.SetSourceVolumeIntensityMaskRange(0, 120)
    assert "changed during the computation; nothing was written" in wait(editor)
    assert not content(place).any()
    np.testing.assert_array_equal(content(place, "other"), before)


@pytest.mark.parametrize("changed", ["tumor", "other"])
def test_segments_edited_during_a_run_are_not_overwritten(editor, place, lesion, changed):
    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    editor.node.SetMaskMode(place[1].EditAllowedOutsideAllSegments)
    panel_of(editor).segmentButton.click()
    writeMaskToSegment(lesion, place[0], place[1], changed)
    told = wait(editor)
    np.testing.assert_array_equal(content(place, changed), lesion)
    if changed == "other":
        assert "changed during the computation; nothing was written" in told
        assert not content(place).any()


def test_after_leaving_the_effect_it_follows_the_editor_no_more(editor, place):
    editor.self().deactivate()
    editor.logic.SetCurrentSegmentID("other")
    assert panel_of(editor).workbench.segmentId == ""
    editor.self().activate()
    assert panel_of(editor).workbench.segmentId == "other"


def test_masks_of_the_editor_are_honored(editor, place, lesion):
    editor.node.SetMaskMode(place[1].EditAllowedOutsideAllSegments)
    panel_of(editor).segmentButton.click()
    wait(editor)
    other = content(place, "other")
    np.testing.assert_array_equal(content(place), lesion & ~other)
    assert (content(place, "other") == other).all()


def test_editable_intensities_are_honored(editor, place, lesion):
    import slicer

    voxels = slicer.util.arrayFromVolume(place[0])
    voxels[5, 8:16, 10:20] += 40
    slicer.util.arrayFromVolumeModified(place[0])
    editor.node.SourceVolumeIntensityMaskOn()
    editor.node.SetSourceVolumeIntensityMaskRange(0, 170)
    panel_of(editor).segmentButton.click()
    wait(editor)
    assert content(place)[4].any()
    assert not content(place)[5].any()


@pytest.mark.parametrize(
    ("mode", "left"), [("OverwriteNone", True), ("OverwriteAllSegments", False)]
)
def test_the_overwrite_mode_is_honored(editor, place, lesion, mode, left):
    editor.node.SetOverwriteMode(getattr(editor.node, mode))
    before = content(place, "other")
    panel_of(editor).segmentButton.click()
    wait(editor)
    overlap = before & lesion
    assert overlap.any()
    assert content(place, "other")[overlap].all() == left
    assert content(place, "other")[before & ~lesion].all()


def test_the_seeds_follow_the_editors_undo_and_redo(editor, place, lesion):
    panel_of(editor).segmentButton.click()
    wait(editor)
    view = view_of(place, *AXIAL)
    view.drag(editor.self(), [(12, 18), (16, 18)])
    wait(editor)
    refined = content(place)
    bench = panel_of(editor).workbench
    editor.logic.Undo()
    wait(editor)
    np.testing.assert_array_equal(content(place), lesion)
    assert not bench.seeds.read(place[0])[0].any()
    editor.logic.Redo()
    wait(editor)
    np.testing.assert_array_equal(content(place), refined)
    assert bench.seeds.read(place[0])[0].any()


def test_other_views_and_modifier_keys_stay_the_editors(editor, place):
    import vtk

    view = view_of(place, *AXIAL)
    view.interactor.SetShiftKey(1)
    assert not any(view.drag(editor.self(), [(12, 18), (16, 18)]))
    threed = SimpleNamespace(className=lambda: "qMRMLThreeDWidget")
    event = vtk.vtkCommand.LeftButtonPressEvent
    assert not editor.self().processInteractionEvents(view.interactor, event, threed)


def test_a_segmentation_of_another_geometry_is_told_and_unchanged(editor, place):
    import slicer

    voxels = np.random.default_rng(0).normal(9, 1, (9, 30, 30))
    voxels[3:6, 9:16, 9:16] = 30
    finer = slicer.util.addVolumeFromArray(voxels)
    editor.setSourceVolumeNode(finer)
    panel_of(editor).segmentButton.click()
    assert "Specify geometry" in wait(editor)
    assert not content(place).any()


def test_leaving_the_effect_during_a_run_writes_nothing(editor, place):
    panel_of(editor).segmentButton.click()
    editor.self().deactivate()
    panel_of(editor)._worker.submit(int).result()
    panel_of(editor).workbench.poll()
    assert not content(place).any()


def test_without_torch_the_options_open_and_say_what_to_do(editor, place, monkeypatch):
    from DeepIGeoSPanel import first_use

    monkeypatch.setattr(first_use, "missingPackages", lambda: ["torch"])
    panel_of(editor).segmentButton.click()
    assert "Not installed: torch" in panel_of(editor).statusLabel.text
    assert not content(place).any()


def test_the_advice_speaks_of_what_the_effect_has(editor, place):
    from DeepIGeoSLib.scene.lesions import setCompleted

    panel = panel_of(editor)
    told = [panel.statusLabel.text]
    panel.segmentButton.click()
    wait(editor)
    for bundle in (panel.logic.bundle, "geodesic"):
        for auto in (0, 1):
            panel.workbench.useModel(bundle)
            editor.setParameter("AutoRefine", auto)
            panel.refresh()
            told.append(panel.statusLabel.text)
    editor.logic.SetCurrentSegmentID("other")
    setCompleted(place[1], "other", True)
    panel.refresh()
    told.append(panel.statusLabel.text)
    assert "left button" in told[0]
    assert "status in the list of segments" in told[-1]
    for text in told:
        assert not any(word in text for word in ("Missing", "Too much", "Next lesion", "Reopen"))
