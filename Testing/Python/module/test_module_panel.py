"""A user's way through the panel, on a real scene."""

from __future__ import annotations

import sys

import numpy as np
import pytest

SHAPE = (10, 28, 32)
LESION = (slice(4, 7), slice(8, 16), slice(10, 20))
STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))


@pytest.fixture
def panel(module, tiny_bundle, monkeypatch):
    """The opened panel, with the tiny model."""
    from DeepIGeoSLib import bundles

    monkeypatch.setattr(bundles, "list_bundles", lambda: [str(tiny_bundle)])
    panel = module.DeepIGeoSWidget()
    panel.setup()
    yield panel
    panel.cleanup()


@pytest.fixture
def volume_node(module):
    """A head with a bright lesion, in the scene before the panel is opened."""
    import slicer

    voxels = np.zeros(SHAPE, np.int16)
    head = (slice(1, 9), slice(2, 26), slice(2, 30))
    voxels[head] = np.random.default_rng(7).normal(100, 4, SHAPE)[head]
    voxels[LESION] = 160
    return slicer.util.addVolumeFromArray(voxels, ijkToRAS=np.diag([1, 1, 3, 1.0]), name="flair")


@pytest.fixture
def lesion():
    mask = np.zeros(SHAPE, bool)
    mask[LESION] = True
    return mask


@pytest.fixture
def segment_editor(monkeypatch):
    """Stands in for the Segment Editor module; remembers what it was asked for."""
    from types import SimpleNamespace
    from unittest.mock import MagicMock

    import slicer

    editor = MagicMock()
    editor.mrmlSegmentEditorNode.return_value = slicer.vtkMRMLSegmentEditorNode()
    module = SimpleNamespace(
        widgetRepresentation=lambda: SimpleNamespace(self=lambda: SimpleNamespace(editor=editor))
    )
    monkeypatch.setattr(slicer.modules, "segmenteditor", module, raising=False)
    monkeypatch.setattr(slicer.util, "selectModule", editor.selectModule)
    return editor


def content(panel, segment_id=None):
    """What the target, or another segment, holds."""
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    parameters = panel.logic.getParameterNode()
    return maskFromSegment(
        parameters.sourceVolume, parameters.segmentation, segment_id or parameters.targetSegmentID
    )


def paint(panel, segment_id, box):
    """Fill a box of a segment."""
    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    parameters = panel.logic.getParameterNode()
    mask = np.zeros(SHAPE, bool)
    mask[box] = True
    writeMaskToSegment(mask, parameters.sourceVolume, parameters.segmentation, segment_id)


def test_in_an_empty_scene_the_panel_asks_for_an_image(panel):
    assert "Load an image" in panel.ui.statusLabel.text
    for name in ("segmentButton", "paintButton", "refineButton", "undoButton", "redoButton"):
        assert not getattr(panel.ui, name).enabled


def test_the_only_image_is_chosen_and_labelmaps_are_not(module, volume_node, panel):
    import slicer

    assert panel.logic.getParameterNode().sourceVolume is volume_node
    slicer.mrmlScene.RemoveNode(volume_node)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    panel.initializeParameterNode()
    assert panel.logic.getParameterNode().sourceVolume is None


def test_one_click_segments_into_a_new_segment(volume_node, panel, lesion):
    panel.ui.segmentButton.click()
    np.testing.assert_array_equal(content(panel), lesion)
    assert panel.ui.targetSelector.currentText == "Lesion"
    assert "Paint seeds" in panel.ui.statusLabel.text
    assert "100%" in panel.ui.statusLabel.painted


def test_painting_opens_the_segment_editor_on_the_seeds(volume_node, panel, segment_editor):
    panel.ui.paintButton.click()
    parameters = panel.logic.getParameterNode()
    segment_editor.selectModule.assert_called_once_with("SegmentEditor")
    segment_editor.setSegmentationNode.assert_called_once_with(parameters.segmentation)
    segment_editor.setSourceVolumeNode.assert_called_once_with(volume_node)
    segment_editor.setCurrentSegmentID.assert_called_once_with(parameters.foregroundSegmentID)
    segment_editor.setActiveEffectByName.assert_called_once_with("Paint")
    node = segment_editor.mrmlSegmentEditorNode()
    assert node.GetOverwriteMode() == node.OverwriteNone
    names = [item[0] for item in panel.ui.foregroundSelector.items]
    assert names == ["None", "Lesion", "Foreground seeds", "Background seeds"]


def test_the_whole_way_segment_paint_refine_undo_redo(volume_node, panel, segment_editor, lesion):
    panel.ui.segmentButton.click()
    panel.ui.paintButton.click()
    paint(panel, panel.logic.getParameterNode().foregroundSegmentID, STROKE)
    panel.ui.refineButton.click()
    refined = content(panel)
    assert refined[STROKE].all()
    assert "Refined" in panel.ui.statusLabel.text

    panel.ui.undoButton.click()
    np.testing.assert_array_equal(content(panel), lesion)
    assert not panel.ui.undoButton.enabled
    panel.ui.redoButton.click()
    np.testing.assert_array_equal(content(panel), refined)
    assert not panel.ui.redoButton.enabled


def test_refining_without_strokes_says_so_and_changes_nothing(
    volume_node, panel, segment_editor, lesion
):
    panel.ui.segmentButton.click()
    panel.ui.paintButton.click()
    panel.ui.refineButton.click()
    assert "No seeds are painted yet" in panel.ui.statusLabel.text
    np.testing.assert_array_equal(content(panel), lesion)


def test_bad_input_is_told_in_the_status_line(volume_node, panel):
    import slicer

    slicer.util.arrayFromVolume(volume_node)[:] = 3
    slicer.util.arrayFromVolumeModified(volume_node)
    panel.ui.segmentButton.click()
    assert "'flair'" in panel.ui.statusLabel.text
    assert "constant" in panel.ui.statusLabel.text


def test_the_user_chooses_segments_by_name(volume_node, panel):
    panel.ui.segmentButton.click()
    segmentation = panel.logic.getParameterNode().segmentation.GetSegmentation()
    segmentation.AddEmptySegment("second", "Second lesion")
    panel.ui.targetSelector.choose("Second lesion")
    assert panel.logic.getParameterNode().targetSegmentID == "second"
    assert panel.ui.targetSelector.currentText == "Second lesion"


def test_a_deleted_target_is_no_longer_chosen(volume_node, panel):
    panel.ui.segmentButton.click()
    parameters = panel.logic.getParameterNode()
    parameters.segmentation.GetSegmentation().RemoveSegment(parameters.targetSegmentID)
    assert parameters.targetSegmentID == ""
    assert panel.ui.targetSelector.currentText == "None"
    panel.ui.segmentButton.click()
    assert content(panel).any()


def test_a_closed_scene_leaves_the_panel_ready_for_the_next(volume_node, panel):
    import slicer

    panel.ui.segmentButton.click()
    slicer.mrmlScene.Clear(0)
    assert "Load an image" in panel.ui.statusLabel.text


def test_the_panel_opens_without_torch_and_says_how_to_get_it(
    module, volume_node, panel, monkeypatch
):
    monkeypatch.setattr(module, "missingPackages", lambda: ["torch", "safetensors"])
    panel.ui.segmentButton.click()
    assert "Install PyTorch" in panel.ui.statusLabel.text
    assert "Extensions Manager" in panel.ui.statusLabel.text
    assert not content(panel).any()


@pytest.mark.parametrize("answer", [True, False])
def test_a_small_package_is_installed_only_after_asking(module, monkeypatch, answer):
    import slicer

    asked, installed = [], []
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False)
    monkeypatch.setattr(
        slicer.util, "confirmOkCancelDisplay", lambda text: asked.append(text) or answer
    )
    monkeypatch.setattr(slicer.util, "pip_install", installed.append)
    monkeypatch.setattr(module, "missingPackages", lambda: [] if installed else ["safetensors"])
    advice = module.readyToCompute()
    assert "safetensors" in asked[0]
    assert bool(installed) is answer
    assert (advice is None) is answer


def test_nothing_is_installed_in_testing_mode(module, monkeypatch):
    import slicer

    monkeypatch.setattr(slicer.util, "pip_install", lambda *_: pytest.fail("installed"))
    monkeypatch.setattr(module, "missingPackages", lambda: ["safetensors"])
    assert "safetensors" in module.readyToCompute()


def test_the_logic_is_both_the_librarys_and_slicers(module, tiny_bundle):
    from DeepIGeoS import DeepIGeoSLogic
    from DeepIGeoSLib.scene import SegmentationLogic

    assert DeepIGeoSLogic is module.DeepIGeoSLogic
    assert issubclass(DeepIGeoSLogic, SegmentationLogic)
    assert issubclass(DeepIGeoSLogic, module.ScriptedLoadableModuleLogic)
    assert DeepIGeoSLogic(tiny_bundle).getParameterNode().targetSegmentID == ""
    with pytest.raises(AttributeError, match="DeepIGeoSFileWriter"):
        module.DeepIGeoSFileWriter  # noqa: B018 (Slicer asks for it)


def test_choosing_the_same_model_keeps_the_rounds_another_one_forgets_them(
    volume_node, panel, tiny_bundle
):
    panel.ui.segmentButton.click()
    place = panel._target()
    panel.logic.propose(*place)
    assert panel.logic.canUndo(*place)
    panel.logic.setBundle(str(tiny_bundle))
    assert panel.logic.canUndo(*place)
    panel.logic.setBundle("another")
    assert not panel.logic.canUndo(*place)


def test_reloading_the_module_reloads_the_library(module, panel, monkeypatch):
    reloaded = []
    base = module.ScriptedLoadableModuleWidget
    monkeypatch.setattr(base, "onReload", lambda self: reloaded.append(1), raising=False)
    for name in [n for n in sys.modules if n.partition(".")[0] == "DeepIGeoSLib"]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])  # back after the test
    panel.onReload()
    assert reloaded
    assert not any(name.partition(".")[0] == "DeepIGeoSLib" for name in sys.modules)
