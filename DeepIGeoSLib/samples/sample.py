"""Samples to show the method on: a real case with its truth, a public one, a procedural head."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.interaction.seed_files import BACKGROUND, FOREGROUND, read_seeds
from DeepIGeoSLib.samples.phantom import head_phantom
from DeepIGeoSLib.samples.public_case import PublicCase, case_file
from DeepIGeoSLib.volume import Volume

# Every other sample is a head in FLAIR.
_HEAD_BUNDLE = "flair-whole-tumor"


_HIPPOCAMPUS = Path(__file__).parent / "cases" / "hippocampus"


@dataclass(frozen=True)
class Sample:
    """A volume to show the method on.

    Attributes:
        volume: the image.
        title: what it shows, in a few words.
        bundle: name of the shipped model bundle that is made for it.
        truth: the true mask, bool, or None when it is not known.
        strokes: recorded strokes ("foreground", "background": bool masks), or None.
    """

    volume: Volume
    title: str
    bundle: str = _HEAD_BUNDLE
    truth: np.ndarray | None = None
    strokes: dict[str, np.ndarray] | None = None


def hippocampus_file() -> Path:
    """Return the image of the real case that is part of the package; see ``hippocampus_sample``."""
    return _HIPPOCAMPUS / "image.nii.gz"


def hippocampus_sample() -> Sample:
    """Return a hippocampus in T1 that experts outlined; it is part of the package.

    Case hippocampus_057 of the Medical Segmentation Decathlon (Antonelli et al. 2022; CC BY-SA
    4.0); no network of the bundle was trained on it.
    """
    volume = Volume.read(hippocampus_file())
    truth = volume.read_labels(_HIPPOCAMPUS / "label.nii.gz") > 0
    return Sample(volume, "Hippocampus in T1", "t1-hippocampus", truth)


def phantom_sample() -> Sample:
    """Return the procedural head, whose truth is known."""
    volume, truth = head_phantom()
    return Sample(volume, "Computed head with a lesion", truth=truth)


def own_sample(image: str, truth: str | None, seeds: str | None) -> Sample:
    """Return the user's own volume with the labelmaps that belong to it.

    Raises:
        InputError: a file can't be read, or a labelmap lies on another grid.
    """
    volume = Volume.read(image)
    strokes = None
    if seeds is not None:
        strokes = dict(zip((FOREGROUND, BACKGROUND), read_seeds(volume, seeds), strict=True))
    mask = None if truth is None else volume.read_labels(truth) > 0
    return Sample(volume, Path(image).name, truth=mask, strokes=strokes)


def public_sample(case: PublicCase) -> Sample:
    """Return a public case with the strokes that are recorded for it.

    Raises:
        InputError: it is not at hand and can't be downloaded.
    """
    volume = Volume.read(case_file(case))
    return Sample(volume, case.name, strokes=_recorded_strokes(case, volume))


def _recorded_strokes(case: PublicCase, volume: Volume) -> dict[str, np.ndarray]:
    """Paint the strokes listed in the file that is named like the case."""
    listed = json.loads((Path(__file__).parent / "strokes" / f"{case.name}.json").read_text())
    masks = {name: np.zeros(volume.shape, dtype=bool) for name in ("foreground", "background")}
    j, i = np.ogrid[: volume.shape[1], : volume.shape[2]]
    for stroke in listed["strokes"]:
        for row, column in stroke["points"]:
            near = (j - row) ** 2 + (i - column) ** 2 <= stroke["radius"] ** 2
            masks[stroke["label"]][stroke["slice"]] |= near
    return masks
