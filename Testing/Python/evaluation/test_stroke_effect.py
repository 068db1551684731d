"""What a stroke brought, worked out by hand on a row of voxels."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.evaluation.stroke_effect import StrokeEffect, stroke_effect
from DeepIGeoSLib.users.mistakes import Stroke


def row(text: str) -> np.ndarray:
    """One row of voxels; # is true."""
    return np.array([[[letter == "#" for letter in text]]])


TRUTH = row(".####..###..")
EMPTY = row("............")


def effect(before: np.ndarray, after: str, label: str, marked: str) -> StrokeEffect | None:
    return stroke_effect(before, row(after), truth=TRUTH, stroke=Stroke(label, row(marked)))


def test_only_the_mistake_under_the_stroke_counts_as_fixed() -> None:
    # Three of the first mistake's four voxels; the second mistake is another one.
    found = effect(EMPTY, ".###........", "foreground", "..#.........")
    assert found == StrokeEffect(fixed=0.75, collateral=0.0)
    found = effect(EMPTY, ".###...###..", "foreground", "..#.........")
    assert found.fixed == 0.75


def test_what_was_right_and_is_wrong_is_collateral() -> None:
    # Four voxels corrected, two background voxels lost.
    found = effect(EMPTY, "######......", "foreground", "..#.........")
    assert found == StrokeEffect(fixed=1.0, collateral=0.5)


def test_corrections_elsewhere_make_up_for_collateral() -> None:
    # Corrected: three here and three in the other mistake. Lost: one.
    found = effect(EMPTY, "###....###..", "foreground", ".#..........")
    assert found == StrokeEffect(fixed=0.5, collateral=pytest.approx(1 / 5))


def test_a_background_stroke_removes() -> None:
    before = row(".########...")  # wrong: the two voxels between the parts
    found = effect(before, ".#####.##...", "background", "......#.....")
    assert found == StrokeEffect(fixed=0.5, collateral=0.0)
    # It takes a right voxel along: the answer misses one of the second part.
    found = effect(before, ".####...#...", "background", "......#.....")
    assert found == StrokeEffect(fixed=1.0, collateral=0.5)


def test_nothing_corrected() -> None:
    assert effect(EMPTY, "............", "foreground", "..#.........") == StrokeEffect(0.0, 0.0)
    lost = effect(EMPTY, "#...........", "foreground", "..#.........")
    assert lost == StrokeEffect(0.0, float("inf"))


def test_a_stroke_on_what_is_right_has_no_effect_to_measure() -> None:
    assert effect(EMPTY, ".####.......", "foreground", "............") is None
    assert effect(TRUTH, ".####..###..", "background", "#...........") is None


def test_mistakes_that_touch_by_an_edge_are_two() -> None:
    truth = np.zeros((1, 2, 2), dtype=bool)
    truth[0, 0, 0] = truth[0, 1, 1] = True
    mark = np.zeros_like(truth)
    mark[0, 0, 0] = True
    assert (
        stroke_effect(truth & False, mark, truth=truth, stroke=Stroke("foreground", mark)).fixed
        == 1.0
    )
