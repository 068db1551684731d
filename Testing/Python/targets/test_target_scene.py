"""Several targets in the scene: a segment for each, strokes for one, neighbors that stay apart."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from DeepIGeoSLib import InputError, Volume

from .conftest import BESIDE, NESTED

MARKED = (slice(4, 5), slice(14, 17), slice(10, 12))


@pytest.fixture
def volume_node(running_slicer, head: Volume):
    import slicer

    running_slicer.scene.Clear(0)
    yield slicer.util.addVolumeFromArray(head.array, ijkToRAS=head.ijk_to_ras, name="head")
    running_slicer.scene.Clear(0)


@pytest.fixture
def bench_of(bundle_of, volume_node):
    """Open a workbench with a bundle of some targets."""
    from DeepIGeoSLib.scene import SegmentationLogic, Workbench

    with ThreadPoolExecutor(max_workers=1) as worker:
        opened = []

        def open_bench(targets):
            bench = Workbench(SegmentationLogic(bundle_of(targets), executor=worker))
            bench.choose(volume_node, None, "")
            opened.append(bench)
            return bench

        yield open_bench
        for bench in opened:
            bench.close()


def settle(bench) -> str:
    end = time.monotonic() + 60
    bench.poll()
    while bench.busy:
        assert time.monotonic() < end, "still busy"
        time.sleep(0.005)
        bench.poll()
    return bench.status


def segment(bench) -> dict[str, str]:
    """Press Segment; return the IDs of the segments by their names."""
    bench.segment()
    settle(bench)
    return ids_of(bench.segmentationNode)


def ids_of(node) -> dict[str, str]:
    segmentation = node.GetSegmentation()
    return {segmentation.GetSegment(i).GetName(): i for i in segmentation.GetSegmentIDs()}


def content(bench, segment_id: str) -> np.ndarray:
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    return maskFromSegment(bench.volumeNode, bench.segmentationNode, segment_id)


def paint(bench, foreground: bool = True) -> np.ndarray:
    """Paint a stroke at ``MARKED``, and wait for its answer."""
    bench.prepareSeeds()
    box, stroke = MARKED, np.ones([part.stop - part.start for part in MARKED], dtype=bool)
    bench.strokes.paint(box, stroke, foreground)
    bench.refine()
    settle(bench)
    mask = np.zeros(content(bench, bench.segmentId).shape, dtype=bool)
    mask[MARKED] = True
    return mask


def test_segment_fills_a_named_and_colored_segment_for_each_target(
    bench_of, rim: np.ndarray, core: np.ndarray
) -> None:
    bench = bench_of(BESIDE)
    segments = segment(bench)
    assert list(segments) == ["rim", "core"]
    assert bench.status.startswith("Segmented: rim, core.")
    np.testing.assert_array_equal(content(bench, segments["rim"]), rim)
    np.testing.assert_array_equal(content(bench, segments["core"]), core)
    colors = bench.segmentationNode.GetSegmentation().GetSegment(segments["rim"]).GetColor()
    assert colors == pytest.approx((200 / 255, 10 / 255, 20 / 255), abs=1e-3)
    assert bench.segmentId == segments["rim"]
    for name in segments:
        bench.choose(bench.volumeNode, bench.segmentationNode, segments[name])
        assert [step.kind for step in bench.rounds] == ["segmented"]


def test_segment_again_finds_its_segments_and_leaves_completed_and_foreign_ones(
    bench_of, rim: np.ndarray, core: np.ndarray
) -> None:
    from DeepIGeoSLib.scene.lesions import addLesion, setCompleted

    bench = bench_of(BESIDE)
    segments = segment(bench)
    node = bench.segmentationNode
    node.GetSegmentation().GetSegment(segments["core"]).SetName("my core")
    setCompleted(node, segments["core"], True)
    bench.choose(bench.volumeNode, node, segments["rim"])
    paint(bench)
    changed = content(bench, segments["rim"])
    own = addLesion(node)
    again = segment(bench)
    assert list(again) == ["rim", "my core", "Lesion"]
    assert again["Lesion"] == own
    assert not content(bench, own).any()
    np.testing.assert_array_equal(content(bench, segments["core"]), core)
    np.testing.assert_array_equal(content(bench, segments["rim"]), rim)
    bench.undo()
    np.testing.assert_array_equal(content(bench, segments["rim"]), changed)


def test_strokes_refine_the_chosen_segment_and_take_what_they_mark(
    bench_of, rim: np.ndarray, core: np.ndarray
) -> None:
    bench = bench_of(BESIDE)
    segments = segment(bench)
    bench.choose(bench.volumeNode, bench.segmentationNode, segments["core"])
    marked = paint(bench)
    np.testing.assert_array_equal(content(bench, segments["core"]), core | marked)
    np.testing.assert_array_equal(content(bench, segments["rim"]), rim & ~marked)
    bench.undo()
    np.testing.assert_array_equal(content(bench, segments["core"]), core)


@pytest.mark.parametrize("rule", ["give way", "overlap"])
def test_neighbors_give_way_or_are_overlapped_where_the_user_wishes(
    bench_of, rim: np.ndarray, core: np.ndarray, rule: str
) -> None:
    bench = bench_of(BESIDE)
    segments = segment(bench)
    bench.options.neighbors = rule
    bench.choose(bench.volumeNode, bench.segmentationNode, segments["core"])
    marked = paint(bench)
    grown, left = (content(bench, segments[name]) for name in ("core", "rim"))
    assert grown.sum() > (core | marked).sum()
    np.testing.assert_array_equal(left, rim if rule == "overlap" else rim & ~grown)


def test_completed_neighbors_lose_nothing(bench_of, rim: np.ndarray, core: np.ndarray) -> None:
    from DeepIGeoSLib.scene.lesions import setCompleted

    bench = bench_of(BESIDE)
    segments = segment(bench)
    setCompleted(bench.segmentationNode, segments["rim"], True)
    bench.choose(bench.volumeNode, bench.segmentationNode, segments["core"])
    paint(bench)
    np.testing.assert_array_equal(content(bench, segments["rim"]), rim)
    np.testing.assert_array_equal(content(bench, segments["core"]), core)


def test_targets_in_each_other_overlap_as_they_should(
    bench_of, rim: np.ndarray, core: np.ndarray
) -> None:
    bench = bench_of(NESTED)
    segments = segment(bench)
    bench.choose(bench.volumeNode, bench.segmentationNode, segments["core"])
    marked = paint(bench)
    assert content(bench, segments["core"])[marked].all()
    np.testing.assert_array_equal(content(bench, segments["whole"]), rim | core)


def test_a_stroke_in_an_empty_segment_of_nobody_grows_from_nothing(bench_of) -> None:
    bench = bench_of(BESIDE)
    marked = paint(bench)
    found = content(bench, bench.segmentId)
    assert found[marked].all()
    assert found.sum() < 500  # P-Net's first target has 768


def test_rounds_of_a_target_survive_another_workbench(
    bench_of, rim: np.ndarray, core: np.ndarray
) -> None:
    first = bench_of(BESIDE)
    segments = segment(first)
    second = bench_of(BESIDE)
    second.choose(first.volumeNode, first.segmentationNode, segments["core"])
    marked = paint(second)
    np.testing.assert_array_equal(content(second, segments["core"]), core | marked)
    np.testing.assert_array_equal(content(second, segments["rim"]), rim & ~marked)


def test_one_segment_alone_is_told_by_its_name(bench_of, core: np.ndarray, rim: np.ndarray) -> None:
    """As in the Segment Editor, which writes into the selected segment alone."""
    bench = bench_of(BESIDE)
    bench.options.allTargets = False
    bench.segment()
    assert "give the segment the name of one: rim, core" in settle(bench)
    bench.segmentationNode.GetSegmentation().GetSegment(bench.segmentId).SetName("core")
    assert list(segment(bench)) == ["core"]
    np.testing.assert_array_equal(content(bench, bench.segmentId), core)


def test_scripts_get_the_segments_by_their_targets(
    bundle_of, volume_node, core: np.ndarray
) -> None:
    from DeepIGeoSLib.scene import SegmentationLogic
    from DeepIGeoSLib.scene.nodes import maskFromSegment

    logic = SegmentationLogic(bundle_of(BESIDE))
    node, segment_id = logic.newTarget(volume_node)
    segments = logic.proposeTargets(volume_node, node, segment_id)
    assert list(segments) == ["rim", "core"]
    assert segments["rim"] == segment_id
    np.testing.assert_array_equal(maskFromSegment(volume_node, node, segments["core"]), core)
    with pytest.raises(InputError, match="give the segment the name of one: rim, core"):
        logic.propose(volume_node, *logic.newTarget(volume_node))
    with pytest.raises(InputError, match="neighbors is 'push'"):
        logic.startRefine(volume_node, node, segment_id, None, None, neighbors="push")
