"""Numbers about many cases: confidence intervals, strokes to a goal, rounds that made it worse."""

from __future__ import annotations

import numpy as np

# A round counts as one that made things worse when the Dice falls by more than this.
WORSE = 0.005

_RESAMPLES = 2000


def bootstrap_interval(
    values: np.ndarray, seed: int = 0, confidence: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the mean over cases would lie with other cases: the percentile bootstrap.

    Args:
        values: a number for each case, or one for each case and round: axes (case) or
            (case, round). A resample takes whole cases, with all their rounds.
        seed: of the resampling; the same seed always gives the same interval.
        confidence: probability that the interval covers, from 0 to 1.

    Returns:
        Lower and upper ends, without the case axis. NaN for fewer than two cases, which say
        nothing about the spread.
    """
    from scipy.stats import bootstrap  # as long as all else that a process of a cohort imports

    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan), np.full(values.shape[1:], np.nan)
    # One draw of cases serves all rounds: SciPy applies it along the axis of cases.
    interval = bootstrap(
        (values,),
        np.mean,
        axis=0,
        n_resamples=_RESAMPLES,
        confidence_level=confidence,
        method="percentile",  # BCa, SciPy's choice, has no answer where all cases agree
        random_state=np.random.default_rng(seed),  # its name before SciPy 1.15, and since
    ).confidence_interval
    return interval.low, interval.high


def strokes_to_reach(dice: np.ndarray, goal: float) -> np.ndarray:
    """Return for each case the number of strokes after which the Dice first was at the goal.

    This is "NoC@goal" (number of clicks). A case that never gets there counts with the number of
    rounds, the cap, as is usual; see ``reached`` for how many those are.

    Args:
        dice: axes (case, round), before the first stroke in column 0.
        goal: such as 0.85.
    """
    there = dice >= goal
    return np.where(there.any(axis=1), there.argmax(axis=1), dice.shape[1] - 1)


def reached(dice: np.ndarray, goal: float) -> np.ndarray:
    """Return for each case (bool) whether the Dice was at the goal at any time."""
    return np.any(dice >= goal, axis=1)


def share_of_worse_rounds(dice: np.ndarray, given: np.ndarray) -> float:
    """Return the share of rounds that lowered the Dice by more than ``WORSE``.

    Args:
        dice: axes (case, round), before the first stroke in column 0.
        given: bool, the same axes: whether the round had a stroke; rounds after a case was perfect
            have none and don't count.
    """
    strokes = given[:, 1:]
    worse = (np.diff(dice, axis=1) < -WORSE) & strokes
    return float(worse.sum() / max(1, strokes.sum()))
