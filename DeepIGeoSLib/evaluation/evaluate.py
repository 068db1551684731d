"""Run the robot user over many cases with one or several methods, and write the results."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from math import prod
from pathlib import Path

import numpy as np

from DeepIGeoSLib import __version__
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.evaluation.journal import Journal, key_of
from DeepIGeoSLib.evaluation.methods import Method, SessionMethod
from DeepIGeoSLib.evaluation.metrics import TOLERANCE, Measurement, measure
from DeepIGeoSLib.evaluation.protocol import PlayedRound, play
from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.rows import Row, write_rows
from DeepIGeoSLib.evaluation.summary import summarize
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.users.robot_user import RobotUser
from DeepIGeoSLib.volume import Volume

_ROWS, _SUMMARY, _TABLE, _CURVE = "cases.csv", "summary.json", "table.md", "curve.png"
_JOURNAL = "unfinished.jsonl"

# Every file that an evaluation writes into its folder.
RESULT_FILES = (_ROWS, _SUMMARY, _TABLE, _CURVE, _JOURNAL)


def evaluate(
    session: InteractiveSession,
    cases: Sequence[LabeledCase],
    rounds: int = 5,
    *,
    radius: float | None = None,
    progress: Progress | None = None,
) -> EvaluationResults:
    """Let the robot user correct every case by strokes in a session; see ``compare``.

    Of several targets, each is a case of its own, in a data set of its own.
    """
    user = RobotUser("stroke", radius)
    cases = [part for case in cases for part in case.for_each_target()]
    return compare([SessionMethod(session)], cases, user, rounds=rounds, progress=progress)


def compare(
    methods: Sequence[Method],
    cases: Sequence[LabeledCase],
    user: RobotUser,
    *,
    rounds: int = 5,
    tolerance: float = TOLERANCE,
    progress: Progress | None = None,
    journal: Journal | None = None,
    from_empty: bool = False,
) -> EvaluationResults:
    """Let the robot user correct every case with every method.

    Each method gets its own marks, as its own mistakes demand; the user is the same.

    Args:
        methods: the first one is what the others are compared with.
        cases: at least one.
        user: who marks.
        rounds: marks for each case.
        tolerance: of the surface Dice, in mm.
        progress: called with the share done and a text.
        journal: gets the rows of each case and method as soon as they are there; those that it has
            already are not measured again.
        from_empty: every case begins with an empty mask, not with a proposal; means over several
            data sets then give each of them the same weight.

    Raises:
        InputError: there is no case, or one can't be read.
    """
    rows: list[Row] = []
    asked = _Asked(user, rounds, tolerance, from_empty)
    cold = set(methods)
    for number, case in enumerate(cases):
        load = cache(case.load_channels)
        for place, method in enumerate(methods):
            if progress is not None:
                done = (number + place / len(methods)) / len(cases)
                progress(done, f"{case.dataset} {case.name}: {method.name}")
            measured = partial(_played, case, load, method, cold, asked)
            if journal is None:
                rows += measured()
            else:
                parts = (case, method.identity, asked, __version__)
                rows += journal.rows_of(key_of(case.files(), *parts), measured)
    return EvaluationResults(tuple(rows), user, tolerance, from_empty=from_empty)


@dataclass(frozen=True)
class _Asked:
    """What is asked for with every case and method; see ``compare``."""

    user: RobotUser
    rounds: int
    tolerance: float
    from_empty: bool


def _played(
    case: LabeledCase,
    load: Callable[[], tuple[list[Volume], np.ndarray]],
    method: Method,
    cold: set[Method],
    asked: _Asked,
) -> list[Row]:
    """Return the rows of one case with one method, which is warmed up if it is still cold."""
    channels, truth = load()
    method.choose_target(case.target)
    if method in cold:
        method.warm_up(channels, asked.from_empty)
        cold.remove(method)
    # The same numbers whatever the order of the cases and the methods.
    turn = (zlib.crc32(f"{case.dataset}/{case.name}".encode()),)
    spacing = channels[0].spacing
    return [
        _row(
            case, method, played, measure(played.labels, truth, spacing, tolerance=asked.tolerance)
        )
        for played in play(
            method,
            channels,
            truth,
            user=asked.user,
            rounds=asked.rounds,
            turn=turn,
            from_empty=asked.from_empty,
            ignored=case.read_ignored(channels[0]),
        )
    ]


def _row(case: LabeledCase, method: Method, played: PlayedRound, measured: Measurement) -> Row:
    stroke, effect = played.stroke, played.effect
    mark, voxels = "", 0
    if stroke is not None:
        mark, voxels = stroke.label, int(stroke.mask.sum())
    elif played.box is not None:
        mark, voxels = "box", prod(part.stop - part.start for part in played.box)
    return Row(
        dataset=case.dataset,
        case=case.name,
        method=method.name,
        round=played.number,
        mark=mark,
        mark_voxels=voxels,
        measured=measured,
        seconds=played.seconds,
        fixed=None if effect is None else effect.fixed,
        collateral=None if effect is None else effect.collateral,
    )


def check_plotting() -> None:
    """Check that results can be drawn, before hours of work.

    Raises:
        InputError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        raise InputError("Drawing curve.png needs the Python package matplotlib.")


def open_folder(folder: Path) -> Journal:
    """Make the folder of the results, and return the journal of what was measured so far.

    Raises:
        InputError: the folder can't be made or written to.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} can't be made: {error.strerror}.") from error
    return Journal(folder / _JOURNAL)


def write_results(results: EvaluationResults, folder: Path) -> None:
    """Write ``cases.csv``, ``summary.json``, ``table.md`` and ``curve.png`` into ``folder``."""
    from DeepIGeoSLib.evaluation.plot import draw_curves

    write_rows(results.rows, folder / _ROWS)
    texts = {
        _SUMMARY: json.dumps(summarize(results), indent=2, allow_nan=False),
        _TABLE: results.report(),
    }
    for name, content in texts.items():
        with written_in_one_step(folder / name) as path:
            path.write_text(content + "\n", encoding="utf-8")
    with written_in_one_step(folder / _CURVE) as path:
        draw_curves(results, path)
