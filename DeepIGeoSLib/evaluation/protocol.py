"""The robot user's protocol: propose or begin empty, then one mark into the largest error."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.evaluation.methods import Method, SessionMethod
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.evaluation.stroke_effect import StrokeEffect, stroke_effect
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.users.mistakes import Stroke
from DeepIGeoSLib.users.robot_user import RobotUser, robot_box, robot_outline
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class PlayedRound:
    """What happened in one round of one case.

    Attributes:
        number: 0 is the proposal, or the empty mask.
        stroke: what the robot marked; None in round 0, and when nothing was wrong any more.
        labels: the result, bool, axes (k, j, i); nothing where no label counts.
        seconds: the method took to answer; 0 when it was not asked.
        effect: what the stroke brought; None without one.
        box: that the robot drew instead of a stroke; None without one.
    """

    number: int
    stroke: Stroke | None
    labels: np.ndarray
    seconds: float
    effect: StrokeEffect | None = None
    box: Box | None = None


@dataclass(frozen=True)
class RoundScore:
    """One round of one case, by its Dice alone.

    Attributes:
        round: 0 is the proposal.
        dice: of the result.
        seconds: the session took to answer.
    """

    round: int
    dice: float
    seconds: float


def play(
    method: Method,
    channels: Sequence[Volume],
    truth: np.ndarray,
    *,
    user: RobotUser,
    rounds: int,
    turn: Sequence[int] = (),
    from_empty: bool = False,
    ignored: np.ndarray | None = None,
) -> Iterator[PlayedRound]:
    """Let the robot user correct a case; yield every round, what it begins with first.

    When nothing is wrong any more, the remaining rounds repeat the result without a stroke, so that
    every case has ``rounds + 1`` of them.

    Args:
        method: its volume is replaced.
        channels: the case.
        truth: bool, the channels' shape.
        user: who marks.
        rounds: marks to give at most.
        turn: numbers that tell this case from others; see ``RobotUser.mark``.
        from_empty: begin with an empty mask rather than with what the method proposes.
        ignored: bool, the channels' shape: where the truth says nothing, so that what is found
            there is neither right nor wrong, and never marked; None for nowhere.
    """

    def judged(answer: np.ndarray) -> np.ndarray:
        return answer if ignored is None else answer & ~ignored

    method.set_volume(channels)
    began = time.perf_counter()
    labels = method.begin_empty() if from_empty else method.propose()
    seconds = 0.0 if from_empty else time.perf_counter() - began
    labels = judged(labels)
    yield PlayedRound(0, None, labels, seconds)
    marks = {name: np.zeros(truth.shape, dtype=bool) for name in ("foreground", "background")}
    for number in range(1, rounds + 1):
        box = robot_box(truth) if number == 1 and user.first == "box" else None
        if box is not None:
            began = time.perf_counter()
            labels = method.answer_box(box)
            seconds = time.perf_counter() - began
            labels = judged(labels)
            yield PlayedRound(number, None, labels, seconds, box=box)
            continue
        if number == 1 and user.first == "outline":
            stroke = robot_outline(labels, truth)
        else:
            stroke = user.mark(labels, truth, channels[0].spacing, turn=(*turn, number))
        if stroke is None:
            yield PlayedRound(number, None, labels, 0.0)
            continue
        before = labels
        marks[stroke.label] |= stroke.mask
        began = time.perf_counter()
        labels = method.refine(**marks)
        seconds = time.perf_counter() - began
        labels = judged(labels)
        effect = stroke_effect(before, labels, truth=truth, stroke=stroke)
        yield PlayedRound(number, stroke, labels, seconds, effect)


def robot_session(
    session: InteractiveSession,
    volume: Volume | Sequence[Volume],
    truth: np.ndarray,
    *,
    rounds: int = 5,
    radius: float | None = None,
) -> list[RoundScore]:
    """Let the robot user correct a case by strokes, and measure the Dice of every round.

    Args:
        session: any session; its volume is replaced.
        volume: the case; one for each channel, if there are several.
        truth: bool, the volume's shape.
        rounds: strokes to give.
        radius: of the brush, in voxels; the usual one when None.

    Returns:
        ``rounds + 1`` scores, the proposal's first.
    """
    channels = [volume] if isinstance(volume, Volume) else volume
    user = RobotUser("stroke", radius)
    return [
        RoundScore(played.number, dice(played.labels, truth), played.seconds)
        for played in play(SessionMethod(session), channels, truth, user=user, rounds=rounds)
    ]
