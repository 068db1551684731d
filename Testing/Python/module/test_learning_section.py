"""Learning from the module: cases are gathered, a process runs, the new model is there."""

from __future__ import annotations

import json
import os
import sys

import pytest


@pytest.fixture(autouse=True)
def python_slicer(desktop, monkeypatch):
    """Slicer's interpreter in its place; inside Slicer, Python does not know its own."""
    program = desktop.home / "bin" / "PythonSlicer"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", "")
    return program


@pytest.fixture
def section(volume_node, user):
    """The section, with the case of the scene finished."""
    user.click("segmentButton")
    return user.widget.learning


def status(section):
    return section.ui.learnStatusLabel.text


def add_two_heads(section, volume_node, user):
    """Add the case of the scene, and the same head mirrored as another one."""
    import slicer

    section.ui.addCaseButton.click()
    voxels = slicer.util.arrayFromVolume(volume_node)
    voxels[:] = voxels[:, :, ::-1]
    slicer.util.arrayFromVolumeModified(volume_node)
    user.click("segmentButton")
    section.ui.addCaseButton.click()


def test_a_finished_case_is_added_and_removed(section):
    assert not section.ui.learnButton.isEnabled()
    section.ui.addCaseButton.click()
    section.ui.addCaseButton.click()
    assert "Added flair-2" in status(section)
    assert section.ui.casesTable.rowCount == 2
    assert section.ui.learnButton.isEnabled()
    section.ui.casesTable.setCurrentCell(0, 0)
    section.ui.removeCaseButton.click()
    assert section.cases.names == ["flair-2"]


def test_an_unfinished_case_is_refused(section, user):
    user.click("nextLesionButton")
    section.ui.addCaseButton.click()
    assert "nothing to learn from" in status(section)
    assert section.cases.names == []


def test_a_folder_of_cases_is_added(section, tmp_path):
    section.ui.addCaseButton.click()
    section.addFolder(str(section.cases.folder / "cases"))
    assert section.cases.names == ["flair", "flair-2"]
    section.addFolder(str(tmp_path))
    assert "has no pair" in status(section)


def test_without_a_model_there_is_nothing_to_start_from(section, user):
    for _ in range(2):
        section.ui.addCaseButton.click()
    user.choose("bundleSelector", "No model: from your strokes alone")
    section.ui.learnButton.click()
    assert "Choose a model to start from" in status(section)
    assert section.run is None


def test_every_architecture_is_offered_with_what_it_is_for(section):
    from DeepIGeoSLib.networks import ARCHITECTURES

    selector = section.ui.networkSelector
    assert selector.currentText == "The chosen model learns on"
    for number, (name, options) in enumerate(ARCHITECTURES.items(), start=1):
        selector.setCurrentIndex(number)
        assert selector.currentText == f"New: {name}"
        assert section.ui.networkInfoLabel.text[1:] == f"{options.summary[1:]}."
    assert selector.count == 1 + len(ARCHITECTURES)


def test_a_new_network_needs_no_model_to_start_from(volume_node, section, user, monkeypatch):
    for package in ("lightning", "torchio", "monai"):
        pytest.importorskip(package)
    from DeepIGeoSLib.training import own_run

    begun = []

    class Run:
        running, cancelled, problem, losses, comparison = True, False, None, (), ()
        progress = (0.0, "")

        def __init__(self, configuration, bundle, python):
            begun.append(json.loads(configuration.read_text(encoding="utf-8"))["network"])

        def cancel(self):
            self.running = False

    monkeypatch.setattr(own_run, "LearningRun", Run)
    add_two_heads(section, volume_node, user)
    user.choose("bundleSelector", "No model: from your strokes alone")
    selector = section.ui.networkSelector
    selector.setCurrentIndex(selector.findText("New: unet"))
    section.ui.learnButton.click()
    assert begun == [{"architecture": "unet", "dimension": 3}], status(section)


def test_without_slicers_interpreter_nothing_is_begun(section, python_slicer, monkeypatch):
    monkeypatch.setenv("PATH", "")
    for _ in range(2):
        section.ui.addCaseButton.click()
    python_slicer.unlink()
    section.ui.learnButton.click()
    assert "PythonSlicer" in status(section)
    assert section.run is None


# Hides from the library what a Slicer need not have and the section does not ask for.
MISSING = """
import builtins, importlib.util, sys

missing = {"matplotlib", "numba", "pandas", "PIL", "psutil", "tensorboard", "wandb"}
real_import, real_find = builtins.__import__, importlib.util.find_spec

def hidden(name, names):
    ours = names is not None and names.get("__name__", "").startswith("DeepIGeoSLib")
    return ours and name.partition(".")[0] in missing

def import_(name, globals=None, locals=None, fromlist=(), level=0):
    if level == 0 and hidden(name, globals):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return real_import(name, globals, locals, fromlist, level)

def find_spec(name, package=None):
    return None if hidden(name, sys._getframe(1).f_globals) else real_find(name, package)

builtins.__import__, importlib.util.find_spec = import_, find_spec
"""


@pytest.fixture
def bare_python(tmp_path, monkeypatch):
    """Let processes started from now on find the packages that the section asks for only."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(MISSING, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


@pytest.mark.slow
@pytest.mark.usefixtures("bare_python")
def test_learning_shows_its_way_and_ends_in_a_new_model(volume_node, section, user):
    from desktop.event_loop import run_until

    pytest.importorskip("lightning")
    add_two_heads(section, volume_node, user)
    section.ui.stepsSpinBox.setValue(2)
    section.ui.learnButton.click()
    assert section.ui.stopLearningButton.isEnabled()
    assert user.ui.missingButton.isEnabled()
    run_until(lambda: not section.run.running, seconds=300)
    section.poll()
    assert "Done" in status(section), section.run.problem
    assert user.ui.bundleSelector.currentText.startswith("my-lesions")
    assert section.ui.comparisonTable.rowCount == 1
    assert float(section.ui.comparisonTable.item(0, 1).text()) > 0.9


@pytest.mark.slow
def test_learning_can_be_cancelled(volume_node, section, user):
    pytest.importorskip("lightning")
    add_two_heads(section, volume_node, user)
    section.ui.learnButton.click()
    section.ui.stopLearningButton.click()
    assert "Cancelled" in status(section)
    assert section.ui.learnButton.isEnabled()
