"""Sample volumes for the demonstration: a public case, or the procedural phantom."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.phantom import head_phantom
from DeepIGeoSLib.seed_files import BACKGROUND, FOREGROUND, read_seeds
from DeepIGeoSLib.volume import Volume

_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class PublicCase:
    """A file on the internet, known by its hash.

    Attributes:
        name: of the case.
        url: where it lies.
        sha256: of its bytes.
        megabytes: its size.
        license: and whom to thank.
    """

    name: str
    url: str
    sha256: str
    megabytes: float
    license: str


TCGA_FG_6692 = PublicCase(
    name="TCGA-FG-6692_flair_native.nii.gz",
    url=(
        "https://raw.githubusercontent.com/BrainLesion/tutorials/"
        "a2d3fffe821e0dfd3bb62520985239324eaeda9a/BraTS-Toolkit/data/OtherEXampleFromTCIA/"
        "MRHR_FLAIR_AX_OtherEXampleTCIA_TCGA-FG-6692_Si_TCGA-FG-6692_MRHR_FLAIR_AX_SE_IR_5_tir2d1"
        "_21_fla.nii.gz"
    ),
    sha256="9a5dcaf70108743eed2a649b4dd698f8f2f452e07258dfb2bfae10cc8a2f54f0",
    megabytes=1.5,
    license="CC BY 3.0, The Cancer Imaging Archive, TCGA-LGG (Pedano et al. 2016)",
)


@dataclass(frozen=True)
class Sample:
    """A volume to show the method on.

    Attributes:
        volume: the image.
        truth: the true mask, bool, or None when it is not known.
        strokes: recorded strokes ("foreground", "background": bool masks), or None.
    """

    volume: Volume
    truth: np.ndarray | None = None
    strokes: dict[str, np.ndarray] | None = None


def phantom_sample() -> Sample:
    """Return the procedural head, whose truth is known."""
    volume, truth = head_phantom()
    return Sample(volume, truth)


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
    return Sample(volume, mask, strokes)


def public_sample(case: PublicCase, path: Path) -> Sample:
    """Return a public case with the strokes that are recorded for it."""
    volume = Volume.read(path)
    return Sample(volume, strokes=_recorded_strokes(case, volume))


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


def local_copy(case: PublicCase) -> Path | None:
    """Return a copy of the case that is at hand already (checked by its hash), or None.

    Looked for in the folder that the variable ``DEEPIGEOS_DATA`` names, and in the user's cache.
    """
    folders = [cache_folder()]
    if data := os.environ.get("DEEPIGEOS_DATA"):
        folders.insert(0, Path(data) / "demo_volumes")
    for folder in folders:
        path = folder / case.name
        if path.is_file() and _sha256(path.read_bytes()) == case.sha256:
            return path
    return None


def download(case: PublicCase) -> Path:
    """Fetch the case into the user's cache and check its hash.

    Raises:
        InputError: it can't be fetched, or it is not the file it should be.
    """
    try:
        with urllib.request.urlopen(case.url, timeout=_TIMEOUT_SECONDS) as answer:
            content = answer.read()
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise InputError(f"{case.name} could not be downloaded: {error}.") from error
    if _sha256(content) != case.sha256:
        raise InputError(f"{case.url} is not the expected file: its SHA-256 differs.")
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / case.name
    with written_in_one_step(path) as temporary:
        temporary.write_bytes(content)
    return path


def cache_folder() -> Path:
    """Return where downloaded samples are kept; remove it to get rid of them."""
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path.home() if os.environ.get("HOME") else Path(tempfile.gettempdir())
    return (Path(base) if base else home / ".cache") / "deepigeos"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
