"""The main job on a sample: propose, take strokes, refine, write labelmaps and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.commands.demonstration_picture import draw_demo
from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.interaction.segmentation import Segmentation
from DeepIGeoSLib.interaction.session import InteractiveSession
from DeepIGeoSLib.samples.sample import Sample
from DeepIGeoSLib.users.robot_user import robot_stroke

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
            refined = session.refine(
                strokes["foreground"], strokes["background"], progress=progress
            )
            scores.append(dice(refined.labels > 0, sample.truth))
    elif sample.strokes is not None:
        strokes = sample.strokes
        refined = session.refine(strokes["foreground"], strokes["background"], progress=progress)
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
        draw_demo(
            path,
            sample,
            initial=result.initial.labels,
            seeds=result.seeds,
            refined=result.refined.labels,
            dice=result.dice,
        )
    return written
