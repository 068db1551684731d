"""What a user does, button by button, on a real scene with a real session on a worker thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

STROKE_IN_RIM = (slice(5, 6), slice(16, 18), slice(12, 17))
STROKE_IN_LESION = (slice(5, 6), slice(9, 11), slice(12, 17))


@pytest.fixture
def worker():
    """The thread that owns the model."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        yield executor


@pytest.fixture
def hold(worker):
    """Keep the worker from starting anything until the event is set."""
    release = threading.Event()
    begun = threading.Event()
    worker.submit(lambda: (begun.set(), release.wait(20)))
    begun.wait(20)
    yield release
    release.set()


@pytest.fixture
def bench(tiny_bundle, running_slicer, worker, volume_node):
    """A workbench on the volume, with nothing else chosen."""
    from DeepIGeoSLib.scene import SegmentationLogic, Workbench

    bench = Workbench(SegmentationLogic(tiny_bundle, executor=worker))
    bench.choose(volume_node, None, "")
    yield bench
    bench.close()


def settle(bench):
    """Let the timer tick until nothing runs any more; return the status."""
    end = time.monotonic() + 20
    bench.poll()
    while bench.busy:
        assert time.monotonic() < end, "still busy"
        time.sleep(0.005)
        bench.poll()
    return bench.status


def content(bench, segment_id=None):
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    return maskFromSegment(bench.volumeNode, bench.segmentationNode, segment_id or bench.segmentId)


def paint(bench, box, name="foreground", erase=False):
    """Paint a box as seeds, through Slicer's own segment editor logic."""
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    bench.prepareSeeds()
    seeds = bench.seeds
    logic = slicer.vtkSlicerSegmentEditorLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    node = slicer.vtkMRMLSegmentEditorNode()
    node.SetOverwriteMode(node.OverwriteNone)
    slicer.mrmlScene.AddNode(node)
    logic.SetSegmentEditorNode(node)
    logic.SetSegmentationNode(seeds.segmentationNode)
    logic.SetSourceVolumeNode(bench.volumeNode)
    segment_id = getattr(seeds, f"{name}Id")
    logic.SetCurrentSegmentID(segment_id)
    logic.ResetModifierLabelmapToDefault()
    labelmap = logic.GetModifierLabelmap()
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars())
    voxels.reshape(labelmap.GetDimensions()[::-1])[box] = 1
    labelmap.Modified()
    mode = logic.ModificationModeRemove if erase else logic.ModificationModeAdd
    logic.ModifySegmentByLabelmap(seeds.segmentationNode, segment_id, labelmap, mode, True, False)
    slicer.mrmlScene.RemoveNode(node)


def seeds_of(bench):
    return bench.seeds.read(bench.volumeNode)


def test_one_click_makes_a_segmentation_and_fills_it(bench, lesion):
    assert "Press Segment" in bench.status
    bench.segment()
    assert settle(bench).startswith("Segmented.")
    np.testing.assert_array_equal(content(bench), lesion)
    assert bench.segmentationNode.GetName() == "flair segmentation"
    segment = bench.segmentationNode.GetSegmentation().GetSegment(bench.segmentId)
    assert segment.GetName() == "Lesion"


def test_a_stroke_is_answered_without_any_button(bench, rim):
    bench.segment()
    settle(bench)
    paint(bench, STROKE_IN_RIM)
    assert settle(bench).startswith("Refined.")
    assert content(bench)[STROKE_IN_RIM].all()
    assert (content(bench) & rim).sum() > 0.9 * rim.sum()


def test_with_auto_refine_off_strokes_wait_for_the_button(bench, lesion):
    bench.options.autoRefine = False
    bench.segment()
    settle(bench)
    paint(bench, STROKE_IN_LESION, "background")
    assert "press Refine" in settle(bench)
    np.testing.assert_array_equal(content(bench), lesion)
    bench.refine()
    settle(bench)
    assert not content(bench)[STROKE_IN_LESION].any()


def test_results_stay_out_of_the_scene_until_the_timer_brings_them(bench, worker, lesion):
    bench.segment()
    worker.submit(int).result()  # the one thread is done with everything before this
    assert not content(bench).any()
    settle(bench)
    np.testing.assert_array_equal(content(bench), lesion)


def test_undo_and_redo_move_seeds_and_result_together(bench, lesion):
    bench.segment()
    settle(bench)
    states = []
    for box, name in ((STROKE_IN_RIM, "foreground"), (STROKE_IN_LESION, "background")):
        paint(bench, box, name)
        settle(bench)
        states.append((content(bench), *seeds_of(bench)))
    assert [done.kind for done in bench.rounds] == ["segmented", "refined", "refined"]

    def shows(state):
        for mask, expected in zip((content(bench), *seeds_of(bench)), state, strict=True):
            np.testing.assert_array_equal(mask, expected)

    bench.undo()
    settle(bench)
    shows(states[0])
    bench.undo()
    settle(bench)
    shows((lesion, np.zeros_like(lesion), np.zeros_like(lesion)))
    bench.undo()
    settle(bench)
    assert not content(bench).any()
    assert not bench.canUndo
    for _ in range(3):
        bench.redo()
        settle(bench)
    shows(states[1])
    assert not bench.canRedo


def test_undo_takes_unanswered_strokes_back_first_and_redo_brings_them_back(bench, lesion):
    bench.options.autoRefine = False
    bench.segment()
    settle(bench)
    paint(bench, STROKE_IN_RIM)
    bench.undo()
    assert not seeds_of(bench)[0].any()
    np.testing.assert_array_equal(content(bench), lesion)
    bench.redo()
    assert seeds_of(bench)[0][STROKE_IN_RIM].all()
    bench.refine()
    settle(bench)
    assert content(bench)[STROKE_IN_RIM].all()


def test_an_erased_seed_is_forgotten_and_undo_brings_it_back(bench):
    bench.segment()
    settle(bench)
    paint(bench, STROKE_IN_LESION, "background")
    settle(bench)
    paint(bench, STROKE_IN_LESION, "background", erase=True)
    settle(bench)
    assert [done.kind for done in bench.rounds] == ["segmented", "refined", "refined"]
    assert bench.logic.strokes(*bench.target.place).empty
    bench.undo()
    settle(bench)
    assert seeds_of(bench)[1][STROKE_IN_LESION].all()


def test_the_newest_stroke_wins_while_one_is_being_answered(bench, hold):
    second = (slice(6, 7), slice(20, 21), slice(20, 24))
    paint(bench, STROKE_IN_RIM)
    bench.poll()
    assert bench.busy
    paint(bench, second)
    bench.poll()
    hold.set()
    settle(bench)
    assert content(bench)[STROKE_IN_RIM].all()
    assert content(bench)[second].all()
    assert [done.kind for done in bench.rounds] == ["refined"]


def test_a_stroke_during_the_first_segmentation_waits_for_it(bench, hold, lesion):
    bench.segment()
    paint(bench, STROKE_IN_RIM)
    bench.poll()
    hold.set()
    settle(bench)
    assert [done.kind for done in bench.rounds] == ["segmented", "refined"]
    assert content(bench)[STROKE_IN_RIM].all()
    assert content(bench)[lesion].all()


def test_cancel_leaves_the_scene_as_it_is(bench, hold):
    bench.segment()
    assert bench.busy
    bench.cancel()
    hold.set()
    assert "Cancelled" in settle(bench)
    assert not content(bench).any()


def test_a_scene_closed_during_a_run_stays_closed(bench, hold, running_slicer):
    bench.segment()
    bench.close()
    running_slicer.scene.Clear(0)
    hold.set()
    settle(bench)
    assert running_slicer.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    assert "Load an image" in bench.status


def test_a_volume_switched_during_a_run_gets_nothing_of_the_old_one(bench, hold, volume_node):
    import slicer

    other = slicer.util.addVolumeFromArray(slicer.util.arrayFromVolume(volume_node), name="t1")
    bench.segment()
    first = (bench.segmentationNode, bench.segmentId)
    bench.choose(other, *first)
    hold.set()
    settle(bench)
    assert not content(bench).any()
    bench.segment()
    settle(bench)
    assert content(bench).any()


def test_a_volume_deleted_during_a_run_is_told(bench, hold, volume_node, running_slicer):
    bench.segment()
    running_slicer.scene.RemoveNode(volume_node)
    hold.set()
    assert "no longer in the scene" in settle(bench)


def test_a_target_deleted_during_a_run_is_told(bench, hold):
    bench.segment()
    bench.segmentationNode.GetSegmentation().RemoveSegment(bench.segmentId)
    hold.set()
    assert "no segment with the ID" in settle(bench)


def test_another_model_forgets_what_runs(bench, hold, tmp_path, tiny_bundle):
    bench.segment()
    bench.useModel(str(tiny_bundle))
    hold.set()
    settle(bench)
    assert not content(bench).any()


def test_accepting_keeps_the_result_clears_the_seeds_and_locks(bench):
    bench.segment()
    settle(bench)
    paint(bench, STROKE_IN_RIM)
    settle(bench)
    before = content(bench)
    bench.accept()
    assert bench.isAccepted
    assert not any(mask.any() for mask in seeds_of(bench))
    bench.segment()
    assert "is completed, and stays as it is" in settle(bench)
    np.testing.assert_array_equal(content(bench), before)

    bench.reopen()
    assert seeds_of(bench)[0][STROKE_IN_RIM].all()
    bench.undo()
    settle(bench)
    assert not content(bench)[STROKE_IN_RIM].all()


def test_the_next_lesion_is_a_segment_of_its_own_grown_from_its_seeds(bench, lesion):
    bench.segment()
    settle(bench)
    first = bench.segmentId
    bench.nextLesion()
    assert bench.segmentId != first
    assert "New lesion" in bench.status
    stroke = (slice(2, 3), slice(20, 22), slice(22, 27))
    paint(bench, stroke)
    settle(bench)
    assert content(bench)[stroke].all()
    assert not content(bench)[lesion].any()
    np.testing.assert_array_equal(content(bench, first), lesion)
    names = [
        bench.segmentationNode.GetSegmentation().GetSegment(i).GetName()
        for i in bench.segmentationNode.GetSegmentation().GetSegmentIDs()
    ]
    assert names == ["Lesion", "Lesion 2"]


def test_each_target_keeps_its_own_seeds(bench):
    paint(bench, STROKE_IN_RIM)
    settle(bench)
    first = bench.segmentId
    bench.nextLesion()
    assert not any(mask.any() for mask in seeds_of(bench))
    bench.choose(bench.volumeNode, bench.segmentationNode, first)
    bench.reopen()
    assert seeds_of(bench)[0][STROKE_IN_RIM].all()


def test_other_segments_can_be_kept_free(bench, segmentation_node, other_mask, lesion):
    bench.choose(bench.volumeNode, segmentation_node, "tumor")
    bench.options.editableArea = (segmentation_node.EditAllowedOutsideAllSegments,)
    bench.segment()
    settle(bench)
    np.testing.assert_array_equal(content(bench), lesion & ~other_mask)
    across = (slice(5, 6), slice(5, 7), slice(8, 20))
    paint(bench, across)
    settle(bench)
    assert not content(bench)[other_mask].any()
    np.testing.assert_array_equal(content(bench, "other"), other_mask)
    bench.undo()
    settle(bench)
    np.testing.assert_array_equal(content(bench), lesion & ~other_mask)


def test_a_pinned_region_limits_what_may_change(bench):
    from DeepIGeoSLib.scene.places import boxOfRoi, showBox

    bench.segment()
    settle(bench)
    before = content(bench)
    paint(bench, STROKE_IN_RIM)
    settle(bench)
    box = boxOfRoi(bench.region.node, bench.volumeNode)
    outside = np.ones_like(before)
    outside[box] = False
    np.testing.assert_array_equal(content(bench)[outside], before[outside])
    assert not outside[STROKE_IN_RIM].any()

    bench.undo()
    settle(bench)
    bench.region.pin(bench.volumeNode, True)
    pinned = (slice(4, 7), slice(15, 19), slice(11, 15))
    showBox(bench.region.node, bench.volumeNode, pinned)
    paint(bench, STROKE_IN_RIM)
    settle(bench)
    changed = content(bench) != before
    changed[pinned] = False
    changed[STROKE_IN_RIM] = False
    assert not changed.any()
    assert boxOfRoi(bench.region.node, bench.volumeNode) == pinned


def test_a_pinned_region_beside_the_volume_is_told(bench):
    from DeepIGeoSLib.scene.places import showBox

    bench.segment()
    settle(bench)
    bench.region.pin(bench.volumeNode, True)
    showBox(bench.region.node, bench.volumeNode, (slice(80, 90), slice(0, 9), slice(0, 9)))
    paint(bench, STROKE_IN_RIM)
    assert "does not touch the volume" in settle(bench)


def test_the_views_jump_from_one_uncertain_place_to_the_next(bench, scene):
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    bench.segment()
    settle(bench)
    paint(bench, STROKE_IN_RIM)
    settle(bench)
    bench.lookAtNextPlace()
    status = settle(bench)
    if "no uncertain place" in status:
        pytest.fail("the tiny model leaves no doubt")
    assert "Uncertain place 1 of" in status
    first = view.GetSliceToRAS().GetElement(1, 3)
    bench.lookAtNextPlace()
    assert "Uncertain place" in bench.status
    assert isinstance(first, float)


def test_rounds_tell_the_changed_volume(bench, lesion):
    bench.segment()
    settle(bench)
    (segmented,) = bench.rounds
    assert segmented.kind == "segmented"
    assert segmented.changed == pytest.approx(lesion.sum() * 3 / 1000)
    assert segmented.total == segmented.changed
    paint(bench, STROKE_IN_LESION, "background")
    settle(bench)
    removed = lesion.sum() - content(bench).sum()
    assert bench.rounds[-1].changed == pytest.approx(removed * 3 / 1000)


def test_without_a_model_seeds_alone_segment(bench, lesion):
    bench.useModel("geodesic")
    bench.segment()
    assert "no automatic segmentation" in bench.status
    bench.options.autoRefine = False
    paint(bench, STROKE_IN_LESION)
    paint(bench, (slice(4, 7), slice(4, 6), slice(4, 27)), "background")
    paint(bench, (slice(4, 7), slice(20, 22), slice(4, 27)), "background")
    bench.refine()
    settle(bench)
    assert 2 * (content(bench) & lesion).sum() / (content(bench).sum() + lesion.sum()) > 0.75


def test_refining_without_seeds_asks_for_them(bench):
    bench.segment()
    settle(bench)
    bench.refine()
    assert "No seeds are painted yet" in settle(bench)


def test_a_segment_on_another_grid_is_left_as_it_is(bench, volume_node, lesion):
    import slicer

    bench.segment()
    settle(bench)
    finer = slicer.util.addVolumeFromArray(
        np.random.default_rng(0).normal(100, 9, (20, 40, 40)), name="finer"
    )
    bench.choose(finer, bench.segmentationNode, bench.segmentId)
    bench.segment()
    assert "lies on another grid than the volume 'finer'" in settle(bench)
    bench.choose(volume_node, bench.segmentationNode, bench.segmentId)
    np.testing.assert_array_equal(content(bench), lesion)


def test_an_unexpected_failure_is_told_and_changes_nothing(bench, monkeypatch, lesion):
    from DeepIGeoSLib.interaction import rounds

    bench.segment()
    settle(bench)

    def fail(*_, **__):
        raise MemoryError("not enough of it")

    monkeypatch.setattr(rounds, "refine", fail)
    paint(bench, STROKE_IN_RIM)
    assert "Failed: not enough of it" in settle(bench)
    np.testing.assert_array_equal(content(bench), lesion)
    assert seeds_of(bench)[0][STROKE_IN_RIM].all()


def test_only_the_targets_own_seeds_are_shown(bench):
    paint(bench, STROKE_IN_RIM)
    settle(bench)
    old = bench.seeds
    bench.nextLesion()
    display = old.segmentationNode.GetDisplayNode()
    assert not display.GetSegmentVisibility(old.foregroundId)
    assert display.GetSegmentVisibility(bench.seeds.foregroundId)


def test_seeds_and_their_owner_are_saved_with_the_scene(bench, running_slicer, tmp_path):
    import slicer

    paint(bench, STROKE_IN_RIM)
    settle(bench)
    path = str(tmp_path / "scene.mrb")
    slicer.util.saveScene(path)
    bench.close()
    running_slicer.scene.Clear(0)
    slicer.util.loadScene(path)
    segmentation = slicer.util.getNode("flair segmentation")
    (segment_id,) = segmentation.GetSegmentation().GetSegmentIDs()
    bench.choose(slicer.util.getNode("flair"), segmentation, segment_id)
    assert seeds_of(bench)[0][STROKE_IN_RIM].all()


def test_what_a_front_end_sets_on_the_workbench_holds(scene) -> None:
    import slicer

    from DeepIGeoSLib.scene import SegmentationLogic, Workbench

    bench = Workbench(SegmentationLogic("geodesic"))
    area = (slicer.vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments,)
    bench.editableArea, bench.autoRefine = area, False
    assert (bench.options.editableArea, bench.options.autoRefine) == (area, False)
    assert (bench.editableArea, bench.autoRefine) == (area, False)
    bench.close()
