"""A picture of the interaction benchmark: what a stroke consists of, and how times grow."""

from __future__ import annotations

from pathlib import Path

from DeepIGeoSLib.benchmarks.drawing import can_draw
from DeepIGeoSLib.files import written_in_one_step

_PARTS = {"maps": "#e08a2e", "network": "#1f6fb4", "crf": "#5aa469", "rest": "#b5b5b5"}
_PROMISE = 0.5  # seconds


def plot(result: dict, path: Path) -> None:
    """Draw the parts of the mean stroke in each volume.

    Nothing is drawn where matplotlib is not installed.

    Args:
        result: of the benchmark.
        path: PNG file to write.
    """
    if not can_draw():
        return
    from matplotlib.figure import Figure

    rows = result["cases"]
    figure = Figure((8, 1.6 + 0.5 * len(rows)), layout="constrained", dpi=120)
    axes = figure.subplots()
    for place, row in enumerate(rows):
        left = 0.0
        for part, color in _PARTS.items():
            width = row["parts"][part]
            axes.barh(place, width, 0.6, left, color=color, label=part if place == 0 else None)
            left += width
        slow = row["stroke"]["percentile_95"]
        words = f"  {left:.2f} s (95 %: {slow:.2f} s)"
        axes.text(max(left, slow), place, words, verticalalignment="center")
        axes.plot([slow, slow], [place - 0.3, place + 0.3], color="black")
    axes.axvline(_PROMISE, color="black", linestyle=":", linewidth=1)
    axes.set_yticks(
        range(len(rows)),
        [f"{row['name']}\n{' x '.join(str(n) for n in row['shape'])}" for row in rows],
    )
    axes.invert_yaxis()
    axes.set_xlim(right=1.5 * max(_PROMISE, *(row["stroke"]["percentile_95"] for row in rows)))
    axes.set_xlabel(f"seconds a stroke, {result['threads']} threads; dotted: half a second")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(_PARTS), frameon=False)
    with written_in_one_step(path) as file:
        figure.savefig(file, format="png")
