"""A picture of the geodesic benchmark: how long every method took in every case."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.benchmarks.drawing import can_draw
from DeepIGeoSLib.benchmarks.geodesic_peers import OURS
from DeepIGeoSLib.files import written_in_one_step

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_EXACT, _INEXACT, _OTHER = "#1f6fb4", "#e08a2e", "#b5b5b5"
_KINDS = (
    (_EXACT, "exact"),
    (_INEXACT, "inexact when it stops"),
    (_OTHER, "computes another quantity"),
)


def plot(result: dict, path: Path) -> None:
    """Draw one row for each volume and one column for each kind of seeds and weight.

    Nothing is drawn where matplotlib is not installed.

    Args:
        result: of the benchmark.
        path: PNG file to write.
    """
    if not result["cases"] or not can_draw():
        return
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    cases = {case["name"]: case for case in result["cases"]}
    volumes = _in_order(name.split("/", 1)[0] for name in cases)
    kinds = _in_order(name.split("/", 1)[1] for name in cases)
    methods = {
        volume: _in_order(
            row["method"]
            for name, case in cases.items()
            if name.startswith(f"{volume}/")
            for row in case["methods"]
        )
        for volume in volumes
    }
    heights = [0.8 + 0.16 * len(methods[volume]) for volume in volumes]
    figure = Figure((2 + 3 * len(kinds), 0.9 + sum(heights)), layout="constrained", dpi=100)
    grid = figure.subplots(
        len(volumes), len(kinds), squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    medians = [row["median"] for case in cases.values() for row in case["methods"]]
    span = (min(medians) / 2, max(medians) * 10)
    for volume, line in zip(volumes, grid, strict=True):
        named = False
        for kind, axes in zip(kinds, line, strict=True):
            case = cases.get(f"{volume}/{kind}")
            if case is None:
                axes.set_axis_off()
                continue
            _draw(axes, case, methods[volume], span)
            axes.tick_params(labelleft=not named)
            named = True
    legend = [Patch(color=color, label=label) for color, label in _KINDS]
    figure.legend(handles=legend, loc="outside upper center", ncols=3, frameon=False)
    figure.supxlabel(f"seconds of {result['clock']} time; x: times the time of {OURS}", fontsize=9)
    with written_in_one_step(path) as temporary:
        figure.savefig(temporary)


def _in_order(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _draw(axes: Axes, case: dict, methods: list[str], span: tuple[float, float]) -> None:
    volume, seeds, weight = case["name"].split("/")
    size = " x ".join(map(str, case["shape"]))
    rows = {row["method"]: row for row in case["methods"]}
    axes.set_yticks(range(len(methods)), methods, fontsize=7)
    axes.set_ylim(len(methods) - 0.4, -0.6)
    for place, method in enumerate(methods):
        if method not in rows:
            continue
        row = rows[method]
        axes.barh(place, row["median"], color=_color(row), height=0.7)
        ratio = "" if method == OURS or not row["ratios"] else f", {np.median(row['ratios']):.3g}x"
        axes.annotate(
            f"{row['median']:.2g} s{ratio}",
            (row["median"], place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=6,
        )
    axes.set_xscale("log")
    axes.set_xlim(span)
    axes.tick_params(axis="x", labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(f"{volume} {size}\n{seeds} seeds, weight {weight}", fontsize=8)


def _color(row: dict) -> str:
    if row["largest_error"] is None:
        return _OTHER
    return _EXACT if row["largest_error"] == 0 else _INEXACT
