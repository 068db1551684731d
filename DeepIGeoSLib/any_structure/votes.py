"""What the regions that grow from strokes say, for each class of new strokes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.zoom import Lattice
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.inputs.working_grid import WorkingGrid
from DeepIGeoSLib.regions.growth import Window
from DeepIGeoSLib.regions.intensities import scaled
from DeepIGeoSLib.regions.voting import Vote, vote


@dataclass(frozen=True)
class Votes:
    """The votes on a working grid.

    Attributes:
        adds: of the regions that grow from new foreground strokes; None without any.
        removes: of those that grow from new background strokes.
    """

    adds: Vote | None
    removes: Vote | None

    def channel(self, shape: Sequence[int]) -> np.ndarray:
        """Return float32 (k, j, i) in [-1, 1]: what is to be added, less what is to be removed."""
        total = np.zeros(shape, dtype=np.float32)
        if self.adds is not None:
            total += self.adds.share
        if self.removes is not None:
            total -= self.removes.share
        return total


def votes_on(
    image: np.ndarray,
    mask: np.ndarray,
    strokes: Strokes,
    *,
    spacing: Sequence[float],
    zoom: float,
    cut_off: Sequence[tuple[bool, bool]],
) -> Votes:
    """Return the votes of the regions that grow from the new strokes.

    Args:
        image: float32 intensities as they are, axes (k, j, i).
        mask: float32 probability of the target before the round.
        strokes: on the same grid.
        spacing: of the voxels, in pixels of the working grid.
        zoom: how many times as long as the finest pixels of the image those of the grid are.
        cut_off: for each axis, whether the image goes on before the grid and behind it.
    """
    pixels = scaled(image)
    target = ((mask >= 0.5) | strokes.foreground) & ~strokes.background

    def of(new: np.ndarray, rivals: np.ndarray, ours: np.ndarray, adds: bool) -> Vote | None:
        if not new.any():
            return None
        ours = ours & ~new
        window = Window(pixels, new, ~ours & ~rivals, ours, rivals, three(spacing), tuple(cut_off))
        return vote(window, adds=adds, zoom=zoom)

    return Votes(
        of(strokes.new_foreground, strokes.background, target, True),
        of(strokes.new_background, strokes.foreground, ~target, False),
    )


def votes_in(
    pixels: np.ndarray,
    mask: np.ndarray,
    strokes: Strokes,
    *,
    grid: WorkingGrid,
    lattice: Lattice,
) -> Votes:
    """Return ``votes_on`` a working grid of a lattice."""
    return votes_on(
        pixels,
        mask,
        strokes,
        spacing=grid.spacing,
        zoom=max(n / count for n, count in zip(grid.box_shape[1:], grid.shape[1:], strict=True)),
        cut_off=[
            (part.start > 0, part.stop < size)
            for part, size in zip(grid.box, lattice.shape, strict=True)
        ],
    )
