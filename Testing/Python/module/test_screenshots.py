"""Pictures of the panel in every state of the tutorial.

They are made with the real .ui file on PySide6, with small networks under the name of the model
that the tutorial uses. With DEEPIGEOS_PICTURES set to a folder they are kept there; that is how the
pictures of Docs/tutorial.md were made.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

STROKE = (slice(5, 6), slice(17, 19), slice(12, 17))


@pytest.fixture
def tiny_bundle(tiny_bundle, tmp_path):
    """The model with small networks, and the name, version and text of the shipped one."""
    from DeepIGeoSLib import bundles

    original = Path(bundles.__file__).parent / "flair-whole-tumor/bundle.json"
    shipped = json.loads(original.read_text())
    folder = shutil.copytree(tiny_bundle, tmp_path / "flair-whole-tumor")
    manifest = json.loads((folder / "bundle.json").read_text())
    told = ("name", "version", "task", "modality", "license")
    manifest.update({key: shipped[key] for key in told})
    (folder / "bundle.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def pictures(tmp_path):
    """Where the pictures go."""
    folder = Path(os.environ.get("DEEPIGEOS_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def picture(user, path):
    """Save the panel as it is, and return how many different colors it shows."""
    from PySide6 import QtWidgets

    panel = user.ui.inputsSection.parentWidget()
    module = user.widget.parent  # its layout gives the panel its size
    for _ in range(3):  # what is inside is laid out first
        layout = QtWidgets.QWidget.layout(module)
        layout.activate()
        module.resize(420, layout.totalMinimumHeightForWidth(420))
        QtWidgets.QApplication.processEvents()
    image = panel.grab()
    assert image.save(str(path))
    shown = image.toImage()
    return len(
        {shown.pixel(x, y) for x in range(0, shown.width(), 3) for y in range(0, shown.height(), 3)}
    )


def test_the_tutorials_pictures_show_the_panel(volume_node, user, pictures, hold):
    hold.set()
    assert picture(user, pictures / "panel-start.png") > 4
    user.click("segmentButton")
    picture(user, pictures / "panel-segmented.png")
    user.stroke(STROKE)
    user.stroke((slice(5, 6), slice(9, 11), slice(12, 17)), "tooMuchButton")
    user.ui.optionsSection.setCollapsed(False)
    picture(user, pictures / "panel-refined.png")
    user.ui.optionsSection.setCollapsed(True)
    user.click("acceptButton")
    picture(user, pictures / "panel-accepted.png")
    user.ui.inputsSection.setCollapsed(True)
    user.ui.roundsSection.setCollapsed(True)
    user.ui.learnSection.setCollapsed(False)
    user.widget.learning.ui.addCaseButton.click()
    picture(user, pictures / "panel-learn.png")


def test_the_picture_of_the_worklist_shows_its_cases(head, user, pictures, tmp_path):
    import numpy as np

    from DeepIGeoSLib import Volume

    folder = tmp_path / "cases"
    names = ("follow-up 1", "follow-up 2", "baseline", "external")
    for number, name in enumerate(names):
        voxels = np.roll(head, number, axis=2).astype(np.float32)
        (folder / "ward-a").mkdir(parents=True, exist_ok=True)
        Volume(voxels, ijk_to_ras=np.diag([1, 1, 3, 1.0])).write_map(
            folder / "ward-a" / f"{name}.nii.gz", voxels
        )
    rows = [f"ward-a/{name},{0.81 - 0.2 * number:.2f}" for number, name in enumerate(names)]
    (folder / "report.csv").write_text("\n".join(["case,attention", *rows]))
    user.ui.worklistSection.setCollapsed(False)
    user.widget.worklist.openFolder(str(folder))
    user.click("segmentButton")
    user.widget.worklist.ui.acceptCaseButton.click()
    user.click("segmentButton")
    assert picture(user, pictures / "panel-worklist.png") > 4


def test_no_text_of_the_panel_is_cut_off(volume_node, user):
    from PySide6 import QtWidgets

    panel = user.ui.inputsSection.parentWidget()
    panel.resize(420, QtWidgets.QWidget.sizeHint(panel).height())
    panel.grab()
    for name, widget in vars(user.ui).items():
        if isinstance(widget, QtWidgets.QPushButton) and widget.isVisibleTo(panel):
            assert widget.width >= widget.minimumSizeHint().width(), name
