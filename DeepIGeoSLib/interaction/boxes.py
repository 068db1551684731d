"""Boxes that users draw around a target: checked, and as strokes where networks know no boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, grown_box, relative_box, shared_box, three, whole_box
from DeepIGeoSLib.interaction.clicks import ball_around
from DeepIGeoSLib.interaction.scribbles import Interactions

# Share of a box that a mask must fill to tell where in the box the target is.
_TELLS = 0.05


def checked_box(box: Box, shape: Sequence[int]) -> Box:
    """Return the part of a box that lies in a volume.

    Args:
        box: slices (k, j, i); numbers below 0 lie outside, None stands for the volume's border.
        shape: of the volume.

    Raises:
        InputError: the box has no volume, or lies outside.
    """
    bounds = [
        (0 if part.start is None else part.start, size if part.stop is None else part.stop)
        for part, size in zip(box, shape, strict=True)
    ]
    text = ", ".join(f"{start}:{stop}" for start, stop in bounds)
    if any(start >= stop for start, stop in bounds):
        raise InputError(
            f"The box {text} (k, j, i) holds no voxel; the second number of each axis must be "
            "above the first."
        )
    inside = shared_box(three(slice(*part) for part in bounds), whole_box(shape))
    if inside is None:
        raise InputError(
            f"The box {text} (k, j, i) lies outside of the volume, which has {tuple(shape)} voxels."
        )
    return inside


def box_marks(
    interactions: Interactions, box: Box, *, before: np.ndarray, spacing: Sequence[float]
) -> Interactions:
    """Return strokes with those that say what a box says: the target is in it.

    The voxels around the box are background. A click into the deepest place of what is in the box
    already, or into its middle where that is next to nothing, is foreground. Both give way to real
    strokes.

    Args:
        interactions: the real ones, on the same grid.
        box: slices (k, j, i) inside the volume, not empty.
        before: float32 probability in the box.
        spacing: mm along (k, j, i).
    """
    outer = grown_box(box, 1, interactions.shape)
    inside = relative_box(box, outer)
    shell = np.ones([part.stop - part.start for part in outer], dtype=bool)
    shell[inside] = False
    place = _target_place(box, before, spacing)
    ball = np.zeros_like(shell)
    ball_box, mask = ball_around(place, interactions.shape, spacing=spacing)
    shared = shared_box(ball_box, box)
    if shared is not None:
        ball[relative_box(shared, outer)] = mask[relative_box(shared, ball_box)]
    background = np.union1d(
        interactions.background,
        np.setdiff1d(_numbers(shell, outer, interactions), interactions.foreground),
    )
    foreground = np.union1d(
        interactions.foreground, np.setdiff1d(_numbers(ball, outer, interactions), background)
    )
    return Interactions(interactions.shape).updated(foreground, background)


def _numbers(mask: np.ndarray, box: Box, interactions: Interactions) -> np.ndarray:
    """Return the numbers of a box's voxels in the flattened volume."""
    starts = [part.start for part in box]
    return np.ravel_multi_index(tuple((np.argwhere(mask) + starts).T), interactions.shape)


def _target_place(box: Box, before: np.ndarray, spacing: Sequence[float]) -> tuple[int, int, int]:
    """Return the voxel of a box that is most surely in the target."""
    inside = before >= 0.5
    if inside.mean() < _TELLS:
        return tuple((part.start + part.stop - 1) // 2 for part in box)
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), spacing)[1:-1, 1:-1, 1:-1]
    place = np.unravel_index(int(depth.argmax()), depth.shape)
    return tuple(part.start + int(index) for part, index in zip(box, place, strict=True))
