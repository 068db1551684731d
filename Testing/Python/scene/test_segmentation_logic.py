"""Propose, paint seeds, refine, undo: on a real scene, with Slicer's own segment editor logic."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from DeepIGeoSLib.errors import Cancelled, InputError

STROKE_IN_RIM = (slice(5, 6), slice(16, 18), slice(12, 17))
STROKE_IN_LESION = (slice(5, 6), slice(9, 11), slice(12, 17))


@pytest.fixture
def place(volume_node, segmentation_node):
    """The target: volume, segmentation and segment ID."""
    return (volume_node, segmentation_node, "tumor")


def content(place, segment_id=None):
    """What a segment holds."""
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    return maskFromSegment(place[0], place[1], segment_id or place[2])


def refine(logic, place, **options):
    """Refine by the two seed segments."""
    return logic.refine(*place, "foreground", "background", **options)


@pytest.mark.parametrize(
    "volume_node", ["aligned", "sagittal", "oblique and left-handed"], indirect=True
)
def test_the_main_job_propose_paint_refine(logic, place, editor, lesion, rim, other_mask):
    proposal = logic.propose(*place)
    np.testing.assert_array_equal(content(place), lesion)
    np.testing.assert_array_equal(content(place), proposal.labels)

    editor.paint("foreground", STROKE_IN_RIM)
    editor.paint("background", STROKE_IN_LESION)
    refined = refine(logic, place)
    np.testing.assert_array_equal(content(place), refined.labels)
    assert content(place)[STROKE_IN_RIM].all()
    assert not content(place)[STROKE_IN_LESION].any()
    assert (content(place) & rim).sum() > 0.9 * rim.sum()
    np.testing.assert_array_equal(content(place, "other"), other_mask)


def test_a_stroke_changes_nothing_far_away(logic, place, editor):
    logic.propose(*place)
    before = content(place)
    editor.paint("foreground", STROKE_IN_RIM)
    changed_box = refine(logic, place).changed_box
    differs = np.argwhere(content(place) != before)
    assert differs.size
    for axis, part in enumerate(changed_box):
        assert differs[:, axis].min() == part.start
        assert differs[:, axis].max() == part.stop - 1
    assert not content(place)[:, :, 26:].any()


def test_refining_an_empty_segment_proposes_first(logic, place, editor, lesion):
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    assert content(place)[lesion].all()
    assert content(place)[STROKE_IN_RIM].all()


def test_any_mask_can_be_refined(logic, place, editor, lesion):
    own = (slice(2, 4), slice(20, 24), slice(22, 28))  # nowhere near the lesion
    editor.paint("tumor", own)
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    assert content(place)[own].all()
    assert content(place)[STROKE_IN_RIM].all()
    assert not content(place)[STROKE_IN_LESION].any()


def test_without_seeds_the_segment_stays(logic, place, lesion):
    logic.propose(*place)
    refine(logic, place)
    np.testing.assert_array_equal(content(place), lesion)


@pytest.mark.parametrize("absent", ["foreground", "background"])
def test_one_class_of_seeds_may_be_none(logic, place, editor, absent):
    logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    editor.paint("background", STROKE_IN_LESION)
    ids = [None if name == absent else name for name in ("foreground", "background")]
    logic.refine(*place, *ids)
    assert content(place)[STROKE_IN_RIM].all() == (absent == "background")
    assert content(place)[STROKE_IN_LESION].all() == (absent == "background")


def test_an_edit_by_hand_is_what_the_next_round_starts_from(logic, place, editor):
    logic.propose(*place)
    editor.paint("tumor", (slice(1, 9), slice(2, 26), slice(10, 13)), erase=True)
    added = (slice(1, 3), slice(20, 25), slice(25, 29))
    editor.paint("tumor", added)
    edited = content(place)
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    assert content(place)[added].all()
    assert not content(place)[4:7, 8:12, 10:11].any()

    logic.undo(*place)
    np.testing.assert_array_equal(content(place), edited)
    logic.undo(*place)
    logic.redo(*place)
    np.testing.assert_array_equal(content(place), edited)


def test_undo_and_redo_go_through_all_rounds_and_tell_what_changed(logic, place, editor):
    from DeepIGeoSLib.grid.boxes import bounding_box

    states = [content(place)]
    logic.propose(*place)
    states.append(content(place))
    for stroke in (STROKE_IN_RIM, (slice(6, 7), slice(20, 21), slice(20, 24))):
        editor.paint("foreground", stroke)
        refine(logic, place)
        states.append(content(place))
    assert len({state.tobytes() for state in states}) == 4
    for state in states[-2::-1]:
        assert logic.canUndo(*place)
        before = content(place)
        box = logic.undo(*place)
        np.testing.assert_array_equal(content(place), state)
        assert box == bounding_box(before != state)
    assert not logic.canUndo(*place)
    with pytest.raises(InputError, match="no round to undo"):
        logic.undo(*place)
    for state in states[1:]:
        assert logic.canRedo(*place)
        before = content(place)
        box = logic.redo(*place)
        np.testing.assert_array_equal(content(place), state)
        assert box == bounding_box(before != state)
    assert not logic.canRedo(*place)


def test_what_the_segment_held_before_comes_back_by_undo(logic, place, editor):
    editor.paint("tumor", STROKE_IN_RIM)
    before = content(place)
    logic.propose(*place)
    logic.undo(*place)
    np.testing.assert_array_equal(content(place), before)


def test_the_segment_editor_can_undo_and_redo_a_result(logic_in_editor, place, editor, lesion):
    logic = logic_in_editor
    logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    refined = content(place)

    editor.logic.Undo()  # the refinement
    np.testing.assert_array_equal(content(place), lesion)
    assert content(place, "foreground").any()
    editor.logic.Undo()  # the stroke
    assert not content(place, "foreground").any()
    editor.logic.Undo()  # the proposal
    assert not content(place).any()
    for _ in range(3):
        editor.logic.Redo()
    np.testing.assert_array_equal(content(place), refined)


def test_the_session_follows_the_segment_editors_undo(logic_in_editor, place, editor, lesion):
    logic = logic_in_editor
    logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    editor.logic.Undo()
    editor.logic.Undo()
    editor.paint("foreground", (slice(6, 7), slice(20, 21), slice(20, 24)))
    refine(logic, place)
    assert content(place)[6, 20, 20:24].all()
    logic.undo(*place)
    np.testing.assert_array_equal(content(place), lesion)
    assert [done.kind for done in logic.rounds(*place)] == ["segmented"]


def test_a_round_that_was_dropped_counts_as_an_edit_when_it_is_shown_again(logic, place, editor):
    from DeepIGeoSLib.scene.nodes import writeMaskToSegment

    def refined_by(stroke):
        editor.paint("foreground", stroke)
        refine(logic, place)
        return content(place)

    logic.propose(*place)
    dropped = refined_by(STROKE_IN_RIM)
    logic.undo(*place)
    editor.paint("foreground", STROKE_IN_RIM, erase=True)
    kept = refined_by((slice(6, 7), slice(20, 21), slice(20, 24)))
    refined_by((slice(3, 4), slice(22, 23), slice(4, 8)))
    logic.undo(*place)

    writeMaskToSegment(dropped, *place)
    logic.undo(*place)
    np.testing.assert_array_equal(content(place), kept)
    logic.redo(*place)
    np.testing.assert_array_equal(content(place), dropped)


@pytest.fixture
def logic_in_editor(tiny_bundle, editor):
    """A logic whose results the editor's undo takes back."""
    from DeepIGeoSLib.scene import SegmentationLogic

    return SegmentationLogic(tiny_bundle, saveStateForUndo=editor.logic.SaveStateForUndo)


def test_no_undo_state_is_saved_when_nothing_changes(tiny_bundle, place, lesion):
    from DeepIGeoSLib.scene import SegmentationLogic

    saved = []
    logic = SegmentationLogic(tiny_bundle, saveStateForUndo=lambda: saved.append(content(place)))
    logic.propose(*place)
    logic.propose(*place)
    assert len(saved) == 1
    assert not saved[0].any()


def test_the_rounds_continue_from_call_to_call(logic, place, editor, monkeypatch):
    from DeepIGeoSLib.interaction.session import InteractiveSession

    taken = []
    original = InteractiveSession.set_volume
    monkeypatch.setattr(
        InteractiveSession,
        "set_volume",
        lambda self, volume: (taken.append(volume), original(self, volume)),
    )
    logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    logic.undo(*place)
    assert len(taken) == 1


def test_a_changed_volume_is_not_answered_from_the_old_one(logic, place, lesion):
    import slicer

    logic.propose(*place)
    voxels = slicer.util.arrayFromVolume(place[0])
    voxels[:] = voxels[:, ::-1]
    slicer.util.arrayFromVolumeModified(place[0])
    logic.propose(*place)
    np.testing.assert_array_equal(content(place), lesion[:, ::-1])


def test_two_targets_have_rounds_of_their_own(logic, place, editor, lesion):
    second = (*place[:2], "background")
    logic.propose(*place)
    logic.propose(*second)
    editor.paint("foreground", STROKE_IN_RIM)
    logic.refine(*second, "foreground", None)
    logic.undo(*second)
    np.testing.assert_array_equal(content(second), lesion)
    np.testing.assert_array_equal(content(place), lesion)
    assert [done.kind for done in logic.rounds(*place)] == ["segmented"]
    assert logic.canRedo(*second)


def test_more_targets_than_sessions_kept_still_work(logic, place, lesion):
    segmentation = place[1].GetSegmentation()
    ids = [segmentation.AddEmptySegment(f"lesion {n}") for n in range(6)]
    for segment_id in ids:
        logic.propose(place[0], place[1], segment_id)
    logic.propose(place[0], place[1], ids[0])
    for segment_id in ids:
        np.testing.assert_array_equal(content(place, segment_id), lesion)


def test_after_reset_the_rounds_begin_with_what_the_segment_holds(logic, place, editor, rim):
    logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    refine(logic, place)
    accepted = content(place)
    logic.reset(*place)
    assert not logic.canUndo(*place)
    editor.paint("foreground", (slice(0, 10), slice(0, 28), slice(0, 32)), erase=True)
    refine(logic, place)
    np.testing.assert_array_equal(content(place), accepted)


def test_progress_is_told_from_begin_to_end(logic, place):
    told = []
    logic.propose(*place, progress=lambda fraction, text: told.append((fraction, text)))
    assert told[0][0] == 0
    assert told[-1][0] == 1
    assert all(text for _, text in told)


def test_a_cancelled_call_changes_neither_scene_nor_session(logic, place, editor, lesion):
    logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        refine(logic, place, cancel=cancel)
    np.testing.assert_array_equal(content(place), lesion)
    assert len(logic.rounds(*place)) == 1
    refine(logic, place)
    assert content(place)[STROKE_IN_RIM].all()


@pytest.fixture
def worker_logic(tiny_bundle, running_slicer):
    """A logic that computes on a thread of its own."""
    from DeepIGeoSLib.scene import SegmentationLogic

    with ThreadPoolExecutor(max_workers=1) as executor:
        yield SegmentationLogic(tiny_bundle, executor=executor)


def test_a_started_computation_writes_when_it_is_finished(worker_logic, place, lesion):
    computation = worker_logic.startPropose(*place)
    computation.future.result()
    assert computation.done
    assert not content(place).any()
    computation.finish()
    np.testing.assert_array_equal(content(place), lesion)


def test_the_segment_cant_be_started_twice_at_a_time(worker_logic, place, lesion):
    hold = threading.Event()
    computation = worker_logic.startPropose(*place, progress=lambda *_: hold.wait(10))
    with pytest.raises(InputError, match="still being computed"):
        worker_logic.propose(*place)
    hold.set()
    computation.finish()
    np.testing.assert_array_equal(content(place), lesion)


def test_a_result_that_was_never_written_is_forgotten(worker_logic, place, editor, lesion):
    worker_logic.propose(*place)
    editor.paint("foreground", STROKE_IN_RIM)
    worker_logic.startRefine(*place, "foreground", "background").future.result()
    editor.paint("foreground", STROKE_IN_RIM, erase=True)
    refine(worker_logic, place)
    np.testing.assert_array_equal(content(place), lesion)


def test_a_running_computation_can_be_cancelled(worker_logic, place):
    started, hold = threading.Event(), threading.Event()

    def progress(*_):
        started.set()
        hold.wait(10)

    computation = worker_logic.startPropose(*place, progress=progress)
    started.wait(10)
    computation.cancel()
    hold.set()
    with pytest.raises(Cancelled):
        computation.finish()
    assert not content(place).any()
