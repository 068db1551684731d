"""Answers to a round of strokes, of which one is taken: the network's at one zoom, or another's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from DeepIGeoSLib.any_structure.channels import CHANNELS, input_channels
from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.votes import Votes
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.grid.boxes import Box, absolute_box, bounding_box, box_around, whole_box
from DeepIGeoSLib.inputs.working_grid import WorkingGrid
from DeepIGeoSLib.regions.border import moved_to_edges
from DeepIGeoSLib.regions.intensities import scaled
from DeepIGeoSLib.regions.voting import Vote

Network = Callable[[np.ndarray], np.ndarray]

# A background stroke removes only what is nearer to it than to foreground strokes, by this factor
# of the geodesic distances; of the trade between mistakes mended and rounds that lower the Dice,
# see Docs/any-structure.md.
_NEARER = 0.8

# How sure the network is of what an answer takes over; each is an answer of its own.
_SURE = (0.5, 0.8, 0.95)

# Voxels up to which the border of an answer in larger pixels is moved to the edges of the image.
_MOST_VOXELS = 1_500_000

# Probability of having the strokes' class below which a voxel is left out of an answer's box.
_LEAST = 0.02

_DIFFERENCE = CHANNELS.index("difference from the strokes")


@dataclass(frozen=True)
class Try(ABC):
    """An answer in a window.

    Attributes:
        image: the volume's intensities, float32, along its own axes.
        lattice: of the volume.
        grid: the working grid of the window.
        seen: strokes on the working grid.
        shown: probability before the round on it, strokes imposed.
        after: the same after it.
    """

    image: np.ndarray
    lattice: Lattice
    grid: WorkingGrid
    seen: Strokes
    shown: np.ndarray
    after: np.ndarray

    @cached_property
    def changed(self) -> np.ndarray:
        """Voxels that enter or leave the target, bool."""
        return (self.after >= 0.5) != (self.shown >= 0.5)

    @property
    def confidence(self) -> float:
        """How sure the method is of what it changes, 0 to 1."""
        changed = self.changed
        return float(np.abs(2 * self.after[changed] - 1).mean()) if changed.any() else 0.0

    @abstractmethod
    def in_volume(self, state: Reader, strokes: StrokeVoxels) -> tuple[Box, np.ndarray]:
        """Return the box of the volume that the answer changes, and the probability in it.

        Args:
            state: returns a box of the probability before the round, float32.
            strokes: in the volume.
        """

    def _at_edges(self, box: Box, inside: np.ndarray) -> np.ndarray | None:
        """Return a region of the window whose border has moved to the edges of the image.

        Args:
            box: of the lattice.
            inside: bool, the region in it.

        Returns:
            float32 probability; None where the box holds too many voxels.
        """
        if inside.size > _MOST_VOXELS:
            return None
        grid, lattice = self.grid, self.lattice
        own = self.image[lattice.own_box(box)].transpose(lattice.axes)
        band = [-(-n // count) for n, count in zip(grid.box_shape, grid.shape, strict=True)]
        return moved_to_edges(scaled(own), inside, lattice.spacing, band=band)


@dataclass(frozen=True)
class NetworkTry(Try):
    """The network's answer at one zoom.

    Attributes:
        before: probability before the round on the working grid.
        votes: of the regions that grow from the new strokes on it.
        sure: probability from which a voxel is added, and 1 - it from which one is removed.
        difference: of the intensities from those under the strokes, see ``channels``.
    """

    before: np.ndarray
    votes: Votes
    sure: float
    difference: np.ndarray

    def in_volume(self, state: Reader, strokes: StrokeVoxels) -> tuple[Box, np.ndarray]:
        """Return the box of the volume that changes, and the probability in it.

        What a stroke adds goes to the edges of the image, and so does the border that was there
        beside it: measured, that mends more than the network alone. What it removes does not.
        """
        lattice = self.lattice
        box, change = self._change()
        before = state(lattice.own_box(box)).transpose(lattice.axes)
        seen = strokes.turned(lattice.axes).inside(box)
        values = merged(before, np.clip(before + change, 0, 1), seen)
        if not seen.new_background.any():
            moved = self._at_edges(box, values >= 0.5)
            values = values if moved is None else merged(before, np.maximum(before, moved), seen)
        return lattice.own_box(box), values.transpose(np.argsort(lattice.axes))

    def _change(self) -> tuple[Box, np.ndarray]:
        """Return the box of the lattice that changes, and by how much, exactly 0 elsewhere."""
        # Under the strokes, too: between a coarse pixel that did not change and its neighbors the
        # resampled change would fade, and the answer would no longer hang together with the stroke.
        change = self.after - self.before
        part = self.grid.part_around(box_around((change != 0) | self.seen.new), margin=1)
        return absolute_box(self.grid.box, part), self.grid.part_to_volume(change, part)


@dataclass(frozen=True)
class GrownTry(Try):
    """What the regions of a window say together, without a network.

    Attributes:
        vote: of the regions that grow from the new strokes.
    """

    vote: Vote

    @classmethod
    def of(
        cls,
        image: np.ndarray,
        before: np.ndarray,
        seen: Strokes,
        *,
        vote: Vote,
        grid: WorkingGrid,
        lattice: Lattice,
    ) -> GrownTry:
        """Return the answer to strokes of one class on a working grid.

        Args:
            image: the volume's intensities, float32, along its own axes.
            before: float32 probability before the round on the working grid.
            seen: strokes on it.
            vote: of the regions that grow from the new ones.
            grid: the working grid.
            lattice: of the volume that it is a part of.
        """
        shown = before.copy()
        shown[seen.foreground], shown[seen.background] = 1, 0
        after = _voted(shown, vote.share, seen)
        return cls(image, lattice, grid, seen, shown, after, vote)

    def in_volume(self, state: Reader, strokes: StrokeVoxels) -> tuple[Box, np.ndarray]:
        """Return the box of the volume that changes, and the probability in it.

        The border moves to the edges of the image.
        """
        grid, lattice = self.grid, self.lattice
        held = (self.vote.share >= _LEAST) | self.seen.new
        part = grid.part_around(bounding_box(held) or whole_box(grid.shape), margin=2)
        box = absolute_box(grid.box, part)
        share = grid.part_to_volume(self.vote.share, part)
        moved = self._at_edges(box, share >= 0.5)
        share = share if moved is None else moved
        before = state(lattice.own_box(box)).transpose(lattice.axes)
        after = _voted(before, share, strokes.turned(lattice.axes).inside(box))
        return lattice.own_box(box), after.transpose(np.argsort(lattice.axes))


def _voted(before: np.ndarray, share: np.ndarray, strokes: Strokes) -> np.ndarray:
    """Return the probability after strokes of one class, where regions have shares of the vote."""
    adds = strokes.new_foreground.any()
    answer = np.maximum(before, share) if adds else np.minimum(before, 1 - share)
    return merged(before, answer.astype(np.float32, copy=False), strokes)


def try_window(
    pixels: np.ndarray,
    before: np.ndarray,
    seen: Strokes,
    *,
    image: np.ndarray,
    votes: Votes,
    grid: WorkingGrid,
    lattice: Lattice,
    network: Network,
) -> list[NetworkTry]:
    """Ask the network in one window; return what it says, and the part of it that it is sure of.

    Args:
        pixels: float32 intensities on the working grid, axes (k, j, i).
        before: float32 probability before the round on it.
        seen: strokes on it.
        image: the volume's intensities, float32, along its own axes.
        votes: of the regions that grow from the new strokes.
        grid: the working grid.
        lattice: of the volume that it is a part of.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
    """
    shown = before.copy()
    shown[seen.foreground], shown[seen.background] = 1, 0
    channels = input_channels(pixels, shown, seen, spacing=grid.spacing, votes=votes)
    answer = network(channels)
    kept = _claimed_by_foreground(channels)
    answer = np.where(kept, np.maximum(answer, shown), answer)
    tries = []
    for sure in _SURE:
        after = merged(shown, _where_sure(answer, shown, sure), seen)
        difference = channels[_DIFFERENCE]
        tries.append(
            NetworkTry(image, lattice, grid, seen, shown, after, before, votes, sure, difference)
        )
    return tries


def _where_sure(answer: np.ndarray, shown: np.ndarray, sure: float) -> np.ndarray:
    """Return an answer that changes sides only where the network is as sure as that."""
    unsure = np.abs(answer - np.float32(0.5)) < np.float32(sure - 0.5)
    return np.where(unsure, shown, answer)


def _claimed_by_foreground(channels: np.ndarray) -> np.ndarray:
    """Return the voxels that background strokes leave to the foreground strokes: bool (k, j, i).

    Farther from foreground strokes than distances reach, nothing claims a voxel.
    """
    from_background, from_foreground = channels[3:5]
    return (from_background > _NEARER * from_foreground) & (from_foreground < 1)
