"""The panel's model and its CRF: what the model recommends, and what the user switches."""

from __future__ import annotations

import json
import shutil

import pytest

SPECK = (5, 20, 5)  # one bright voxel far from the lesion
MIDDLE = (5, 12, 15)


@pytest.fixture
def speckled(volume_node):
    """The volume with a voxel that P-Net takes for lesion, and that none of its neighbors backs."""
    import slicer

    slicer.util.arrayFromVolume(volume_node)[SPECK] = 160
    slicer.util.arrayFromVolumeModified(volume_node)
    return volume_node


@pytest.fixture
def smoothing(tiny_bundle, tmp_path):
    """Make the tiny model with a CRF that lets all neighbors agree, whatever their intensities."""

    def make(enabled):
        folder = tmp_path / f"smoothing-{enabled}"
        shutil.copytree(tiny_bundle, folder)
        path = folder / "bundle.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        manifest["name"] = folder.name
        manifest["crf"] = {"enabled": enabled, "pairwise": "contrast", "sigma": 50.0, "omega": 1.0}
        path.write_text(json.dumps(manifest), encoding="utf-8")
        return str(folder)

    return make


def shown(user):
    """Whether the box can be clicked, and whether it is ticked."""
    return user.ui.crfCheckBox.isEnabled(), user.ui.crfCheckBox.isChecked()


def segmented(user):
    """Segment, and return whether the speck is in the result; the lesion always is."""
    user.click("segmentButton")
    assert user.content()[MIDDLE], user.status
    return user.content()[SPECK]


def test_a_model_without_crf_cannot_switch_it_on(speckled, user):
    assert shown(user) == (False, False)
    assert segmented(user)
    user.choose("bundleSelector", "No model: from your strokes alone")
    assert shown(user) == (False, False)


@pytest.mark.parametrize("enabled", [True, False], ids=["on", "off"])
def test_the_box_begins_as_the_model_recommends_and_switches_the_next_answer(
    speckled, user, smoothing, enabled
):
    user.panel.models.add(smoothing(enabled))
    assert shown(user) == (True, enabled)
    assert segmented(user) == (not enabled)
    user.ui.crfCheckBox.click()
    assert shown(user) == (True, not enabled)
    assert segmented(user) == enabled
    user.ui.crfCheckBox.click()
    assert segmented(user) == (not enabled)


def test_another_model_begins_as_it_recommends(speckled, user, smoothing):
    user.panel.models.add(smoothing(True))
    user.ui.crfCheckBox.click()
    user.panel.models.add(smoothing(False))
    user.ui.crfCheckBox.click()
    user.choose("bundleSelector", "smoothing-True 1.0.0")
    assert shown(user) == (True, True)
    user.choose("bundleSelector", "smoothing-False 1.0.0")
    assert shown(user) == (True, False)
    user.choose("bundleSelector", "tiny 1.0.0")
    assert shown(user) == (False, False)


def test_the_choice_is_kept_in_the_scene(speckled, user, smoothing):
    user.panel.models.add(smoothing(False))
    user.ui.crfCheckBox.click()
    user.widget.exit()
    user.widget.setParameterNode(None)
    user.ui.crfCheckBox.setChecked(False)
    user.widget.enter()
    assert shown(user) == (True, True)
    assert not segmented(user)


def test_a_choice_that_the_model_cannot_follow_does_no_harm(speckled, user):
    user.widget.logic.getParameterNode().crf = "on"
    assert shown(user) == (False, False)
    assert segmented(user)


def test_a_scene_that_names_a_model_of_another_computer_gets_the_first_one(speckled, user):
    parameters = user.widget.logic.getParameterNode()
    parameters.bundle = "models/of-somebody-else"
    assert "There is no bundle 'models/of-somebody-else'" in user.status
    assert user.panel.parameters.bundle == ""
    assert segmented(user)


def test_until_the_user_chooses_the_model_fits_the_volume(module, desktop, head):
    import slicer
    from desktop.python_qt import KEPT
    from desktop.user import User

    flair, ct = (slicer.util.addVolumeFromArray(head, name=name) for name in ("flair", "CTChest"))
    widget = module.DeepIGeoSWidget()
    KEPT.append(widget)
    widget.enter()
    user, parameters = User(widget), widget.logic.getParameterNode()
    for volume, model in ((flair, "flair-whole-tumor"), (ct, "any-structure")):
        parameters.sourceVolume = volume
        assert user.ui.bundleSelector.currentText.startswith(model)
        assert widget.logic.bundle == model
    user.choose("bundleSelector", "No model: from your strokes alone")
    parameters.sourceVolume = flair
    assert widget.logic.bundle == "geodesic"
    widget.cleanup()
