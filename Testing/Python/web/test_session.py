"""The session and its views without a browser: strokes by events, answers, files, replay."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("trame_slicer", reason="trame-slicer is not installed")

from DeepIGeoSLib.data.mrb import open_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.volume import Volume

ACROSS = [0.0, 0.0, 1.0]  # the normal of an axial view


def opened(session: Any, path: Path) -> Volume:
    """Open an image, and return it as it is on disk."""
    asyncio.run(session.open(path))
    return Volume.read(path)


def answered(session: Any) -> np.ndarray:
    """Wait for what is being computed, and return the target's mask."""
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    session.poll()
    while session.bench.busy:
        time.sleep(0.01)  # for the thread that computes
        session.poll()
    return maskFromSegment(*session.bench.target.place)


def place(volume: Volume, voxel: tuple[int, int, int]) -> list[float]:
    """Return the RAS position of a voxel (k, j, i)."""
    return [float(part) for part in (volume.ijk_to_ras @ [*voxel[::-1], 1])[:3]]


def paint(session: Any, volume: Volume, brush: str, voxel: tuple[int, int, int]) -> np.ndarray:
    """Paint one dab, and return the mask that answers it."""
    session.paint(brush, [place(volume, voxel)], ACROSS, diameter=4.0, ball=False)
    return answered(session)


def press(view: Any, events: list[tuple[str, int, int]]) -> None:
    """Let the mouse do something in a view."""
    interactor = view.interactor()
    for event, x, y in events:
        interactor.SetEventPosition(x, y)
        interactor.InvokeEvent(event)


def pixels(view: Any) -> np.ndarray:
    """Return what a view shows."""
    from vtk import vtkWindowToImageFilter
    from vtk.util.numpy_support import vtk_to_numpy

    view.render()
    grab = vtkWindowToImageFilter()
    grab.SetInput(view.render_window())
    grab.Update()
    return vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).copy()


def test_mouse_events_become_a_stroke_in_the_plane_that_is_seen_and_the_view_shows_the_answer(
    app: Any, session: Any, head: Path
) -> None:
    from DeepIGeoSLib.web.brush import Brush

    volume = opened(session, head)
    (view,) = app.view_manager.get_slice_views()
    app.display_manager.show_volume_in_slice_background(session.bench.volumeNode)
    view.fit_view_to_content()
    brush = app.segmentation_editor.get_effect(Brush)
    brush.stroke = session.stroke
    app.segmentation_editor.set_active_effect_type(Brush)
    brush.show_as(4.0, False, (1.0, 0.0, 0.0))
    before = pixels(view)
    press(view, [("MouseMoveEvent", 140, 150), ("LeftButtonPressEvent", 140, 150)])
    press(view, [("MouseMoveEvent", 150, 155), ("MouseMoveEvent", 160, 150)])
    press(view, [("LeftButtonReleaseEvent", 160, 150)])
    app.segmentation_editor.deactivate_effect()
    (stroke,) = [event for event in session.recording.events if event["action"] == "stroke"]
    assert len(stroke["points"]) == 3
    assert abs(stroke["normal"][2]) > 0.99
    mask = answered(session)
    voxels = np.linalg.inv(volume.ijk_to_ras) @ np.vstack([np.array(stroke["points"]).T, [1] * 3])
    assert mask[tuple(np.rint(voxels[2::-1]).astype(int))].all()
    assert (pixels(view) != before).any()


def test_a_mark_changes_its_slice_alone_a_sphere_those_beside_it_and_the_eraser_takes_it_away(
    session: Any, head: Path
) -> None:
    volume = opened(session, head)
    session.bench.autoRefine = False
    middle = [place(volume, (6, 30, 28))]

    def slices() -> list[int]:
        foreground, _background = session.bench.seeds.read(session.bench.volumeNode)
        return sorted(set(np.nonzero(foreground)[0]))

    session.paint("missing", middle, ACROSS, diameter=26.0, ball=False)
    assert slices() == [6]
    session.paint("missing", middle, ACROSS, diameter=26.0, ball=True)
    assert slices() == [5, 6, 7]
    session.paint("eraser", middle, ACROSS, diameter=40.0, ball=False)
    assert slices() == [5, 7]


def test_targets_are_locked_and_opened_and_each_has_its_own_rounds(
    session: Any, head: Path
) -> None:
    from DeepIGeoSLib.web.shown import shown

    volume = opened(session, head)
    first = paint(session, volume, "missing", (6, 20, 20))
    session.act("next target")
    second = paint(session, volume, "missing", (3, 40, 30))
    assert not np.array_equal(first, second)
    targets = shown(session)["targets"]
    assert [target["locked"] for target in targets] == [True, False]
    session.choose_target(targets[0]["id"])
    assert not shown(session)["can_paint"]
    assert np.array_equal(paint(session, volume, "missing", (6, 50, 20)), first)  # it is locked
    session.act("reopen")
    assert not np.array_equal(paint(session, volume, "missing", (6, 50, 20)), first)


def test_a_recording_done_again_gives_the_same_mask(
    session: Any, head: Path, tmp_path: Path
) -> None:
    from DeepIGeoSLib.web.replay import replay
    from DeepIGeoSLib.web.results import write_result

    volume = opened(session, head)
    session.act("segment")
    answered(session)
    paint(session, volume, "missing", (6, 20, 20))
    paint(session, volume, "missing", (6, 44, 36))
    session.act("undo")
    expected = paint(session, volume, "too much", (6, 22, 20))
    write_result(session, tmp_path / "done.json")
    events = json.loads((tmp_path / "done.json").read_text())["events"]
    times = [event["seconds"] for event in events]
    assert times == sorted(times)
    assert [e["action"] for e in events].count("round") == 4

    opened(session, head)
    assert session.bench.segmentationNode is None
    asyncio.run(replay(session, tmp_path / "done.json"))
    assert np.array_equal(answered(session), expected)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("deepigeos-interactions", "something"),
        lambda text: text.replace('"version": 1', '"version": 99'),
        lambda text: text[:-20],
        lambda text: "[]",
        lambda text: text.replace('"fingerprint": "', '"fingerprint": "0'),
        lambda text: text.replace('"points"', '"spots"'),
    ],
)
def test_what_is_no_recording_of_this_image_is_refused_in_one_sentence(
    session: Any, head: Path, tmp_path: Path, damage: Callable[[str], str]
) -> None:
    from DeepIGeoSLib.web.replay import replay

    volume = opened(session, head)
    paint(session, volume, "missing", (6, 20, 20))
    path = tmp_path / "done.json"
    path.write_text(damage(session.recording.text()))
    opened(session, head)
    with pytest.raises(InputError) as caught:
        asyncio.run(replay(session, path))
    assert "\n" not in str(caught.value)


def test_an_autosave_brings_back_mask_strokes_rounds_and_undo(
    session: Any, head: Path, tmp_path: Path
) -> None:
    from DeepIGeoSLib.web.autosave import Autosave

    autosave = Autosave(tmp_path / "work")
    volume = opened(session, head)
    assert not autosave.begin(session)
    first = paint(session, volume, "missing", (6, 20, 20))
    last = paint(session, volume, "too much", (6, 24, 24))
    strokes = session.bench.seeds.read(session.bench.volumeNode)
    autosave.write(session)
    count = len(session.recording.events)

    opened(session, head)
    assert autosave.begin(session)
    assert np.array_equal(answered(session), last)
    back = session.bench.seeds.read(session.bench.volumeNode)
    assert all(map(np.array_equal, back, strokes))
    assert len(session.bench.rounds) == 2
    assert len(session.recording.events) > count
    session.act("undo")
    assert np.array_equal(answered(session), first)


def test_a_crash_while_saving_leaves_the_state_before(
    session: Any, head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from DeepIGeoSLib.web import autosave as module

    autosave = module.Autosave(tmp_path / "work")
    volume = opened(session, head)
    autosave.begin(session)
    saved = paint(session, volume, "missing", (6, 20, 20))
    autosave.write(session)
    paint(session, volume, "missing", (6, 44, 36))

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "written_in_one_step", fail)
    with pytest.raises(KeyboardInterrupt):
        autosave.write(session)
    monkeypatch.undo()
    opened(session, head)
    assert autosave.begin(session)
    assert np.array_equal(answered(session), saved)


def test_cases_are_saved_beside_their_images_and_found_again(
    session: Any, head: Path, tmp_path: Path
) -> None:
    from DeepIGeoSLib.web.cases import Cases
    from DeepIGeoSLib.web.opened_folder import OpenedFolder

    for name in ("a.nii.gz", "b.nii.gz"):
        (tmp_path / name).write_bytes(head.read_bytes())
    cases = Cases(OpenedFolder(tmp_path))
    assert not cases.is_one_series
    name = cases.beside(1)
    assert name == "a"
    volume = opened(session, cases.image_of(name))
    cases.begin(name)
    assert not cases.show_stored(session)
    with pytest.raises(InputError, match="Nothing is segmented"):
        cases.save(session)
    mask = paint(session, volume, "missing", (6, 20, 20))
    assert cases.save(session, accept=True).name == "a-reviewed.seg.nrrd"
    assert cases.is_accepted
    assert cases.beside(1) == "b"

    again = Cases(OpenedFolder(tmp_path))
    assert [case["subtitle"].split(",")[0] for case in again.listed()] == ["accepted", "new"]
    opened(session, again.image_of("a"))
    again.begin("a")
    assert again.show_stored(session)
    assert np.array_equal(answered(session), mask)


def test_a_case_whose_image_is_gone_is_passed_over(head: Path, tmp_path: Path) -> None:
    from DeepIGeoSLib.web.cases import Cases
    from DeepIGeoSLib.web.opened_folder import OpenedFolder

    for name in ("a.nii.gz", "b.nii.gz", "c.nii.gz"):
        (tmp_path / name).write_bytes(head.read_bytes())
    cases = Cases(OpenedFolder(tmp_path))
    cases.begin("a")
    (tmp_path / "b.nii.gz").unlink()
    assert cases.beside(1) == "c"
    assert [case["subtitle"].partition("; ")[2] for case in cases.listed()] == [
        "",
        "its image is gone",
        "",
    ]
    cases.begin("c")
    assert cases.beside(-1) == "a"
    cases.current = ""
    (tmp_path / "a.nii.gz").unlink()
    assert cases.beside(1) == "c"
    with pytest.raises(InputError, match=r"b\.nii\.gz does not exist"):
        cases.image_of("b")


@pytest.mark.parametrize("ending", [".seg.nrrd", ".nii.gz", ".mrb", ".json"])
def test_results_are_whole_files_that_say_what_is_shown(
    session: Any, head: Path, tmp_path: Path, ending: str
) -> None:
    from DeepIGeoSLib.web.results import result_name, write_result

    volume = opened(session, head)
    mask = paint(session, volume, "missing", (6, 20, 20))
    path = tmp_path / result_name(session, ending)
    assert path.name.startswith("head")
    write_result(session, path)
    assert [found.name for found in tmp_path.iterdir()] == [path.name]
    if ending in (".seg.nrrd", ".nii.gz"):
        assert np.array_equal(volume.read_labels(path) > 0, mask)
    elif ending == ".mrb":
        with open_bundle(path) as scene:
            masks = [
                scene.read(node, lambda file: volume.read_labels(file) > 0)
                for node in scene.segmentations()
            ]
        assert any(np.array_equal(found, mask) for found in masks)
    else:
        assert json.loads(path.read_text())["volume"]["shape"] == list(volume.shape)


def test_uncertainty_is_laid_over_the_slices_and_taken_away(session: Any, head: Path) -> None:
    import slicer

    volume = opened(session, head)
    paint(session, volume, "missing", (6, 20, 20))
    session.uncertainty_shown = True
    while not (found := slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"))[1:]:
        time.sleep(0.01)
        session.poll()
    values = slicer.util.arrayFromVolume(found[1])
    assert values.shape == volume.shape
    assert values.min() >= 0
    assert values.max() <= 1
    assert found[1].GetDisplayNode().GetColorNode() is not None
    session.uncertainty_shown = False
    session.poll()
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 1


def test_an_image_that_cannot_be_read_leaves_the_one_before(
    session: Any, head: Path, tmp_path: Path
) -> None:
    opened(session, head)
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(head.read_bytes()[:500])
    with pytest.raises(InputError, match=r"broken\.nii\.gz"):
        asyncio.run(session.open(broken))
    assert session.case.path == head
    assert session.bench.volumeNode is not None


def test_a_damaged_autosave_is_put_aside_and_the_work_begins_anew(
    session: Any, head: Path, tmp_path: Path
) -> None:
    from DeepIGeoSLib.web.autosave import Autosave

    autosave = Autosave(tmp_path / "work")
    volume = opened(session, head)
    autosave.begin(session)
    paint(session, volume, "missing", (6, 20, 20))
    autosave.write(session)
    (saved,) = (tmp_path / "work").glob("*/*/segmentation.seg.nrrd")
    saved.write_bytes(saved.read_bytes()[:200])
    opened(session, head)
    with pytest.raises(InputError, match="begins anew") as caught:
        autosave.begin(session)
    assert "\n" not in str(caught.value)
    assert len(list((tmp_path / "work").glob("damaged-*/segmentation.seg.nrrd"))) == 1
    opened(session, head)
    assert not autosave.begin(session)


def test_the_model_fits_the_name_of_the_image_until_somebody_chooses_one(
    app: Any, head: Path, tmp_path: Path
) -> None:
    from DeepIGeoSLib.web.session import WebSession

    flair = tmp_path / "patient_flair.nii.gz"
    flair.write_bytes(head.read_bytes())
    session = WebSession(app)
    found = []
    for path in (flair, head):
        opened(session, path)
        found.append(session.bench.logic.bundle)
    session.use_model("geodesic")
    opened(session, flair)
    found.append(session.bench.logic.bundle)
    session.close_case()
    session.stop()
    assert found == ["flair-whole-tumor", "any-structure", "geodesic"]


def test_a_model_gets_ready_behind_the_page_or_at_the_first_stroke(
    session: Any, head: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(session.bench.logic, "getReady", lambda node: begun.append(node.GetName()))
    opened(session, head)
    session.use_model("geodesic")
    assert not begun  # the page comes first
    session.begin_model()
    session.begin_model()
    assert len(begun) == 1
    opened(session, head)
    assert len(begun) == 2


@pytest.mark.parametrize("first", ["stroke", "button"])
def test_who_does_not_wait_for_the_model_lets_it_begin(
    session: Any, head: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(session.bench.logic, "getReady", lambda node: begun.append(node.GetName()))
    volume = opened(session, head)
    if first == "stroke":
        paint(session, volume, "missing", (6, 20, 20))
    else:
        session.act("segment")
        answered(session)
    assert len(begun) == 1
