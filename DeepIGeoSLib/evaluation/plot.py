"""The Dice after each mark as a picture: a panel for each data set, a line for each method."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.statistics import bootstrap_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colors that people with color vision deficiencies can tell apart (Okabe and Ito 2008), and marks
# that tell them apart in gray.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "osD^vPX"

_PANEL_INCHES, _LEGEND_INCHES = (3.8, 4.2), 1.6

# Between the intervals after the last round, in rounds.
_BAR_STEP = 0.16

_INK, _FAINT, _CASE = "#333333", "#D8D8D8", "#A8A8A8"


def draw_curves(results: EvaluationResults, path: Path) -> None:
    """Draw the mean Dice of each round with its 95 % confidence interval over the cases.

    With a single method the curves of the cases are drawn too. With several, the first has its
    interval as a band and the others have theirs after the last round as bars beside each other:
    bands would cover one another.

    Args:
        results: to draw.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure

    groups = results.groups
    several = len(results.methods) > 1
    width, height = _PANEL_INCHES
    legend = _LEGEND_INCHES if several else 0
    figure = Figure(figsize=(width * len(groups) + legend, height), layout="constrained", dpi=150)
    panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, group in zip(panels, groups, strict=True):
        _draw_panel(axes, results, group)
        axes.set_xlabel(f"{results.user.mode}s", color=_INK)
    panels[0].set_ylabel("Dice", color=_INK)
    panels[0].set_ylim(_lowest(results), 1.005)
    figure.suptitle(f"Mean Dice after each {results.user.mode} of the robot user", color=_INK)
    figure.supxlabel(_caption(results), fontsize=8, color=_INK)
    if several:
        lines, names = panels[0].get_legend_handles_labels()
        figure.legend(lines, names, loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(path)


def _draw_panel(axes: Axes, results: EvaluationResults, group: str) -> None:
    single = len(results.methods) == 1
    for number, method in enumerate(results.methods):
        if not results.cases(method, group):
            continue
        color = _COLORS[number % len(_COLORS)]
        dice = results.values("dice", method, group)
        rounds = np.arange(dice.shape[1])
        if single:
            axes.plot(rounds, dice.T, color=_CASE, linewidth=0.8, zorder=2.5)
        low, high = bootstrap_interval(dice)
        if number == 0:
            axes.fill_between(rounds, low, high, color=color, alpha=0.15, linewidth=0, zorder=2)
        if not single:
            place = rounds[-1] + _BAR_STEP * (number + 2)
            axes.vlines(place, low[-1], high[-1], color=color, linewidth=2)
        axes.plot(
            rounds,
            dice.mean(axis=0),
            color=color,
            marker=_MARKS[number % len(_MARKS)],
            markersize=4,
            linewidth=2.2 if number == 0 else 1.4,
            label=method,
            zorder=4 if number == 0 else 3,
        )
    count = max(len(results.cases(method, group)) for method in results.methods)
    axes.set_title(f"{group} ({count} case{'s' if count > 1 else ''})", fontsize=10, color=_INK)
    axes.set_xticks(np.arange(results.rounds + 1))
    axes.grid(axis="y", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_INK, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)


def _caption(results: EvaluationResults) -> str:
    if len(results.methods) == 1:
        return "Gray: each case. Band: 95 % interval of the mean over the cases."
    return (
        f"95 % intervals over the cases: band for {results.methods[0]}, bars for every method "
        "after the last round."
    )


def _lowest(results: EvaluationResults) -> float:
    """Return where the Dice axis begins: below every mean but those of empty proposals.

    Methods that start from nothing would otherwise squeeze what matters into a corner; their lines
    come in from below.
    """
    means = np.concatenate(
        [
            results.values("dice", method, group).mean(axis=0)
            for method in results.methods
            for group in results.groups
            if results.cases(method, group)
        ]
    )
    return max(0.0, np.floor(10 * min(means[means > 0], default=0.0) - 0.5) / 10)
