"""Results as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.evaluation.rows import ALL
from DeepIGeoSLib.evaluation.statistics import (
    WORSE,
    bootstrap_interval,
    reached,
    strokes_to_reach,
)

if TYPE_CHECKING:
    from DeepIGeoSLib.evaluation.measured_rounds import MeasuredRounds
    from DeepIGeoSLib.users.robot_user import RobotUser

# Dice values whose number of strokes is reported.
GOALS = (0.85, 0.90)

# The tables show every round up to this number, and beyond it only those of the list and the last.
_EVERY_ROUND_UP_TO = 5
_SHOWN = (0, 1, 2, 3, 5, 10, 15, 20, 30)


def report(results: MeasuredRounds) -> str:
    """Return what was done, all tables with their explanation, and what could not be measured."""
    last, mark = title(results, results.rounds), results.user.noun
    parts = [
        "# Evaluation with the robot user",
        protocol(results),
        "## Dice after each round",
        dice_table(results),
        "Means over the cases; over all kinds, each kind counts once."
        if results.from_empty
        else "Means over the cases.",
        f"## Agreement with the truth after {last}",
        agreement_table(results),
        "Dice, IoU and surface Dice are means; Dice with its 95 % confidence interval over the "
        "cases. Distances and the absolute volume difference are medians. An empty result is "
        "infinitely (inf) far.",
        "## Effort",
        effort_table(results),
        f"NoC@85: mean number of {mark}s until the Dice is 0.85 or more; a case that "
        f"never gets there counts as {results.rounds}, and the brackets say how many cases do. "
        f"Worse rounds: share of the {mark}s that lowered the Dice by more than "
        f"{WORSE:g}. Fixed: share of the mistake under a {mark} that it corrects, median. "
        f"Collateral: correct voxels that a {mark} destroys for each that it corrects, "
        "mean. Seconds are medians, but for the last column.",
    ]
    if len(results.methods) > 1:
        parts += [
            f"## Compared with {results.methods[0]} after {last}",
            differences_table(results),
            "Mean difference of the same cases' Dice, with its 95 % confidence interval; above 0 "
            f"is better than {results.methods[0]}.",
        ]
    parts += [f"Not measured: {name}, because {why}." for name, why in results.not_measured.items()]
    return "\n\n".join(parts)


def protocol(results: MeasuredRounds) -> str:
    """Return in a few sentences what the robot user did, and the notes."""
    user = results.user
    mark = user.noun
    shape, where = {
        "stroke": ("disk", "a slice of it"),
        "click": ("ball", "it"),
        "disk": ("flat disk", "it"),
    }[user.mode]
    place = "the middle" if user.seed is None else f"a place (drawn with the seed {user.seed})"
    size = _radius(user)
    count = len({(row.dataset, row.case) for row in results.rows})
    sentences = [
        f"{_counted(count, 'case')}, {_counted(results.rounds, 'round')}.",
        *(["Every method begins with an empty mask."] if results.from_empty else []),
        f"In each round the user gives one {mark} into the largest wrong region: a {shape} "
        f"of {size} radius around {place} of {where}, as far as it is wrong there.",
        *_first_mark(user),
        *results.notes,
    ]
    return " ".join(sentences)


def _first_mark(user: RobotUser) -> list[str]:
    """Return a sentence about a first mark that is not like the others."""
    return {
        "stroke": [],
        "outline": [
            "The first mark is the outline of the largest missing part in the slice where that is "
            "largest, filled."
        ],
        "box": ["The first mark is a box around the target, a tenth larger on each side."],
    }[user.first]


def dice_table(results: MeasuredRounds) -> str:
    """Return the mean Dice of each data set and method, automatically and after each mark.

    The column with the method is left out when there is only one.
    """
    several = len(results.methods) > 1
    shown = _rounds_shown(results)
    titles = [title(results, number) for number in shown]
    head = [_of_groups(results), "cases", *(["method"] if several else []), *titles]
    lines = []
    for dataset in results.groups:
        for method in results.methods:
            cases = results.cases(method, dataset)
            if cases:
                curve = results.averaged("dice", method, dataset).mean(axis=0)
                values = [f"{curve[number]:.3f}" for number in shown]
                name = [method] if several else []
                lines.append([group_title(results, dataset), str(len(cases)), *name, *values])
    return markdown(head, lines)


def agreement_table(results: MeasuredRounds) -> str:
    """Return the agreement with the truth after the last mark, by method, or by data set for one.

    Dice, IoU and surface Dice are means; distances, which are infinite for an empty result, and
    absolute volume differences are medians.
    """
    titles = [
        "Dice (95 %)",
        "IoU",
        "ASSD mm",
        "HD95 mm",
        f"surface Dice {results.tolerance:g} mm",
        "volume off by",
    ]
    return _by_method_or_dataset(results, titles, _agreement)


def effort_table(results: MeasuredRounds) -> str:
    """Return marks to a goal, what marks brought and cost, by method, or by data set for one."""
    titles = [
        *[f"NoC@{100 * goal:.0f} (reached)" for goal in GOALS],
        "worse rounds",
        "fixed",
        "collateral",
        *([] if results.from_empty else ["automatic s"]),
        "answer s",
        "answer s, 95th percentile",
    ]
    return _by_method_or_dataset(results, titles, _effort)


def differences_table(results: MeasuredRounds) -> str:
    """Return how much more Dice each method ends with than the first one."""
    lines = []
    for method in results.methods[1:]:
        difference, low, high = results.difference(method)
        interval = "" if np.isnan(low) else f"{low:+.3f} to {high:+.3f}"
        lines.append([method, f"{difference:+.3f}", interval])
    return markdown(["method", "Dice", "95 %"], lines)


def title(results: MeasuredRounds, number: int) -> str:
    """Return the name of a round, such as "automatic" or "3 strokes"."""
    if number == 0:
        return "nothing" if results.from_empty else "automatic"
    return _counted(number, results.user.noun)


def group_title(results: MeasuredRounds, group: str) -> str:
    """Return the name of a data set, or of all of them together."""
    return "mean over kinds" if results.from_empty and group == ALL else group


def _of_groups(results: MeasuredRounds) -> str:
    return "kind" if results.from_empty else "data set"


def _radius(user: RobotUser) -> str:
    if user.mode == "disk":
        return f"{user.size:g} mm"
    return "1 voxel" if user.size == 1 else f"{user.size:g} voxels"


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table, its columns aligned for those who read it as text."""
    rows = [head, *lines]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(row) + " |" for row in padded)


def with_interval(values: np.ndarray) -> str:
    """Return a mean with its confidence interval, where there is one."""
    low, high = bootstrap_interval(values)
    mean = f"{values.mean():.3f}"
    return mean if np.isnan(low) else f"{mean} ({low:.3f} to {high:.3f})"


def _by_method_or_dataset(
    results: MeasuredRounds,
    titles: Sequence[str],
    cells: Callable[[MeasuredRounds, str, str], list[str]],
) -> str:
    """Return a table of all methods over all cases, or of the only method by data set."""
    if len(results.methods) > 1:
        lines = [[method, *cells(results, method, ALL)] for method in results.methods]
        return markdown(["method", *titles], lines)
    (method,) = results.methods
    lines = [
        [group_title(results, group), *cells(results, method, group)] for group in results.groups
    ]
    return markdown([_of_groups(results), *titles], lines)


def _agreement(results: MeasuredRounds, method: str, dataset: str) -> list[str]:
    last = {
        name: results.values(name, method, dataset)[:, -1]
        for name in ("dice", "iou", "assd_mm", "hd95_mm", "surface_dice")
    }
    off = np.abs(results.values("volume_difference_percent", method, dataset)[:, -1])
    return [
        with_interval(results.averaged("dice", method, dataset)[:, -1]),
        f"{last['iou'].mean():.3f}",
        f"{np.median(last['assd_mm']):.2f}",
        f"{np.median(last['hd95_mm']):.1f}",
        f"{last['surface_dice'].mean():.3f}",
        f"{np.median(off):.1f} %",
    ]


def _effort(results: MeasuredRounds, method: str, dataset: str) -> list[str]:
    dice = results.values("dice", method, dataset)
    seconds = results.seconds_per_round(method, dataset)
    return [
        *[
            f"{strokes_to_reach(dice, goal).mean():.1f} ({reached(dice, goal).sum()}/{len(dice)})"
            for goal in GOALS
        ],
        f"{100 * results.share_of_worse_rounds(method, dataset):.1f} %",
        _rounded(results.fixed(method, dataset)),
        _rounded(results.collateral(method, dataset)),
        *([] if results.from_empty else [f"{seconds['proposal']:.2f}"]),
        f"{seconds['stroke']:.2f}",
        f"{seconds['stroke_95']:.2f}",
    ]


def _rounds_shown(results: MeasuredRounds) -> list[int]:
    rounds = results.rounds
    shown = range(rounds + 1) if rounds <= _EVERY_ROUND_UP_TO else (*_SHOWN, rounds)
    first = 1 if results.from_empty else 0
    return [number for number in dict.fromkeys(shown) if first <= number <= rounds]


def _rounded(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
