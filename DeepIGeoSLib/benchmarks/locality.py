"""Measure how well a round in its region agrees with the same round on the whole volume.

The robot user gives strokes as in ``deepigeos evaluate``. Each is answered twice from the same
state: in the region that the session chooses, and with R-Net run on the whole volume. Where the two
give other labels inside the region, the small field of view has cost something.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.benchmarks.model_arguments import add_model
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.grid.boxes import whole_box
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.users.robot_user import RobotUser

if TYPE_CHECKING:
    from DeepIGeoSLib.data import LabeledCase


USES_CASES = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    add_model(parser)
    parser.add_argument(
        "--rounds", type=int, default=5, help="strokes a case (default: %(default)s)"
    )


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    if arguments.rounds < 1:
        raise InputError(f"--rounds is {arguments.rounds}; at least 1 is expected.")
    return run(
        arguments.bundle,
        arguments.chosen_cases,
        rounds=arguments.rounds,
        device=arguments.device,
        progress=progress,
    )


def run(
    bundle: str,
    cases: Sequence[LabeledCase],
    *,
    rounds: int = 5,
    device: str = "cpu",
    progress: Progress | None = None,
) -> dict:
    """Compare local with whole rounds.

    Args:
        bundle: name or folder.
        cases: with their truth, for the robot user.
        rounds: strokes a case.
        device: see ``InteractiveSession``.
        progress: called with the share done and a text.

    Returns:
        A row for each stroke (see ``Comparison``), and a ``summary`` for people.
    """
    session = InteractiveSession(load_bundle(bundle), device=device)
    rows = []
    for number, case in enumerate(cases):
        if progress is not None:
            progress(number / len(cases), case.name)
        rows += [{"case": case.name, **vars(row)} for row in _compared(session, case, rounds)]
    if progress is not None:
        progress(1.0, "Done")
    return {"bundle": bundle, "rounds": rows, "summary": _summary(rows)}


@dataclass(frozen=True)
class Comparison:
    """One stroke, answered in its region and on the whole volume.

    Attributes:
        voxels: of the region.
        agreement: share of the region's voxels that have the same label.
        dice: of both answers inside the region, 1 where both are empty.
        true_dice_local: of the volume with the local answer, against the truth.
        true_dice_whole: of the volume with the whole answer inside the region, against the truth.
    """

    voxels: int
    agreement: float
    dice: float
    true_dice_local: float
    true_dice_whole: float


def _compared(session: InteractiveSession, case: LabeledCase, rounds: int) -> list[Comparison]:
    channels, truth = case.load_channels()
    truth = truth > 0
    session.set_volume(channels)
    result = session.propose()
    seeds = {name: np.zeros(truth.shape, dtype=bool) for name in ("foreground", "background")}
    robot, rows = RobotUser(), []
    for turn in range(rounds):
        stroke = robot.mark(result.labels > 0, truth, channels[0].spacing, turn=(turn,))
        if stroke is None:
            break
        seeds[stroke.label] |= stroke.mask
        everywhere = session.refine(
            seeds["foreground"], seeds["background"], region=whole_box(truth.shape)
        ).labels
        session.undo()
        result = session.refine(seeds["foreground"], seeds["background"])
        rows.append(_comparison(result, everywhere, truth))
    return rows


def _comparison(local: Segmentation, everywhere: np.ndarray, truth: np.ndarray) -> Comparison:
    labels = local.labels
    inside, elsewhere = labels[local.region] > 0, everywhere[local.region] > 0
    pasted = labels.copy()
    pasted[local.region] = everywhere[local.region]
    return Comparison(
        voxels=inside.size,
        agreement=float(np.mean(inside == elsewhere)),
        dice=dice(inside, elsewhere),
        true_dice_local=dice(labels > 0, truth),
        true_dice_whole=dice(pasted > 0, truth),
    )


def _summary(rows: list[dict]) -> str:
    if not rows:
        return "There was nothing to correct."

    def mean(key: str) -> float:
        return statistics.fmean(row[key] for row in rows)

    agreements = sorted(row["agreement"] for row in rows)
    enough = sum(value >= 0.995 for value in agreements)
    return (
        f"{len(rows)} strokes on {len({row['case'] for row in rows})} cases.\n"
        f"Same label in the region: {mean('agreement'):.2%} of the voxels on average, "
        f"{agreements[len(rows) // 20]:.2%} in the worst 5 %, {agreements[0]:.2%} in the worst; "
        f"at least 99.5 % after {enough} strokes.\n"
        f"Dice between both answers in the region: {mean('dice'):.4f}.\n"
        f"Dice with the truth: {mean('true_dice_local'):.4f} in the region alone, "
        f"{mean('true_dice_whole'):.4f} with the whole volume's answer in it."
    )
