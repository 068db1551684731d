"""Cases, DICOM and recordings through the page: what is read, and what lies on disk afterwards."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from DeepIGeoSLib.volume import Volume


@pytest.fixture(scope="module")
def running(serve: Any, head: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server with the head opened, beside a link that leads out of its folder."""
    folder = tmp_path_factory.mktemp("outside")
    inside = folder / "inside"
    inside.mkdir()
    (inside / "head.nii.gz").write_bytes(head.read_bytes())
    (folder / "secret.nii.gz").write_bytes(head.read_bytes())
    (inside / "link.nii.gz").symlink_to(folder / "secret.nii.gz")
    return serve(inside / "head.nii.gz")


def paint_once(page: Any) -> None:
    """Draw a stroke, and wait for its answer."""
    page.wait_until(lambda: page.state("can_paint"), True)
    page.stroke(0, [(0.45, 0.5), (0.5, 0.5)])
    page.wait_for_rounds(1)
    page.wait_for_answers()


def test_a_folder_of_cases_is_gone_through_and_its_status_lies_beside_the_data(
    serve: Any, visit: Any, head: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    for name in ("a.nii.gz", "b.nii.gz"):
        (folder / name).write_bytes(head.read_bytes())
    server = serve(folder)
    page = visit(server)
    page.wait_until(lambda: page.state("case_title"), "a")
    for button, case in (("#case-next", "b"), ("#case-previous", "a")):
        page.page.click(button)
        page.wait_until(lambda: page.state("case_title"), case)
    paint_once(page)
    page.page.click("#case-save")
    page.wait_until(lambda: (folder / "a-reviewed.seg.nrrd").is_file(), True)
    page.stroke(0, [(0.55, 0.4), (0.57, 0.4)])
    page.page.click("#case-done")  # before the stroke is answered
    page.wait_until(lambda: page.state("case_done"), True)
    assert page.rounds() == 2
    volume = Volume.read(folder / "a.nii.gz")
    stored = volume.read_labels(folder / "a-reviewed.seg.nrrd")
    assert np.array_equal(stored, page.labels(volume, tmp_path))
    assert page.state("cases")[0]["subtitle"].startswith("accepted")
    page.page.click("#case-next")
    page.wait_until(lambda: page.state("case_title"), "b")
    page.wait_until(lambda: page.state("case_name"), "b")
    page.page.click("#case-next")
    page.page.wait_for_selector(".v-snackbar__content")
    assert "no open case" in page.page.inner_text(".v-snackbar__content")
    server.kill()

    again = visit(serve(folder, private=server.private))
    again.wait_until(lambda: again.state("case_title"), "b")  # the first one that is open
    kinds = [case["subtitle"].split(",")[0] for case in again.state("cases")]
    assert kinds == ["accepted", "in work"]


def test_a_closed_tab_and_an_upload_are_there_again(
    serve: Any, visit: Any, head: Path, tmp_path: Path
) -> None:
    server = serve()
    page = visit(server)
    page.upload(head)
    page.wait_until(lambda: page.state("case_title"), "head.nii.gz")
    paint_once(page)
    mask = page.labels(Volume.read(head), tmp_path)
    page.wait_until(lambda: len(list((server.private / "work").glob("*/*/state.json"))), 1)
    page.page.context.close()
    reopened = visit(server)
    reopened.wait_for_rounds(1)
    assert np.array_equal(reopened.labels(Volume.read(head), tmp_path), mask)
    server.kill()

    again = visit(serve(private=server.private))
    again.page.click("#last")
    again.wait_for_rounds(1)
    assert np.array_equal(again.labels(Volume.read(head), tmp_path), mask)
    assert "back" in again.status()


def test_a_downloaded_recording_does_the_same_again(
    running: Any, serve: Any, visit: Any, head: Path, tmp_path: Path
) -> None:
    page = visit(running)
    page.wait_until(lambda: page.state("case_title"), "head.nii.gz")
    paint_once(page)
    mask = page.labels(Volume.read(head), tmp_path)
    recording = tmp_path / "head-interactions.json"
    recording.write_text(json.dumps(page.recording()))
    again = visit(serve(head, "--replay", recording))
    again.wait_until(lambda: again.status().startswith("Replayed"), True)
    assert np.array_equal(again.labels(Volume.read(head), tmp_path), mask)


def test_a_dicom_series_gives_a_dicom_segmentation_of_that_series(
    running: Any, visit: Any, data: Path, tmp_path: Path
) -> None:
    pytest.importorskip("highdicom", reason="highdicom is not installed")
    import pydicom

    (archive,) = (data / "dicom_gbm").glob("*.zip")
    with zipfile.ZipFile(archive) as files:
        files.extractall(tmp_path / "series")
    slices = sorted(path for path in (tmp_path / "series").rglob("*") if path.is_file())
    header = pydicom.dcmread(slices[0], stop_before_pixels=True)
    page = visit(running)
    page.upload(*slices)
    page.wait_until(lambda: page.state("case_title"), header.SeriesDescription)
    assert page.state("model") == "flair-whole-tumor"  # by the description
    paint_once(page)
    page.page.click("#download")
    with page.page.expect_download() as download:
        page.page.click("[id='download-dcm']")
    path = tmp_path / download.value.suggested_filename
    assert path.name == "FLAIR_reg.dcm"
    download.value.save_as(path)
    made = pydicom.dcmread(path)
    assert made.Modality == "SEG"
    assert made.StudyInstanceUID == header.StudyInstanceUID
    assert made.SegmentSequence[0].SegmentLabel == page.state("targets")[0]["name"]
    assert made.SegmentSequence[0].SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert made.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeMeaning != "Tissue"
    volume = Volume.read(slices[0].parent)
    assert np.array_equal(volume.read_labels(path) > 0, page.labels(volume, tmp_path) > 0)


def test_paths_outside_of_the_folder_and_links_are_refused_in_the_page(
    running: Any, visit: Any
) -> None:
    page = visit(running)
    page.wait_until(lambda: page.state("case_title") != "", True)
    opened = page.state("case_title")
    secret = Path(page.state("opened_folder").removeprefix("In ")).parent / "secret.nii.gz"
    assert secret.is_file()
    for asked in ("../secret.nii.gz", "link.nii.gz", str(secret)):
        page.page.fill("#path", asked)
        if asked.startswith("link"):
            page.page.click(".v-input:has(#path) .v-field__append-inner .v-icon")
        else:
            page.page.press("#path", "Enter")
        page.wait_until(lambda: "outside of the opened folder" in page.state("problem"), True)
        page.page.evaluate("window.trame.state.set('problem', '')")
    assert page.state("case_title") == opened
