"""The picture of a demonstration: planes and directions as radiologists look at them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from DeepIGeoSLib.grid.planes import Plane, planes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from DeepIGeoSLib.samples.sample import Sample

# Colors of the module: the first lesion, strokes where something is missing and too much.
_SEGMENTED, _MISSING, _TOO_MUCH, _TRUTH = "#f0e442", "#56b4e9", "#dc143c", "white"

# Millimeters around target and strokes that the views show; all of a slice where it is hardly more.
_AROUND = 15.0
_HARDLY_MORE = 1.6


def draw_demo(
    path: Path,
    sample: Sample,
    *,
    initial: np.ndarray,
    seeds: np.ndarray,
    refined: np.ndarray,
    dice: Sequence[float] = (),
) -> None:
    """Draw the image, the automatic result, the strokes and the corrected result.

    Each row is a plane; its slice is the one with strokes in which most changed.

    Args:
        path: a PNG file.
        sample: what was segmented.
        initial: labels before the strokes, axes (k, j, i).
        seeds: labelmap of the strokes, 1 = foreground, 2 = background.
        refined: labels after the strokes.
        dice: of each round, the automatic result first; empty when the truth is not known.
    """
    from matplotlib.figure import Figure

    maps = {"initial": initial > 0, "seeds": seeds, "refined": refined > 0}
    if sample.truth is not None:
        maps["truth"] = sample.truth
    rows = planes(sample.volume.ijk_to_ras)
    heights = [plane.height(sample.volume.shape) for plane in rows]
    figure = Figure(figsize=(13, min(3.2 * sum(heights), 11) + 1.1), layout="constrained")
    ratios = {"height_ratios": heights}
    axes = figure.subplots(len(rows), 4, squeeze=False, gridspec_kw=ratios)
    window = tuple(np.percentile(sample.volume.array, [1, 99.7]))
    for views, plane in zip(axes, rows, strict=True):
        _draw_plane(views, plane, sample.volume.array, maps, window)
    for view, title in zip(axes[0], _titles(dice), strict=True):
        view.set_title(title, fontsize=12)
    figure.suptitle(sample.title, fontsize=14)
    _explain(figure, sample)
    figure.savefig(path, dpi=100)


def _titles(dice: Sequence[float]) -> list[str]:
    if not dice:
        return ["Image", "Automatic", "Strokes", "Corrected"]
    automatic, corrected = f"Automatic, Dice {dice[0]:.3f}", f"Corrected, Dice {dice[-1]:.3f}"
    return ["Image", automatic, f"Strokes ({len(dice) - 1})", corrected]


def _draw_plane(
    views: np.ndarray,
    plane: Plane,
    image: np.ndarray,
    maps: dict[str, np.ndarray],
    window: tuple[float, float],
) -> None:
    index = _slice_to_show(maps, plane.axes[0])
    image = plane.of(image, index)
    frame = _frame(maps, plane, image.shape)
    maps = {name: plane.of(values, index) for name, values in maps.items()}
    size = np.array(image.shape) * plane.pixel
    for view in views:
        view.imshow(
            image,
            cmap="gray",
            vmin=window[0],
            vmax=window[1],
            interpolation="bilinear",
            extent=(0, size[1], size[0], 0),
        )
        view.set_xticks([])
        view.set_yticks([])
    whole, automatic, strokes, corrected = views
    _mark_directions(whole, plane)
    for view in (automatic, strokes, corrected):
        view.set_xlim(frame[1])
        view.set_ylim(frame[0][::-1])
    if frame != ((0.0, size[0]), (0.0, size[1])):
        (top, bottom), (left, right) = frame
        whole.plot(
            [left, right, right, left, left], [top, top, bottom, bottom, top], color="white", lw=1
        )
    _draw_ruler(automatic, frame)
    for view, shown in ((automatic, "initial"), (strokes, "initial"), (corrected, "refined")):
        _outline(view, maps[shown], plane, _SEGMENTED, "solid")
    if "truth" in maps:
        for view in (automatic, corrected):
            _outline(view, maps["truth"], plane, _TRUTH, "dotted")
    for label, color in ((1, _MISSING), (2, _TOO_MUCH)):
        _fill(strokes, maps["seeds"] == label, plane, color)


def _slice_to_show(maps: dict[str, np.ndarray], axis: int) -> int:
    """Return the slice with strokes that changed most, else the one with the most target."""
    others = tuple(other for other in range(3) if other != axis)
    seeded = (maps["seeds"] > 0).any(axis=others)
    changed = (maps["refined"] != maps["initial"]).sum(axis=others)
    target = maps["refined"].sum(axis=others, dtype=np.int64)
    return int(np.lexsort((target, changed * seeded, seeded))[-1])


def _frame(
    maps: dict[str, np.ndarray], plane: Plane, shape: tuple[int, ...]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return what the views show, in mm: (top, bottom), (left, right)."""
    marked = np.any([values > 0 for values in maps.values()], axis=0).any(axis=plane.axes[0])
    # What is left of the array after ``any`` has its two axes in the array's order.
    flat = marked if plane.axes[1] < plane.axes[2] else marked.T
    flat = flat[:: -1 if plane.flips[0] else 1, :: -1 if plane.flips[1] else 1]
    size = [n * pixel for n, pixel in zip(shape, plane.pixel, strict=True)]
    whole = ((0.0, size[0]), (0.0, size[1]))
    if not flat.any():
        return whole
    frame = []
    for axis, (pixel, end) in enumerate(zip(plane.pixel, size, strict=True)):
        places = np.flatnonzero(flat.any(axis=1 - axis))
        low, high = places[0] * pixel - _AROUND, (places[-1] + 1) * pixel + _AROUND
        frame.append((max(0.0, low), min(end, high)))
    shown = np.prod([high - low for low, high in frame])
    return whole if size[0] * size[1] < _HARDLY_MORE * shown else (frame[0], frame[1])


def _mark_directions(view: Axes, plane: Plane) -> None:
    left, right, top, _ = plane.letters
    view.set_ylabel(plane.name, fontsize=12)
    for letter, x, y in ((left, 0.04, 0.5), (right, 0.96, 0.5), (top, 0.5, 0.95)):
        _write(view, x, y, letter, transform=view.transAxes)


def _draw_ruler(view: Axes, frame: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Draw a line of 1 cm into the lower left corner."""
    (top, bottom), (left, right) = frame
    y, x = bottom - 0.05 * (bottom - top), left + 0.05 * (right - left)
    view.plot([x, x + 10], [y, y], color="white", lw=2.5, solid_capstyle="butt")
    _write(view, x + 5, y - 0.05 * (bottom - top), "1 cm")


def _write(view: Axes, x: float, y: float, text: str, **options: Any) -> None:
    """Write white letters with a dark edge, which can be read on any tissue."""
    from matplotlib.patheffects import withStroke

    edge = [withStroke(linewidth=2.5, foreground="black")]
    view.text(x, y, text, color="white", ha="center", va="center", path_effects=edge, **options)


def _outline(view: Axes, mask: np.ndarray, plane: Plane, color: str, style: str) -> None:
    if mask.any():
        x, y = _centers(mask, plane)
        padded = np.pad(mask, 1)  # closed at the border of the image, too
        view.contour(x, y, padded, levels=[0.5], colors=[color], linestyles=style, linewidths=1.8)


def _fill(view: Axes, mask: np.ndarray, plane: Plane, color: str) -> None:
    if mask.any():
        x, y = _centers(mask, plane)
        view.contourf(x, y, np.pad(mask, 1), levels=[0.5, 1.5], colors=[color])


def _centers(mask: np.ndarray, plane: Plane) -> tuple[np.ndarray, np.ndarray]:
    """Return where the pixels of a mask, and one more around it, lie in mm: to the right, down."""
    rows, columns = mask.shape
    return (np.arange(-1, columns + 1) + 0.5) * plane.pixel[1], (
        np.arange(-1, rows + 1) + 0.5
    ) * plane.pixel[0]


def _explain(figure: Figure, sample: Sample) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Line2D([], [], color=_SEGMENTED, lw=2, label="segmentation"),
        Patch(color=_MISSING, label="stroke: this is missing"),
        Patch(color=_TOO_MUCH, label="stroke: this is too much"),
    ]
    if sample.truth is not None:
        handles.insert(1, Line2D([], [], color=_TRUTH, lw=2, ls="dotted", label="truth"))
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        facecolor="#404040",
        labelcolor="white",
    )
