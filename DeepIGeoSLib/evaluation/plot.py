"""The Dice after each mark as a picture: a panel for each data set, a line for each method."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.statistics import bootstrap_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

# Colors that people with color vision deficiencies can tell apart (Okabe and Ito 2008), and marks
# that tell them apart in gray.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "osD^vPX"

# Width and height of a panel, height of a line of the legend, width of a letter in it and of a
# line's sample.
_PANEL, _LEGEND_LINE, _LETTER, _SAMPLE = (3.8, 4.0), 0.2, 0.085, 0.6

_INTERVALS = "95 % intervals over the cases: band for the first method, bars after the last round."
_CASES_AND_INTERVAL = "Gray: each case. Band: 95 % interval of the mean over the cases."

# For the captions to fit.
_LEAST_WIDTH = 5.4

# Between the intervals after the last round, as a share of the rounds.
_BAR_STEP = 0.016

_INK, _FAINT, _CASE = "#333333", "#D8D8D8", "#A8A8A8"


def draw_curves(results: EvaluationResults, path: Path) -> None:
    """Draw the mean Dice of each round with its 95 % confidence interval over the cases.

    With a single method the curves of the cases are drawn too. With several, only the first has a
    band, and each has a bar beside the others after the last round: bands would cover one another.

    Args:
        results: to draw.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure

    groups, methods = results.groups, results.methods
    several = len(methods) > 1
    width = max(_PANEL[0] * len(groups), _legend_width(methods) if several else 0, _LEAST_WIDTH)
    columns = max(1, int(width / _legend_width(methods)))
    lines = 1 + int(np.ceil(len(methods) / columns)) if several else 0
    size = (width, _PANEL[1] + _LEGEND_LINE * lines)
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    panels = figure.subplots(1, len(groups), sharey=True, squeeze=False)[0]
    for axes, group in zip(panels, groups, strict=True):
        _draw_panel(axes, results, group)
        axes.set_xlabel(f"{results.user.mode}s", color=_INK)
    panels[0].set_ylabel("Dice", color=_INK)
    panels[0].set_ylim(_lowest(results), 1.005)
    figure.suptitle(f"Mean Dice after each {results.user.mode} of the robot user", color=_INK)
    if several:
        figure.legend(
            *_lines(panels),
            loc="outside lower center",
            ncols=columns,
            frameon=False,
            fontsize=9,
            title=_INTERVALS,
            title_fontsize=8,
        )
    else:
        figure.supxlabel(_CASES_AND_INTERVAL, fontsize=8, color=_INK)
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
            place = rounds[-1] * (1 + _BAR_STEP * (number + 2))
            axes.vlines(place, low[-1], high[-1], color=color, linewidth=2)
        axes.plot(
            rounds,
            dice.mean(axis=0),
            color=color,
            marker=_MARKS[number % len(_MARKS)],
            linestyle="-" if number < len(_COLORS) else "--",
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


def _legend_width(methods: Sequence[str]) -> float:
    """Return the inches of a column of the legend."""
    return _LETTER * max(map(len, methods)) + _SAMPLE


def _lines(panels: Iterable[Axes]) -> tuple[list[Line2D], list[str]]:
    """Return a line for each method, also of those that are not in every panel, and their names."""
    lines = {}
    for axes in panels:
        for line, name in zip(*axes.get_legend_handles_labels(), strict=True):
            lines.setdefault(name, line)
    return list(lines.values()), list(lines)


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
