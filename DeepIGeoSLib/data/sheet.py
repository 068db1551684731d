"""The picture sheet of the report: one slice of every case with the outline of its label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.data.examination import Examination
from DeepIGeoSLib.data.selection import evenly

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = 8
_MOST = 96
_OUTLINE, _FAULT = "#ffb000", "#ff5040"


def draw_sheet(examined: Sequence[Examination], path: Path) -> None:
    """Draw the sheet as PNG.

    At most 96 cases are shown: those with faults first, then the others, evenly spread.

    Args:
        examined: the cases.
        path: where to.
    """
    from matplotlib.figure import Figure

    shown = _chosen(examined)
    rows = max(1, math.ceil(len(shown) / _COLUMNS))
    figure = Figure(figsize=(_COLUMNS * 1.9, rows * 2.1 + 0.5), layout="constrained")
    figure.set_facecolor("black")
    title = f"{len(shown)} of {len(examined)} cases" if shown else "No case can be shown"
    figure.suptitle(f"{title}: the middle slice of the target", color="white", fontsize=11)
    panels = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, examination in zip(panels, shown, strict=False):
        _draw(axes, examination)
    figure.savefig(path, dpi=100, facecolor="black")


def _chosen(examined: Sequence[Examination]) -> list[Examination]:
    faulty = [e for e in examined if e.faults]
    sound = [e for e in examined if not e.faults]
    shown = faulty[:_MOST]
    return shown + evenly(sound, _MOST - len(shown))


def _draw(axes: Axes, examination: Examination) -> None:
    case, view = examination.case, examination.view
    title = f"{case.dataset}\n{case.name} ({case.use})"
    lines = [
        line if len(line) < 34 else line[:15] + "..." + line[-16:] for line in title.split("\n")
    ]
    color = _FAULT if examination.faults else "white"
    axes.set_title("\n".join(lines), fontsize=6, color=color)
    if view is None:
        axes.text(0.5, 0.5, "unreadable", color=_FAULT, ha="center", transform=axes.transAxes)
        return
    axes.imshow(view.image, cmap="gray", vmin=0, vmax=255, aspect=view.aspect)
    if view.mask.any() and min(view.mask.shape) > 1:
        axes.contour(view.mask, levels=[0.5], colors=[_OUTLINE], linewidths=0.9)
