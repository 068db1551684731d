"""The main job on a sample: propose, take strokes, refine, write labelmaps and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.orientation import Orientation
from DeepIGeoSLib.robot import robot_stroke
from DeepIGeoSLib.samples import Sample
from DeepIGeoSLib.session import InteractiveSession, Segmentation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROUNDS = 3

# What is written: three labelmaps, and a picture of them.
DEMO_FILES = ("initial.nii.gz", "seeds.nii.gz", "refined.nii.gz", "demo.png")


@dataclass(frozen=True)
class DemoResult:
    """What the demonstration did.

    Attributes:
        initial: P-Net's result.
        refined: the result after the strokes (the same as ``initial`` when there were none).
        seeds: labelmap of the strokes, 1 = foreground, 2 = background.
        dice: of each round, the proposal first; empty when the truth is not known.
    """

    initial: Segmentation
    refined: Segmentation
    seeds: np.ndarray
    dice: list[float]


def run_demo(session: InteractiveSession, sample: Sample, progress: Progress) -> DemoResult:
    """Propose and refine.

    The strokes are the sample's recorded ones; where the truth is known instead, the robot user
    draws ``ROUNDS`` of them.
    """
    session.set_volume(sample.volume)
    initial = refined = session.propose(progress=progress)
    shape = sample.volume.shape
    strokes = {name: np.zeros(shape, dtype=bool) for name in ("foreground", "background")}
    scores = []
    if sample.truth is not None:
        scores.append(dice(initial.labels > 0, sample.truth))
        for _ in range(ROUNDS):
            stroke = robot_stroke(refined.labels > 0, sample.truth)
            if stroke is None:
                break
            strokes[stroke.label] |= stroke.mask
            refined = session.refine(**strokes, progress=progress)
            scores.append(dice(refined.labels > 0, sample.truth))
    elif sample.strokes is not None:
        strokes = sample.strokes
        refined = session.refine(**strokes, progress=progress)
    seeds = strokes["foreground"] + 2 * strokes["background"].astype(np.uint8)
    return DemoResult(initial, refined, seeds, scores)


def write_demo(result: DemoResult, sample: Sample, folder: Path) -> list[Path]:
    """Write ``initial``, ``seeds`` and ``refined`` labelmaps and ``demo.png``; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / name for name in DEMO_FILES]
    *labelmaps, picture = written
    labels = (result.initial.labels, result.seeds, result.refined.labels)
    for path, values in zip(labelmaps, labels, strict=True):
        sample.volume.write_labels(path, values)
    with written_in_one_step(picture) as path:
        _draw(result, sample, path)
    return written


def _draw(result: DemoResult, sample: Sample, path: Path) -> None:
    """Draw three views of one slice as radiologists look at it: initial, seeds, refined."""
    from matplotlib.figure import Figure

    orientation = Orientation.of(sample.volume.ijk_to_ras)
    maps = {
        "image": sample.volume.array,
        "initial": result.initial.labels,
        "seeds": result.seeds,
        "refined": result.refined.labels,
        **({} if sample.truth is None else {"truth": sample.truth}),
    }
    maps = {name: orientation.apply(values) for name, values in maps.items()}
    k = _slice_to_show(maps)
    maps = {name: values[k] for name, values in maps.items()}

    low, high = np.percentile(maps["image"], [1, 99.7])
    height, width = np.array(maps["image"].shape) * orientation.spacing(sample.volume.spacing)[1:]
    figure = Figure(figsize=(13, 13 / 3 * height / width + 0.6), layout="constrained")
    views = figure.subplots(1, 3)
    titles = ["Initial (P-Net)", "Seeds", "Refined (R-Net)"]
    if "truth" in maps:
        titles[0] += f": Dice {result.dice[0]:.3f} (dotted: truth)"
        titles[2] += f": Dice {result.dice[-1]:.3f}"
    for axes, title, shown in zip(views, titles, ("initial", "initial", "refined"), strict=True):
        axes.imshow(maps["image"], cmap="gray", vmin=low, vmax=high, extent=(0, width, height, 0))
        axes.set_title(title)
        axes.set_axis_off()
        color = "#00d0ff" if shown == "refined" else "#ffb000"
        _outline(axes, maps[shown], (width, height), color, "solid")
    for label, color in ((1, "#30e030"), (2, "#ff4040")):
        _fill(views[1], maps["seeds"] == label, (width, height), color)
    if "truth" in maps:
        for axes in (views[0], views[2]):
            _outline(axes, maps["truth"], (width, height), "white", "dotted")
    figure.savefig(path, dpi=110)


def _slice_to_show(maps: dict[str, np.ndarray]) -> int:
    """Return the slice with strokes that changed most, else the one with the most target."""
    seeded = (maps["seeds"] > 0).any(axis=(1, 2))
    changed = (maps["refined"] != maps["initial"]).sum(axis=(1, 2))
    target = maps["refined"].sum(axis=(1, 2), dtype=np.int64)
    order = np.lexsort((target, changed * seeded, seeded))
    return int(order[-1])


def _outline(
    axes: Axes, mask: np.ndarray, size: tuple[float, float], color: str, style: str
) -> None:
    if mask.any():
        axes.contour(
            *_centers(mask, size),
            mask,
            levels=[0.5],
            colors=[color],
            linestyles=style,
            linewidths=1.6,
        )


def _fill(axes: Axes, mask: np.ndarray, size: tuple[float, float], color: str) -> None:
    if mask.any():
        axes.contourf(*_centers(mask, size), mask, levels=[0.5, 1.5], colors=[color])


def _centers(mask: np.ndarray, size: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return where the pixels lie in the picture, in mm: columns, rows."""
    rows, columns = mask.shape
    width, height = size
    return (np.arange(columns) + 0.5) * width / columns, (np.arange(rows) + 0.5) * height / rows
