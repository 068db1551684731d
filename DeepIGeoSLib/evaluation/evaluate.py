"""Run the robot user over many cases and write tables and the curve."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.evaluation.protocol import RoundScore, robot_session
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.session import InteractiveSession

# A round counts as one that made things worse when the Dice falls by more than this.
WORSE = 0.005


@dataclass(frozen=True)
class EvaluationResults:
    """The scores of every round of every case.

    Attributes:
        cases: the cases, in order.
        scores: for each case its rounds, the proposal first.
    """

    cases: list[LabeledCase]
    scores: list[list[RoundScore]]

    def mean_curves(self) -> dict[str, list[float]]:
        """Return the mean Dice of each round, by data set, and over all cases as "all"."""
        dice = np.array([[score.dice for score in rounds] for rounds in self.scores])
        names = [case.dataset for case in self.cases]
        curves = {
            name: dice[[n == name for n in names]].mean(axis=0).tolist()
            for name in dict.fromkeys(names)
        }
        return {**curves, "all": dice.mean(axis=0).tolist()}

    def share_of_worse_rounds(self) -> float:
        """Return the share of rounds that lowered the Dice by more than ``WORSE``."""
        dice = np.array([[score.dice for score in rounds] for rounds in self.scores])
        return float((np.diff(dice, axis=1) < -WORSE).mean())

    def median_seconds(self) -> dict[str, float]:
        """Return the median time of a proposal and of a round of strokes."""
        return {
            "proposal": float(np.median([rounds[0].seconds for rounds in self.scores])),
            "stroke": float(np.median([s.seconds for rounds in self.scores for s in rounds[1:]])),
        }

    def table(self) -> str:
        """Return the mean curves as a Markdown table."""
        curves = self.mean_curves()
        rounds = range(len(curves["all"]))
        counts = {name: sum(case.dataset == name for case in self.cases) for name in curves}
        counts["all"] = len(self.cases)
        lines = [
            "| data set | cases | " + " | ".join(_round_title(r) for r in rounds) + " |",
            "|---|---|" + "---|" * len(rounds),
        ]
        for name, curve in curves.items():
            values = " | ".join(f"{value:.3f}" for value in curve)
            lines.append(f"| {name} | {counts[name]} | {values} |")
        return "\n".join(lines)

    def summary(self) -> dict:
        """Return everything the command line reports."""
        return {
            "cases": len(self.cases),
            "mean_dice": self.mean_curves(),
            "share_of_worse_rounds": self.share_of_worse_rounds(),
            "median_seconds": self.median_seconds(),
            "table": self.table(),
        }


def evaluate(
    session: InteractiveSession,
    cases: Sequence[LabeledCase],
    rounds: int = 5,
    radius: float = 3.0,
    progress: Callable[[float, str], None] | None = None,
) -> EvaluationResults:
    """Let the robot user correct every case (see ``protocol.robot_session``)."""
    scores = []
    for index, case in enumerate(cases):
        if progress is not None:
            progress(index / len(cases), f"{case.dataset} {case.name}")
        volume, truth = case.load()
        scores.append(robot_session(session, volume, truth, rounds, radius))
    return EvaluationResults(list(cases), scores)


def write_results(results: EvaluationResults, folder: Path) -> None:
    """Write ``cases.csv``, ``summary.json``, ``table.md`` and ``curve.png`` into ``folder``."""
    folder.mkdir(exist_ok=True)
    with (
        written_in_one_step(folder / "cases.csv") as path,
        path.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(["dataset", "case", "round", "dice", "seconds"])
        for case, rounds in zip(results.cases, results.scores, strict=True):
            for score in rounds:
                writer.writerow(
                    [case.dataset, case.name, score.round, f"{score.dice:.5f}", score.seconds]
                )
    texts = {
        "summary.json": json.dumps(results.summary(), indent=2),
        "table.md": results.table(),
    }
    for name, content in texts.items():
        with written_in_one_step(folder / name) as path:
            path.write_text(content + "\n", encoding="utf-8")
    with written_in_one_step(folder / "curve.png") as path:
        _plot(results, path)


def _plot(results: EvaluationResults, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(
        xlabel="strokes", ylabel="Dice", title="Robot user: mean Dice after each stroke"
    )
    for rounds in results.scores:
        axes.plot([s.round for s in rounds], [s.dice for s in rounds], color="0.85", linewidth=0.8)
    for name, curve in results.mean_curves().items():
        style = {"color": "black", "linewidth": 2.5} if name == "all" else {"linewidth": 1.5}
        axes.plot(range(len(curve)), curve, marker="o", markersize=3, label=name, **style)
    axes.set_xticks(range(len(results.scores[0])))
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def _round_title(number: int) -> str:
    return "automatic" if number == 0 else f"{number} stroke{'s' if number > 1 else ''}"
