"""The robot user's protocol: propose, then one stroke into the largest error per round."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.robot import robot_stroke
from DeepIGeoSLib.session import InteractiveSession
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class RoundScore:
    """One round of one case.

    Attributes:
        round: 0 is the proposal.
        dice: of the result.
        seconds: the session took to answer.
    """

    round: int
    dice: float
    seconds: float


def robot_session(
    session: InteractiveSession,
    volume: Volume,
    truth: np.ndarray,
    rounds: int = 5,
    radius: float = 3.0,
) -> list[RoundScore]:
    """Let the robot user correct a case, and measure every round.

    When nothing is wrong any more, the remaining rounds repeat the last score.

    Args:
        session: any session; its volume is replaced.
        volume: the case.
        truth: bool, the volume's shape.
        rounds: strokes to give.
        radius: of the brush, in voxels.

    Returns:
        ``rounds + 1`` scores, the proposal's first.
    """
    session.set_volume(volume)
    began = time.perf_counter()
    result = session.propose()
    scores = [RoundScore(0, dice(result.labels > 0, truth), time.perf_counter() - began)]
    seeds = {name: np.zeros(truth.shape, dtype=bool) for name in ("foreground", "background")}
    for number in range(1, rounds + 1):
        stroke = robot_stroke(result.labels > 0, truth, radius)
        if stroke is None:
            scores.append(RoundScore(number, scores[-1].dice, 0.0))
            continue
        seeds[stroke.label] |= stroke.mask
        began = time.perf_counter()
        result = session.refine(**seeds)
        seconds = time.perf_counter() - began
        scores.append(RoundScore(number, dice(result.labels > 0, truth), seconds))
    return scores
