"""Seeds in files: labelmaps, or the strokes of a Slicer segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.reading import StoredImage, read_image
from DeepIGeoSLib.formats.segmentation import is_segmentation, segments_of
from DeepIGeoSLib.volume import Volume

FOREGROUND, BACKGROUND = "foreground", "background"


def read_seeds(
    volume: Volume,
    path: str | Path,
    *,
    foreground: str | None = None,
    background: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Read the seeds of both classes.

    Args:
        volume: on whose voxels they lie.
        path: a labelmap (1 = foreground, 2 = background), or a Slicer segmentation.
        foreground: segment with the foreground seeds, by name or ID; the only one whose name is or
            ends in "foreground" when None. Empty for none.
        background: the same for the background.

    Returns:
        Foreground and background: bool, axes (k, j, i), the volume's shape.

    Raises:
        InputError: the file can't be read or lies elsewhere, has other labels or lacks the segments
            (the message names those it has), or a voxel is in both classes.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; a labelmap or a segmentation is expected.")
    stored = read_image(path)
    if is_segmentation(path, stored):
        return _of_segments(volume, path, stored, foreground, background)
    if foreground is not None or background is not None:
        raise InputError(f"{path} is a labelmap and has no segments to choose by name.")
    labels = volume.read_labels(path)
    unknown = sorted(set(labels[(labels < 0) | (labels > 2)].tolist()))
    if unknown:
        raise InputError(
            f"{path} holds the labels {unknown[:5]}; 1 (foreground) and 2 (background) are "
            "expected."
        )
    return labels == 1, labels == 2


def _of_segments(
    volume: Volume,
    path: Path,
    stored: StoredImage,
    foreground: str | None,
    background: str | None,
) -> tuple[np.ndarray, np.ndarray]:
    names = [segment.name for segment in segments_of(stored.header, stored.array.shape[-1])]
    chosen = {
        word: _named(names, word) if name is None else name
        for word, name in ((FOREGROUND, foreground), (BACKGROUND, background))
    }
    if not any(chosen.values()):
        raise InputError(
            f"{path} is a segmentation with the segments {', '.join(names) or '(none)'}; name the "
            "strokes' segments by --foreground and --background."
        )
    masks = [
        volume.segments_of(stored, [name], path) if name else np.zeros(volume.shape, dtype=bool)
        for name in chosen.values()
    ]
    both = int(np.count_nonzero(masks[0] & masks[1]))
    if both:
        raise InputError(
            f"{path} is a segmentation in which {both} voxels are in both {chosen[FOREGROUND]!r} "
            f"and {chosen[BACKGROUND]!r}; a seed belongs to one class."
        )
    return masks[0], masks[1]


def _named(names: Sequence[str], word: str) -> str | None:
    """Return the only name that is a word, or ends in it as Slicer's module names its strokes."""
    exact = [name for name in names if name.casefold() == word]
    fitting = exact or [name for name in names if name.casefold().endswith(f" {word}")]
    return fitting[0] if len(fitting) == 1 else None
