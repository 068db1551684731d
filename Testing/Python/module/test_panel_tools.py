"""Keys, the right button, first use, sample data, and the tests that Slicer's users can run."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

# Modules of Slicer that answer any import and any attribute.
ANYTHING = """
import sys
from types import ModuleType

class Anything(ModuleType):
    def __getattr__(self, name):
        return Anything(name)

for name in ("slicer", "slicer.i18n"):
    sys.modules[name] = Anything(name)
sys.modules["slicer.i18n"].tr = str
""".strip()


def told_by(user, interactor, name, told):
    """Note what the brush in a view is told, and of which kind it is then."""
    for button in ("Left", "Right"):
        for what in ("Press", "Release"):
            interactor.AddObserver(
                f"{button}Button{what}Event",
                lambda _, event: told.append((name, event, user.panel.editor.polarity)),
                1.0,
            )
    return interactor


@pytest.fixture
def views(user, desktop):
    """Two slice views' interactors, and what their brush is told."""
    desktop.layout.show("Red", "Green")
    told = []
    red, green = (
        told_by(user, desktop.layout.sliceWidget(name).sliceView().interactor(), name, told)
        for name in ("Red", "Green")
    )
    return SimpleNamespace(red=red, green=green, told=told)


def test_the_right_button_paints_the_other_kind(volume_node, user, views):
    user.click("missingButton")
    views.green.InvokeEvent("RightButtonPressEvent")
    views.green.InvokeEvent("RightButtonReleaseEvent")
    views.red.InvokeEvent("LeftButtonPressEvent")
    assert views.told == [
        ("Green", "LeftButtonPressEvent", "background"),
        ("Green", "LeftButtonReleaseEvent", "background"),
        ("Red", "LeftButtonPressEvent", "foreground"),
    ]


def test_views_of_a_layout_chosen_later_are_painted_in_once(volume_node, user, views, desktop):
    user.click("missingButton")
    desktop.layout.show("Green", "Yellow")
    yellow = desktop.layout.sliceWidget("Yellow").sliceView().interactor()
    told_by(user, yellow, "Yellow", views.told)
    for view in (yellow, views.green):
        view.InvokeEvent("RightButtonPressEvent")
        view.InvokeEvent("RightButtonReleaseEvent")
    assert views.told == [
        (name, event, "background")
        for name in ("Yellow", "Green")
        for event in ("LeftButtonPressEvent", "LeftButtonReleaseEvent")
    ]
    views.told.clear()
    user.panel.exit()
    desktop.layout.show("Yellow")
    yellow.InvokeEvent("RightButtonPressEvent")
    assert [event for _, event, _ in views.told] == ["RightButtonPressEvent"]


@pytest.mark.parametrize("reason", ["switched off", "no brush", "removed"])
def test_else_the_right_button_zooms_as_always(volume_node, user, views, reason):
    user.click("missingButton")
    if reason == "switched off":
        user.ui.rightButtonCheckBox.setChecked(False)
    elif reason == "no brush":
        user.panel.editor.stop()
    else:
        user.panel.rightButton.remove()
    views.red.InvokeEvent("RightButtonPressEvent")
    views.red.InvokeEvent("RightButtonReleaseEvent")
    events = [event for _, event, _ in views.told]
    assert events == ["RightButtonPressEvent", "RightButtonReleaseEvent"]


def test_keys_work_while_the_module_is_open(volume_node, user, desktop, widget, lesion):
    import qt
    from PySide6 import QtTest, QtWidgets

    desktop.mainWindow = QtWidgets.QWidget()
    desktop.mainWindow.show()
    desktop.mainWindow.activateWindow()
    widget.enter()
    user.click("segmentButton")

    def press(key, modifier=qt.Qt.NoModifier):
        QtTest.QTest.keyClick(desktop.mainWindow, key, modifier)
        user.wait()

    press(qt.Qt.Key_X)
    assert user.ui.tooMuchButton.isChecked()
    press(qt.Qt.Key_X)
    assert user.ui.missingButton.isChecked()
    press(qt.Qt.Key_Z, qt.Qt.ControlModifier)
    assert not user.content().any()
    press(qt.Qt.Key_Y)
    assert user.content().any()
    press(qt.Qt.Key_E)
    assert user.ui.targetSelector.currentText == "Lesion 2"
    widget.exit()
    press(qt.Qt.Key_E)
    assert user.ui.targetSelector.currentText == "Lesion 2"


def test_draw_keeps_its_own_keys(volume_node, user, desktop, widget, lesion):
    import qt
    from PySide6 import QtTest, QtWidgets

    desktop.mainWindow = QtWidgets.QWidget()
    desktop.mainWindow.show()
    desktop.mainWindow.activateWindow()
    widget.enter()
    user.click("segmentButton")
    user.click("missingButton", wait=False)

    def press(key):
        QtTest.QTest.keyClick(desktop.mainWindow, key)
        user.wait()

    user.ui.seedEditor.setActiveEffectByName("Draw")
    press(qt.Qt.Key_X)  # takes a point away
    press(qt.Qt.Key_A)  # closes the outline
    assert user.ui.missingButton.isChecked()
    assert user.ui.acceptButton.text == "Accept"
    user.ui.seedEditor.setActiveEffectByName("Paint")
    press(qt.Qt.Key_X)
    assert user.ui.tooMuchButton.isChecked()
    press(qt.Qt.Key_A)
    assert user.ui.acceptButton.text == "Reopen"


def test_the_tool_tip_of_each_button_names_its_key(user):
    buttons = {
        "X": ("missingButton", "tooMuchButton"),
        "Ctrl+Return": ("refineButton",),
        "Z": ("undoButton",),
        "Ctrl+Z": ("undoButton",),
        "Y": ("redoButton",),
        "Ctrl+Y": ("redoButton",),
        "N": ("nextPlaceButton",),
        "A": ("acceptButton",),
        "E": ("nextLesionButton",),
        "Escape": ("cancelButton",),
    }
    installed = {keys.replace("Esc", "Escape") for keys in user.panel.shortcuts._actions}
    assert installed == set(buttons)
    for keys, names in buttons.items():
        for name in names:
            tip = getattr(user.ui, name).property("toolTip")
            shortcuts = tip.rpartition("Shortcut: ")[2]
            assert re.search(rf"(?<![\w+]){re.escape(keys)}(?![\w+])", shortcuts), name


def test_keys_of_the_slice_views_are_left_to_them(user):
    # What vtkMRMLSliceIntersectionWidget of Slicer 5.13 translates, without a modifier.
    of_slice_views = {
        "B",
        "F",
        "G",
        "R",
        "T",
        "V",
        "[",
        "]",
        "{",
        "}",
        "Left",
        "Right",
        "Up",
        "Down",
    }
    assert not of_slice_views & set(user.panel.shortcuts._actions)


@pytest.fixture
def bare(module, desktop, monkeypatch):
    """A Slicer outside of its testing mode, without torch and safetensors."""
    from DeepIGeoSPanel import first_use

    desktop.testing = False
    missing = ["torch", "safetensors"]
    monkeypatch.setattr(first_use, "missingPackages", lambda: list(missing))
    monkeypatch.setattr(first_use, "_torchProblem", lambda: None)
    return SimpleNamespace(first_use=first_use, missing=missing)


@pytest.fixture
def torch_extension(bare, monkeypatch):
    """The PyTorch extension, which installs torch when asked."""
    calls = []

    class PyTorchUtilsLogic:
        def installTorch(self, **options):
            calls.append(options)
            bare.missing.remove("torch")

    fake = ModuleType("PyTorchUtils")
    fake.PyTorchUtilsLogic = PyTorchUtilsLogic
    monkeypatch.setitem(sys.modules, "PyTorchUtils", fake)
    return calls


def test_the_panel_opens_without_torch_and_says_how_to_get_it(volume_node, user, bare):
    assert "Press Segment" in user.status
    user.click("segmentButton")
    assert "install the extension PyTorch in the Extensions Manager" in user.status
    assert "No model" in user.status
    assert user.panel.workbench.segmentationNode is None


def test_one_dialog_names_every_package_and_its_size(bare, torch_extension, desktop, monkeypatch):
    import slicer

    def install(requirement):
        desktop.installed.append(requirement)
        bare.missing.remove("safetensors")

    monkeypatch.setattr(slicer.util, "pip_install", install)
    assert bare.first_use.readyToCompute() is None
    (question,) = desktop.questions
    assert "PyTorch with torchvision: 140 to 220 MB" in question
    assert "2.8 GB for NVIDIA" in question
    assert "safetensors: 0.5 MB" in question
    assert torch_extension == [{"askConfirmation": False, "torchVersionRequirement": ">=2.2"}]
    assert desktop.installed == ["safetensors>=0.4"]


def test_new_slicers_install_by_their_own_packaging(bare, torch_extension, desktop, monkeypatch):
    asked = []

    def pip_ensure(requirements, **options):
        asked.append((requirements, options))
        bare.missing.remove("safetensors")

    packaging = ModuleType("slicer.packaging")
    packaging.pip_ensure = pip_ensure
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    assert bare.first_use.readyToCompute() is None
    assert asked == [(["safetensors>=0.4"], {"prompt_install": False, "requester": "DeepIGeoS"})]
    assert len(desktop.questions) == 1


def test_nothing_is_installed_when_the_user_says_no(bare, torch_extension, desktop):
    desktop.answer = False
    assert "Nothing was installed" in bare.first_use.readyToCompute()
    assert torch_extension == []
    assert desktop.installed == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("no network"), "no network"),
        (subprocess.CalledProcessError(1, ["pip", "install"]), "non-zero exit status 1"),
        (ModuleNotFoundError("No module named 'light_the_torch'"), "light_the_torch"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
    ],
    ids=["refused", "pip", "module", "rights"],
)
@pytest.mark.parametrize("ready", ["readyToCompute", "readyToTrain"])
def test_a_failed_installation_is_told(
    bare, torch_extension, desktop, monkeypatch, ready, error, words
):
    import slicer

    def fail(requirement):
        raise error

    _hide(monkeypatch, "monai")
    monkeypatch.setattr(slicer.util, "pip_install", fail)
    advice = getattr(bare.first_use, ready)()
    assert advice.startswith("The installation failed: ")
    assert words in advice


def test_learning_asks_once_and_names_what_is_missing_only(bare, desktop, monkeypatch):
    _hide(monkeypatch, "lightning", "torchio", "monai", "yaml")
    assert bare.first_use.readyToTrain() is None
    (question,) = desktop.questions
    for name in ("Lightning", "TorchIO", "MONAI", "PyYAML"):
        assert re.search(rf"^- {name}: \d+ MB$", question, re.MULTILINE), question
    assert [name.partition(">=")[0] for name in desktop.installed] == [
        "lightning",
        "torchio",
        "monai",
        "PyYAML",
    ]
    _hide(monkeypatch, "monai")
    desktop.answer = False
    assert bare.first_use.readyToTrain() == "Nothing was installed."
    assert "Lightning" not in desktop.questions[1]
    assert len(desktop.installed) == 4


def _hide(monkeypatch, *names):
    """Let these packages, and none else of those for training, look as if they were missing."""
    for_training = {"lightning", "torchio", "monai", "yaml"}
    find = importlib.util.find_spec

    def find_spec(name, *arguments):
        if name in for_training:
            return None if name in names else object()
        return find(name, *arguments)

    monkeypatch.setattr("DeepIGeoSPanel.first_use.importlib.util.find_spec", find_spec)


def test_nothing_is_asked_or_installed_in_testing_mode(bare, torch_extension, desktop):
    desktop.testing = True
    assert "Not installed: torch, safetensors" in bare.first_use.readyToCompute()
    assert desktop.questions == desktop.installed == torch_extension == []


def test_an_old_torch_gives_a_way_to_repair_it(module, monkeypatch):
    from DeepIGeoSPanel import first_use

    monkeypatch.setattr(first_use.importlib.metadata, "version", lambda name: "1.13.1+cpu")
    advice = first_use._torchProblem()
    assert "PyTorch 1.13.1+cpu is too old" in advice
    assert "Uninstall PyTorch, restart Slicer, press Install" in advice


def test_a_broken_torch_is_told_by_the_worker_with_a_way_to_repair_it(
    volume_node, user, monkeypatch
):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("DeepIGeoSPanel.first_use.missingPackages", list)
    user.click("segmentButton")
    assert "PyTorch can't be loaded" in user.status
    assert "Uninstall PyTorch, restart Slicer, press Install" in user.status
    assert not user.content().any()


def test_what_is_asked_before_a_computation_does_not_load_torch(module, root):
    pytest.importorskip("torch")
    code = (
        f"{ANYTHING}\nsys.path[:0] = [{str(root / 'DeepIGeoS')!r}, {str(root)!r}]\n"
        "from DeepIGeoSPanel import first_use\n"
        "print(first_use.readyToCompute(), 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "None False", run.stderr


def test_while_torch_is_loaded_the_status_says_so(volume_node, user, hold, monkeypatch):
    monkeypatch.setattr("DeepIGeoSLib.scene.target_work.isTorchLoaded", lambda: False)
    user.click("segmentButton", wait=False)
    assert "Loading PyTorch" in user.status
    user.click("cancelButton", wait=False)
    hold.set()
    user.choose("bundleSelector", "No model: from your strokes alone")
    user.stroke((slice(5, 6), slice(9, 11), slice(12, 17)), wait=False)
    assert "Loading PyTorch" not in user.status
    user.wait()


def test_the_torch_that_is_there_is_good(module):
    pytest.importorskip("torch")
    from DeepIGeoSPanel import first_use

    assert first_use.readyToCompute() is None


def test_sample_data_is_registered_at_startup_and_complete(module, desktop, root):
    about = SimpleNamespace(path=str(root / "DeepIGeoS/DeepIGeoS.py"))
    module.DeepIGeoS(about)
    assert desktop.samples == []
    desktop.start()
    (sample,) = desktop.samples
    assert sample["category"] == "DeepIGeoS"
    (uri,), (name,), (checksum,) = sample["uris"], sample["fileNames"], sample["checksums"]
    assert uri.startswith("https://")
    assert name.endswith(".nii.gz")
    assert checksum.startswith("SHA256:")
    assert len(checksum) == len("SHA256:") + 64
    header = Path(sample["thumbnailFileName"]).read_bytes()[:24]
    size = [int.from_bytes(header[at : at + 4], "big") for at in (16, 20)]
    assert size == [260, 280]


@pytest.mark.parametrize("failing", ["registerSampleData", "registerEffect"])
def test_what_cannot_be_registered_is_logged_and_the_rest_is_there(
    module, desktop, root, monkeypatch, caplog, failing
):
    def refuse(folder):
        raise TypeError("an unexpected argument")

    refuse.__name__ = failing
    monkeypatch.setattr(module, failing, refuse)
    module.DeepIGeoS(SimpleNamespace(path=str(root / "DeepIGeoS/DeepIGeoS.py")))
    desktop.start()
    (record,) = caplog.records
    assert record.getMessage() == f"DeepIGeoS: {failing} failed: an unexpected argument"
    assert (len(desktop.samples), len(desktop.effects)) == (
        (0, 1) if failing == "registerSampleData" else (1, 0)
    )


def test_the_tests_for_slicer_pass_with_a_model_and_none_is_skipped(
    module, desktop, root, tiny_bundle, monkeypatch, capfd
):
    import unittest

    from DeepIGeoSLib import bundles

    monkeypatch.setattr(bundles, "list_bundles", lambda: [str(tiny_bundle)])
    module.DeepIGeoS(SimpleNamespace(path=str(root / "DeepIGeoS/DeepIGeoS.py")))
    desktop.start()
    count = len(unittest.defaultTestLoader.getTestCaseNames(module.DeepIGeoSTest))
    assert count == 7
    module.DeepIGeoSTest().runTest()
    told = capfd.readouterr().err
    assert f"Ran {count} tests" in told
    assert "skipped" not in told


def test_the_logic_is_reached_from_scripts(module, tiny_bundle, volume_node, lesion):
    import slicer

    from DeepIGeoS import DeepIGeoSLogic

    logic = DeepIGeoSLogic(str(tiny_bundle))
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    segment_id = segmentation.GetSegmentation().AddEmptySegment("lesion")
    assert (logic.propose(volume_node, segmentation, segment_id).labels == lesion).all()
    assert logic.getParameterNode().autoRefine is True
