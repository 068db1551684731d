"""The worklist in the panel, by clicks: open, correct, accept, next; and after a crash."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def folder(head, tmp_path):
    """Three heads with the lesion elsewhere; the second needs most attention."""
    from DeepIGeoSLib import Volume

    images = tmp_path / "cases"
    images.mkdir()
    for number, name in enumerate(("anna", "bert", "carl")):
        voxels = np.roll(head, number, axis=2).astype(np.float32)
        volume = Volume(voxels, ijk_to_ras=np.diag([1, 1, 3, 1.0]))
        volume.write_map(images / f"{name}.nii.gz", voxels)
    (images / "report.csv").write_text("case,attention\nanna,0.1\nbert,0.9\ncarl,0.5\n")
    return images


@pytest.fixture
def section(user, folder):
    """The section with the folder opened."""
    user.widget.worklist.openFolder(str(folder))
    return user.widget.worklist


def rows(section):
    table = section.ui.worklistTable
    return [
        [table.item(row, column).text() for column in range(3)] for row in range(table.rowCount)
    ]


def said(section):
    return section.ui.worklistStatusLabel.text


def test_without_a_folder_nothing_can_be_pressed(user):
    ui = user.widget.worklist.ui
    for name in ("previousCaseButton", "nextCaseButton", "saveCaseButton", "acceptCaseButton"):
        assert not getattr(ui, name).isEnabled()


def test_the_case_that_needs_most_attention_is_opened(section, user):
    assert rows(section) == [
        ["bert", "in work", "0.90"],
        ["carl", "new", "0.50"],
        ["anna", "new", "0.10"],
    ]
    assert user.panel.parameters.sourceVolume.GetName() == "bert"
    assert user.panel.workbench.hasTarget
    assert said(section) == "bert: 0 of 3 cases are accepted."
    assert section.ui.worklistTable.currentRow() == 0


def test_segment_accept_and_the_next_case_is_there(section, user, folder, lesion):
    from DeepIGeoSLib import Volume

    user.click("segmentButton")
    section.ui.acceptCaseButton.click()
    assert [row[1] for row in rows(section)] == ["accepted", "in work", "new"]
    assert user.panel.parameters.sourceVolume.GetName() == "carl"
    assert said(section) == "carl: 1 of 3 cases are accepted."
    volume = Volume.read(folder / "bert.nii.gz")
    stored = volume.read_labels(folder / "bert-reviewed.seg.nrrd") > 0
    np.testing.assert_array_equal(stored, np.roll(lesion, 1, axis=2))
    user.click("segmentButton")  # the next case works like the first
    section.ui.acceptCaseButton.click()
    section.ui.acceptCaseButton.click()  # nothing found in the last one
    assert said(section) == "Accepted: that was the last case."
    assert [row[1] for row in rows(section)] == ["accepted"] * 3


def test_strokes_go_with_their_case(section, user, folder):
    import slicer

    from DeepIGeoSLib import Volume

    user.click("segmentButton")
    user.stroke((slice(5, 6), slice(17, 19), slice(12, 17)))
    section.ui.nextCaseButton.click()
    names = [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode")]
    assert names == ["carl segmentation"]
    stored = Volume.read(folder / "bert.nii.gz").read_labels(folder / "bert-reviewed.seg.nrrd")
    assert stored[5, 17, 13] > 0
    section.ui.previousCaseButton.click()
    assert user.panel.parameters.sourceVolume.GetName() == "bert"
    assert user.panel.workbench.milliliters > 0


def test_next_passes_over_what_is_accepted_and_says_where_the_list_ends(section):
    section.ui.acceptCaseButton.click()
    section.ui.nextCaseButton.click()
    assert section.desk.case.name == "anna"
    section.ui.nextCaseButton.click()
    assert said(section) == "There is no open case behind this one."
    section.ui.previousCaseButton.click()
    assert section.desk.case.name == "carl"
    section.ui.previousCaseButton.click()
    assert said(section) == "There is no open case before this one."


def test_an_accepted_case_is_looked_at_and_reopened(section, user):
    user.click("segmentButton")
    section.ui.acceptCaseButton.click()
    section.ui.worklistTable.cellDoubleClicked.emit(0, 0)
    assert section.desk.case.name == "bert"
    assert user.panel.workbench.isAccepted
    assert section.ui.acceptCaseButton.text == "Reopen case"
    assert not section.ui.saveCaseButton.isEnabled()
    section.ui.acceptCaseButton.click()
    assert not user.panel.workbench.isAccepted
    assert rows(section)[0][1] == "in work"
    section.ui.saveCaseButton.click()
    assert said(section) == "Saved as bert-reviewed.seg.nrrd."


def test_a_closed_scene_lets_go_and_the_list_goes_on(section, user):
    import slicer

    slicer.mrmlScene.Clear(0)
    assert not section.ui.saveCaseButton.isEnabled()
    section.ui.nextCaseButton.click()
    assert section.desk.isOpen


def test_after_a_crash_the_folder_is_opened_where_it_was(section, user, folder):
    user.click("segmentButton")
    section.ui.saveCaseButton.click()
    volume = user.panel.workbench.milliliters
    section.release()  # nothing else is known any more
    section.openFolder(str(folder))
    assert section.desk.case.name == "bert"
    assert user.panel.workbench.milliliters == pytest.approx(volume)


def test_somebody_elses_case_is_named(section, folder):
    import json

    file = folder / "deepigeos-worklist/carl.json"
    file.write_text(
        json.dumps({"status": "in work", "by": "eve@ward", "since": "2026-01-02T03:04:05+00:00"})
    )
    section.ui.nextCaseButton.click()
    assert "eve@ward had it in work since 2026-01-02" in said(section)


def test_a_folder_without_images_and_a_damaged_case_are_one_sentence(section, tmp_path, folder):
    (tmp_path / "empty").mkdir()
    section.openFolder(str(tmp_path / "empty"))
    assert "holds no image" in said(section)
    assert section.desk.case.name == "bert"
    (folder / "carl.nii.gz").write_bytes(b"nothing")
    section.ui.nextCaseButton.click()
    assert "carl.nii.gz" in said(section)
    assert section.desk.case.name == "bert"
