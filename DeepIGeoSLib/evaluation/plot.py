"""Every mark as a picture: a Dice panel for each data set, panels for what each mark brought."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.evaluation.markdown import group_title
from DeepIGeoSLib.evaluation.plot_effect import EFFECT_PANELS, draw_effects
from DeepIGeoSLib.evaluation.plot_style import INK, dress, line_of
from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.statistics import bootstrap_interval

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# Width and height of a panel, height of a line of the legend, width of a letter in it and of a
# line's sample.
_PANEL, _LEGEND_LINE, _LETTER, _SAMPLE = (3.8, 4.0), 0.2, 0.085, 0.6

_INTERVALS = "95 % intervals over the cases: band for the first method, bars after the last round."
_CASES_AND_INTERVAL = "Gray: each case. Band: 95 % interval of the mean over the cases."

# Panels beside one another; more of them go below. Wider pictures are too small to read on a page.
_MOST_ACROSS = 3

# For the captions to fit.
_LEAST_WIDTH = 5.4

# Between the intervals after the last round, as a share of the rounds.
_BAR_STEP = 0.016

_CASE = "#A8A8A8"


def draw_curves(results: EvaluationResults, path: Path) -> None:
    """Draw the mean Dice of each round with its 95 % confidence interval over the cases.

    With a single method the curves of the cases are drawn too. With several, only the first has a
    band, and each has a bar beside the others after the last round: bands would cover one another.
    Two more panels show what each mark fixed and destroyed, where that was measured.

    Args:
        results: to draw.
        path: of the PNG file.
    """
    from matplotlib.figure import Figure

    groups, methods = results.groups, results.methods
    several = len(methods) > 1
    effects = EFFECT_PANELS if results.fixed(methods[0]) is not None else 0
    count = len(groups) + effects
    across = min(count, _MOST_ACROSS)
    down = int(np.ceil(count / across))
    width = max(_PANEL[0] * across, _legend_width(methods) if several else 0, _LEAST_WIDTH)
    columns = max(1, int(width / _legend_width(methods)))
    lines = 1 + int(np.ceil(len(methods) / columns)) if several else 0
    size = (width, _PANEL[1] * down + _LEGEND_LINE * lines)
    figure = Figure(figsize=size, layout="constrained", dpi=150)
    panels = [figure.add_subplot(down, across, number + 1) for number in range(count)]
    for axes, group in zip(panels, groups, strict=False):
        _draw_panel(axes, results, group)
        axes.set_ylim(_lowest(results), 1.005)
    for axes in panels[: len(groups) : across]:
        axes.set_ylabel("Dice", color=INK)
    if effects:
        draw_effects(*panels[-effects:], results)
    figure.suptitle(f"Mean Dice after each {results.user.noun} of the robot user", color=INK)
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
        figure.supxlabel(_CASES_AND_INTERVAL, fontsize=8, color=INK)
    figure.savefig(path)


def _draw_panel(axes: Axes, results: EvaluationResults, group: str) -> None:
    single = len(results.methods) == 1
    for number, method in enumerate(results.methods):
        if not results.cases(method, group):
            continue
        color = line_of(number)["color"]
        dice = results.averaged("dice", method, group)
        rounds = np.arange(dice.shape[1])
        if single:
            axes.plot(rounds, dice.T, color=_CASE, linewidth=0.8, zorder=2.5)
        low, high = bootstrap_interval(dice)
        if number == 0:
            axes.fill_between(rounds, low, high, color=color, alpha=0.15, linewidth=0, zorder=2)
        if not single:
            place = rounds[-1] * (1 + _BAR_STEP * (number + 2))
            axes.vlines(place, low[-1], high[-1], color=color, linewidth=2)
        axes.plot(rounds, dice.mean(axis=0), label=method, **line_of(number))
    count = max(len(results.cases(method, group)) for method in results.methods)
    title = f"{group_title(results, group)} ({count} case{'s' if count > 1 else ''})"
    dress(axes, title, f"{results.user.noun}s")
    axes.set_xticks(np.arange(results.rounds + 1))


def _legend_width(methods: Sequence[str]) -> float:
    """Return the inches of a column of the legend."""
    return _LETTER * max(map(len, methods)) + _SAMPLE


def _lines(panels: Iterable[Axes]) -> tuple[list[Artist], list[str]]:
    """Return a line for each method, also of those that are not in every panel, and their names."""
    lines: dict[str, Artist] = {}
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
            results.averaged("dice", method, group).mean(axis=0)
            for method in results.methods
            for group in results.groups
            if results.cases(method, group)
        ]
    )
    return max(0.0, np.floor(10 * min(means[means > 0], default=0.0) - 0.5) / 10)
