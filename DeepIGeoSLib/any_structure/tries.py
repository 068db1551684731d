"""The network's answer to a round of strokes in a window of one zoom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.any_structure.channels import CHANNELS, Strokes, input_channels
from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.grid.boxes import Box, absolute_box, box_around
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

Network = Callable[[np.ndarray], np.ndarray]

# A background stroke removes only what is nearer to it than to foreground strokes, by this factor
# of the geodesic distances; of the trade between mistakes mended and rounds that lower the Dice,
# see Docs/any-structure.md.
_NEARER = 0.8

_DIFFERENCE = CHANNELS.index("difference from the strokes")


@dataclass(frozen=True)
class Try:
    """The network's answer at one zoom.

    Attributes:
        grid: its working grid.
        whole: voxels (k, j, i) of the lattice that the grid is a part of.
        seen: strokes on the working grid.
        before: probability before the round on the working grid.
        shown: the same, strokes imposed.
        after: the same after it.
        difference: of the intensities from those under the strokes, see ``channels``.
        confidence: how sure the network is of what it changes, 0 to 1.
    """

    grid: WorkingGrid
    whole: tuple[int, int, int]
    seen: Strokes
    before: np.ndarray
    shown: np.ndarray
    after: np.ndarray
    difference: np.ndarray
    confidence: float

    @property
    def changed(self) -> np.ndarray:
        """Voxels that enter or leave the target, bool."""
        return (self.after >= 0.5) != (self.shown >= 0.5)

    def change_in_volume(self) -> tuple[Box, np.ndarray]:
        """Return the box of the lattice that changes, and by how much, exactly 0 elsewhere."""
        # Under the strokes, too: between a coarse pixel that did not change and its neighbors the
        # resampled change would fade, and the answer would no longer hang together with the stroke.
        change = self.after - self.before
        part = self.grid.part_around(box_around((change != 0) | self.seen.new), margin=1)
        return absolute_box(self.grid.box, part), self.grid.part_to_volume(change, part)


def try_window(
    pixels: np.ndarray,
    before: np.ndarray,
    seen: Strokes,
    *,
    grid: WorkingGrid,
    whole: tuple[int, int, int],
    network: Network,
) -> Try:
    """Ask the network in one window.

    Args:
        pixels: float32 intensities on the working grid, axes (k, j, i).
        before: float32 probability before the round on it.
        seen: strokes on it.
        grid: the working grid.
        whole: voxels of the lattice that it is a part of.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
    """
    shown = before.copy()
    shown[seen.foreground], shown[seen.background] = 1, 0
    channels = input_channels(pixels, shown, seen, grid.spacing)
    answer = network(channels)
    kept = _claimed_by_foreground(channels)
    answer = np.where(kept, np.maximum(answer, shown), answer)
    after = merged(shown, answer, seen)
    changed = (after >= 0.5) != (shown >= 0.5)
    confidence = float(np.abs(2 * answer[changed] - 1).mean()) if changed.any() else 0.0
    return Try(grid, whole, seen, before, shown, after, channels[_DIFFERENCE], confidence)


def _claimed_by_foreground(channels: np.ndarray) -> np.ndarray:
    """Return the voxels that background strokes leave to the foreground strokes: bool (k, j, i).

    Farther from foreground strokes than distances reach, nothing claims a voxel.
    """
    from_background, from_foreground = channels[3:5]
    return (from_background > _NEARER * from_foreground) & (from_foreground < 1)
