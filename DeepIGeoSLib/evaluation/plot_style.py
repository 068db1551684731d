"""How the panels of the evaluation's picture look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colors that people with color vision deficiencies can tell apart (Okabe and Ito 2008), and marks
# that tell them apart in gray.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKS = "osD^vPX"

INK, FAINT = "#333333", "#D8D8D8"


def line_of(number: int) -> dict[str, Any]:
    """Return how the line of a method looks, by its place in the table; the first is thicker."""
    return {
        "color": _COLORS[number % len(_COLORS)],
        "marker": _MARKS[number % len(_MARKS)],
        "linestyle": "-" if number < len(_COLORS) else "--",
        "markersize": 4,
        "linewidth": 2.2 if number == 0 else 1.4,
        "zorder": 4 if number == 0 else 3,
    }


def dress(axes: Axes, title: str, label: str) -> None:
    """Give a panel its title, the label below it, and horizontal lines instead of a frame."""
    axes.set_title(title, fontsize=10, color=INK)
    axes.set_xlabel(label, color=INK)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
