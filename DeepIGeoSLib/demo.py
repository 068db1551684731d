"""The main job on a sample: propose, take strokes, refine, write labelmaps and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.samples import Sample
from DeepIGeoSLib.session import InteractiveSession, Segmentation
from DeepIGeoSLib.simulation import robot_stroke

ROUNDS = 3


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


def run_demo(
    session: InteractiveSession, sample: Sample, progress: Callable[[float, str], None]
) -> DemoResult:
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
    labelmaps = {
        "initial": result.initial.labels,
        "seeds": result.seeds,
        "refined": result.refined.labels,
    }
    written = []
    for name, labels in labelmaps.items():
        written.append(folder / f"{name}.nii.gz")
        sample.volume.write_labels(written[-1], labels)
    written.append(folder / "demo.png")
    with written_in_one_step(written[-1]) as path:
        _draw(result, sample, path)
    return written


def _draw(result: DemoResult, sample: Sample, path: Path) -> None:
    """Draw three views of the slice with most strokes: initial, seeds, refined."""
    from matplotlib.figure import Figure

    k = _slice_to_show(result)
    image = sample.volume.array[k]
    low, high = np.percentile(image, [1, 99.7])
    rows, columns = np.array(image.shape) * sample.volume.spacing[1:]
    figure = Figure(figsize=(13, 13 / 3 * rows / columns + 0.6), layout="constrained")
    titles = ("Initial (P-Net)", "Seeds", "Refined (R-Net)")
    for axes, title in zip(figure.subplots(1, 3), titles, strict=True):
        axes.imshow(image, cmap="gray", vmin=low, vmax=high, extent=(0, columns, rows, 0))
        axes.set_title(title)
        axes.set_axis_off()
    extent = (0, columns, 0, rows)
    first, second, third = figure.axes
    _outline(first, result.initial.labels[k], "#ffb000", extent)
    _outline(second, result.initial.labels[k], "#ffb000", extent)
    _outline(third, result.refined.labels[k], "#00d0ff", extent)
    for label, color in ((1, "#30e030"), (2, "#ff4040")):
        _fill(second, result.seeds[k] == label, color, extent)
    if sample.truth is not None:
        for axes in (first, third):
            _outline(axes, sample.truth[k], "white", extent, linestyle="dotted")
        first.set_title(f"{titles[0]}: Dice {result.dice[0]:.3f} (dotted: truth)")
        third.set_title(f"{titles[2]}: Dice {result.dice[-1]:.3f}")
    figure.savefig(path, dpi=110)


def _slice_to_show(result: DemoResult) -> int:
    """Return the slice with the largest change, else the one with the most target."""
    changed = (result.refined.labels != result.initial.labels).sum(axis=(1, 2))
    target = result.refined.labels.sum(axis=(1, 2), dtype=np.int64)
    seeded = (result.seeds > 0).any(axis=(1, 2))
    return int(np.argmax(seeded * (1 + changed) * 1_000_000 + target))


def _outline(axes, mask: np.ndarray, color: str, extent, **style) -> None:
    if mask.any() and not mask.all():
        axes.contour(
            mask,
            levels=[0.5],
            colors=[color],
            linewidths=1.6,
            extent=extent,
            origin="upper",
            **{f"{k}s": v for k, v in style.items()},
        )


def _fill(axes, mask: np.ndarray, color: str, extent) -> None:
    if mask.any():
        axes.contourf(mask, levels=[0.5, 1.5], colors=[color], extent=extent, origin="upper")
