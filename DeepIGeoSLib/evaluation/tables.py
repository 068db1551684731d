"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.evaluation.statistics import bootstrap_interval, reached, strokes_to_reach

if TYPE_CHECKING:
    from DeepIGeoSLib.evaluation.results import EvaluationResults

# Dice values whose number of strokes is reported.
GOALS = (0.85, 0.90)


def report(results: EvaluationResults) -> str:
    """Return all tables, and what could not be measured."""
    parts = [dice_table(results), measures_table(results)]
    if len(results.methods) > 1:
        parts.append(differences_table(results))
    parts += [f"Not measured: {name}: {why}." for name, why in results.not_measured.items()]
    return "\n\n".join(parts)


def dice_table(results: EvaluationResults) -> str:
    """Return the mean Dice of each method and data set, automatically and after each mark.

    The column with the method is left out when there is only one.
    """
    several = len(results.methods) > 1
    titles = [title(results, number) for number in range(results.rounds + 1)]
    head = [*(["method"] if several else []), "data set", "cases", *titles]
    lines = []
    for method in results.methods:
        curves = results.mean_curves(method)
        for dataset in results.groups:
            count = len(results.cases(method, dataset))
            values = [f"{value:.3f}" for value in curves[dataset]] if count else []
            lines.append([*([method] if several else []), dataset, str(count), *values])
    return markdown(head, lines)


def measures_table(results: EvaluationResults) -> str:
    """Return every other measure of each method, over all cases and after the last mark.

    Dice and surface Dice are means; distances, which are infinite for an empty result, and volume
    differences are medians.
    """
    head = [
        "method",
        f"Dice after {title(results, results.rounds)} (95 %)",
        "IoU",
        "ASSD mm",
        "HD95 mm",
        f"surface Dice {results.tolerance:g} mm",
        "volume off by %",
        *[f"NoC@{100 * goal:.0f} (reached)" for goal in GOALS],
        "worse rounds",
        "s median",
        "s 95 %",
    ]
    return markdown(head, [_measures(results, method) for method in results.methods])


def differences_table(results: EvaluationResults) -> str:
    """Return how much more Dice each method ends with than the first one."""
    first, *others = results.methods
    head = [f"compared with {first}", f"Dice after {title(results, results.rounds)}", "95 %"]
    lines = []
    for method in others:
        difference, low, high = results.difference(method)
        interval = "" if np.isnan(low) else f"{low:+.3f} to {high:+.3f}"
        lines.append([method, f"{difference:+.3f}", interval])
    return markdown(head, lines)


def title(results: EvaluationResults, number: int) -> str:
    """Return the name of a round, such as "automatic" or "3 strokes"."""
    if number == 0:
        return "automatic"
    return f"{number} {results.user.mode}{'s' if number > 1 else ''}"


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *lines))


def _measures(results: EvaluationResults, method: str) -> list[str]:
    dice = results.values("dice", method)
    last = {
        name: results.values(name, method)[:, -1]
        for name in ("iou", "assd_mm", "hd95_mm", "surface_dice", "volume_difference_percent")
    }
    seconds = results.seconds_per_round(method)
    return [
        method,
        with_interval(dice[:, -1]),
        f"{last['iou'].mean():.3f}",
        f"{np.median(last['assd_mm']):.2f}",
        f"{np.median(last['hd95_mm']):.1f}",
        f"{last['surface_dice'].mean():.3f}",
        f"{np.median(np.abs(last['volume_difference_percent'])):.1f}",
        *[
            f"{strokes_to_reach(dice, goal).mean():.1f} ({reached(dice, goal).sum()}/{len(dice)})"
            for goal in GOALS
        ],
        f"{results.share_of_worse_rounds(method):.1%}",
        f"{seconds['stroke']:.2f}",
        f"{seconds['stroke_95']:.2f}",
    ]


def with_interval(values: np.ndarray) -> str:
    """Return a mean with its confidence interval, where there is one."""
    low, high = bootstrap_interval(values)
    mean = f"{values.mean():.3f}"
    return mean if np.isnan(low) else f"{mean} ({low:.3f} to {high:.3f})"
