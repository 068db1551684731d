"""Pixel, Rand and warping error, against numbers by hand and against brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.partition import (
    THRESHOLDS,
    LeastErrors,
    errors_by_threshold,
    partition_errors,
    pixel_error,
    rand_error,
    warped,
    warping_error,
)
from DeepIGeoSLib.evaluation.simple_points import IS_SIMPLE, code_at, eight_neighbors


def image(*rows: str) -> np.ndarray:
    return np.array([[c == "#" for c in row] for row in rows])


# Two cells with a membrane between them; the same with a gap in the membrane; one cell halved.
TWO = image("##.##", "##.##", "##.##")
MERGED = image("##.##", "#####", "##.##")
SPLIT = image("##.##", "##...", "##.##")
SHIFTED = image("#.###", "#.###", "#.###")


def topology(mask: np.ndarray) -> tuple[int, int]:
    """Objects (by edges) and parts of the background (by corners) of an image in a dark frame."""
    framed = np.pad(mask, 1)
    return ndimage.label(framed)[1], ndimage.label(~framed, np.ones((3, 3)))[1]


def test_pixel_error_counts_pixels() -> None:
    assert pixel_error(MERGED, TWO) == pytest.approx(1 / 15)
    assert pixel_error(TWO, TWO) == 0


def test_rand_error_of_a_merger_and_a_split_by_hand() -> None:
    # 12 true foreground pixels, 6 in each cell: 2 * 15 pairs belong together.
    assert rand_error(TWO, TWO) == 0
    # Merged: 66 pairs are together, 30 of them rightly.
    assert rand_error(MERGED, TWO) == pytest.approx(1 - 2 * 30 / (66 + 30))
    # Split: 15 pairs of the left cell and 1 + 1 of the right one, whose other pixels are alone.
    assert rand_error(SPLIT, TWO) == pytest.approx(1 - 2 * 17 / (17 + 30))
    # Numbers in the place of a mask: two objects that touch.
    touching = np.array([[1, 1, 2, 2]])
    assert rand_error(touching > 0, touching) == pytest.approx(1 - 2 * 2 / (6 + 2))


def test_rand_error_is_that_of_counting_every_pair() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        labels, truth = (random.random((7, 6)) < 0.7 for _ in range(2))
        known, found = (ndimage.label(mask)[0] for mask in (truth, labels))
        right = claimed = wanted = 0
        places = np.argwhere(truth)
        for one, other in combinations(map(tuple, places), 2):
            same = known[one] == known[other]
            joined = found[one] == found[other] != 0
            right += same and joined
            claimed += joined
            wanted += same
        expected = 1 - 2 * right / (claimed + wanted) if claimed + wanted else 0
        assert rand_error(labels, truth) == pytest.approx(expected)


def test_nothing_in_both_is_no_error() -> None:
    nothing = np.zeros((3, 4), dtype=bool)
    assert rand_error(nothing, nothing) == 0
    assert warping_error(nothing, nothing) == 0


def test_simple_points_are_those_whose_change_keeps_the_topology_everywhere() -> None:
    random = np.random.default_rng(0)
    rings = [np.zeros((5, 5), np.uint8), np.ones((5, 5), np.uint8)]
    rings += [(random.random((5, 5)) < share).astype(np.uint8) for share in (0.3, 0.5, 0.7) * 3]
    for code in range(256):
        changes = False
        for ring in rings:
            patch = ring.copy()
            for bit, (row, column) in enumerate(
                ((1, 1), (1, 2), (1, 3), (2, 3), (3, 3), (3, 2), (3, 1), (2, 1))
            ):
                patch[row, column] = code >> bit & 1
            patch[2, 2] = 0
            assert code_at(patch.ravel(), 12, eight_neighbors(5)) == code
            before = topology(patch > 0)
            patch[2, 2] = 1
            changes |= topology(patch > 0) != before
        assert IS_SIMPLE[code] != changes


def test_shifted_borders_cost_nothing_and_mergers_and_splits_do() -> None:
    assert warping_error(SHIFTED, TWO) == 0
    assert pixel_error(SHIFTED, TWO) > 0.3
    # A closed gap of one pixel, and a cell cut in two: one pixel each is what is wrong.
    assert warping_error(MERGED, TWO) == pytest.approx(1 / 15)
    assert warping_error(SPLIT, TWO) == pytest.approx(1 / 15)
    # A cell that is not there, and one too many.
    assert warping_error(image("##.", "##.", "..."), np.zeros((3, 3), bool)) == 4 / 9
    # The nearest that a missed cell can come is a single pixel.
    assert warping_error(np.zeros((3, 3), bool), image("##.", "##.", "...")) == 1 / 9


def reachable_least(labels: np.ndarray, truth: np.ndarray) -> int:
    """Return the least disagreement over all images that changes of simple points lead to."""
    shape = truth.shape
    padded = np.pad(truth, 1).astype(np.uint8)
    width = padded.shape[1]
    around = eight_neighbors(width)
    inside = [
        (row + 1) * width + column + 1 for row in range(shape[0]) for column in range(shape[1])
    ]
    goal = np.pad(labels, 1).astype(np.uint8).ravel()
    start = padded.ravel().tobytes()
    seen, waiting, least = {start}, [start], goal.size
    while waiting:
        flat = np.frombuffer(waiting.pop(), dtype=np.uint8).copy()
        least = min(least, int((flat != goal).sum()))
        for place in inside:
            if IS_SIMPLE[code_at(flat, place, around)]:
                flat[place] ^= 1
                key = flat.tobytes()
                if key not in seen:
                    seen.add(key)
                    waiting.append(key)
                flat[place] ^= 1
    return least


def test_warping_comes_as_near_as_any_sequence_of_changes_where_results_are_near() -> None:
    random = np.random.default_rng(3)
    exact = 0
    for _ in range(40):
        truth = random.random((3, 3)) < 0.6
        labels = truth ^ (random.random((3, 3)) < 0.25)
        found = round(warping_error(labels, truth) * 9)
        least = reachable_least(labels, truth)
        assert found >= least
        exact += found == least
    # A cell that would first have to wander away from the result is not moved.
    assert exact >= 28


def test_warping_keeps_the_number_of_objects_and_of_holes() -> None:
    random = np.random.default_rng(1)
    for _ in range(10):
        truth = ndimage.gaussian_filter(random.normal(size=(24, 24)), 1.5) > 0
        labels = ndimage.gaussian_filter(random.normal(size=(24, 24)), 1.5) > 0
        assert topology(warped(labels, truth)) == topology(truth)


def test_volumes_are_warped_slice_by_slice() -> None:
    assert warping_error(np.stack([MERGED, TWO]), np.stack([TWO, TWO])) == pytest.approx(1 / 30)


def test_other_shapes_are_refused() -> None:
    for measure in (pixel_error, rand_error, warping_error):
        with pytest.raises(InputError, match=r"shape \(3, 5\), but the truth \(2, 5\)"):
            measure(TWO, TWO[:2])


def test_all_errors_of_objects_that_touch() -> None:
    touching = np.array([[1, 1, 1, 2, 2, 2]] * 3)
    one_piece = touching > 0
    assert partition_errors(one_piece, one_piece) == {
        "pixel error": 0,
        "rand error": 0,
        "warping error": 0,
    }
    merged = partition_errors(one_piece, touching)
    assert merged["pixel error"] == 0
    assert merged["rand error"] > 0.3
    assert merged["warping error"] > 0  # a gap was wanted


def test_the_least_error_is_that_of_the_best_threshold() -> None:
    truth = image("##.##", "##.##")
    weak = np.where(truth, 0.9, 0.62)  # merges the objects up to 0.6
    weak[0, 0] = 0.3
    table = errors_by_threshold(weak, truth)
    for threshold, (pixel, rand) in zip(THRESHOLDS, table, strict=True):
        mask = weak >= threshold
        assert pixel == pixel_error(mask, truth)
        assert rand == rand_error(mask, truth)
    sharp = errors_by_threshold(truth.astype(float), truth)
    least = LeastErrors.of([table, sharp])
    assert least.rand == pytest.approx(rand_error(weak >= 0.65, truth) / 2)
    assert least.rand_threshold == 0.65
    assert least.pixel == pytest.approx(0.05)
    assert least.pixel_threshold == 0.65
    assert LeastErrors.of([sharp]).rand == 0
