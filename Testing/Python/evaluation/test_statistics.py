"""Confidence intervals, strokes to a goal and worse rounds on numbers known beforehand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from DeepIGeoSLib.evaluation.statistics import (
    bootstrap_interval,
    reached,
    share_of_worse_rounds,
    strokes_to_reach,
)

CURVES = np.array(
    [
        [0.50, 0.84, 0.85, 0.91, 0.92],  # at the goal of 0.85 after 2 strokes
        [0.86, 0.80, 0.82, 0.83, 0.84],  # there without any stroke, and then no more
        [0.10, 0.20, 0.30, 0.40, 0.50],  # never
        [0.10, 0.20, 0.30, 0.40, 0.85],  # with the last stroke
    ]
)


def test_strokes_to_reach_a_goal() -> None:
    assert strokes_to_reach(CURVES, 0.85).tolist() == [2, 0, 4, 4]
    assert reached(CURVES, 0.85).tolist() == [True, True, False, True]
    assert strokes_to_reach(CURVES, 0.90).tolist() == [3, 4, 4, 4]
    assert reached(CURVES, 0.90).tolist() == [True, False, False, False]


def test_a_higher_goal_never_needs_fewer_strokes() -> None:
    curves = np.random.default_rng(0).random((50, 8))
    counts = [strokes_to_reach(curves, goal) for goal in (0.2, 0.5, 0.9, 1.1)]
    for lower, higher in itertools.pairwise(counts):
        assert (lower <= higher).all()
    assert (counts[-1] == 7).all()


def test_rounds_that_made_it_worse() -> None:
    dice = np.array([[0.5, 0.6, 0.59, 0.588, 0.5], [0.9, 0.9, 0.96, 1.0, 1.0]])
    given = np.array([[False, True, True, True, True], [False, True, True, True, False]])
    # Of seven strokes, one lost 0.01 and one 0.088; one lost 0.002, which is not counted.
    assert share_of_worse_rounds(dice, given) == pytest.approx(2 / 7)
    assert share_of_worse_rounds(dice, np.zeros_like(given)) == 0


def test_the_interval_of_two_cases_is_from_one_to_the_other() -> None:
    # A quarter of all resamples takes the first case twice, a quarter the second.
    assert bootstrap_interval(np.array([0.2, 0.8])) == (pytest.approx(0.2), pytest.approx(0.8))


def test_the_interval_of_many_cases_is_two_standard_errors_wide() -> None:
    values = np.random.default_rng(3).normal(0.7, 0.1, 400)
    low, high = bootstrap_interval(values)
    error = values.std() / np.sqrt(len(values))
    assert low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_the_interval_is_that_of_all_resamples_there_are() -> None:
    values = np.array([0.1, 0.4, 0.5, 0.9, 0.95])
    means = np.mean(list(itertools.product(values, repeat=5)), axis=1)  # 3125, each as likely
    low, high = bootstrap_interval(values)
    # 2000 draws place the ends between these of all of them: the 2.5 % and 97.5 % points, give or
    # take four standard errors.
    assert np.percentile(means, 1.1) <= low <= np.percentile(means, 3.9)
    assert np.percentile(means, 96.1) <= high <= np.percentile(means, 98.9)


def test_cases_that_agree_have_an_interval_of_no_width() -> None:
    assert bootstrap_interval(np.full(6, 0.75)) == (0.75, 0.75)


def test_the_interval_covers_the_true_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        low, high = bootstrap_interval(random.normal(size=40), confidence=0.9)
        hits += low <= 0 <= high
    assert hits / 300 == pytest.approx(0.9, abs=0.06)


def test_a_resample_takes_cases_with_all_their_rounds() -> None:
    values = np.random.default_rng(6).random((7, 4))
    low, high = bootstrap_interval(values, seed=9)
    assert low.shape == high.shape == (4,)
    for column in range(4):
        assert bootstrap_interval(values[:, column], seed=9) == (low[column], high[column])


def test_the_seed_decides() -> None:
    values = np.random.default_rng(7).random(9)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_one_case_says_nothing_about_the_spread() -> None:
    assert np.isnan(bootstrap_interval(np.array([0.5]))).all()
    assert np.isnan(bootstrap_interval(np.array([[0.5, 0.6]]))).all()
