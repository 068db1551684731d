"""The labels of a segment, as small as they are: a box of voxels, and changes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from DeepIGeoSLib.grid.boxes import (
    Box,
    absolute_box,
    bounding_box,
    hull,
    hull_of,
    relative_box,
    shared_box,
    three,
)

Digest = tuple[int, int]

# Lists voxels by their sorted numbers in the flattened volume; may be called on any thread.
VoxelReader = Callable[[], np.ndarray]

_NOTHING: Box = (slice(0, 0), slice(0, 0), slice(0, 0))

# Odd constants of two independent 64-bit mixing functions (Steele et al. 2014, "SplitMix").
_SEEDS = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)


def _noVoxels() -> np.ndarray:
    return np.zeros((0, 0, 0), dtype=bool)


@dataclass(frozen=True)
class Change:
    """Voxels that become target or stop being it.

    Attributes:
        box: slices (k, j, i) of the volume.
        flips: bool, the box's shape: which voxels take the other label.
    """

    box: Box = _NOTHING
    flips: np.ndarray = field(default_factory=_noVoxels)

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.flips.any()

    def cropped(self) -> Change:
        """Return the same change with the smallest box."""
        inner = bounding_box(self.flips)
        if inner is None:
            return Change()
        return Change(absolute_box(self.box, inner), np.ascontiguousarray(self.flips[inner]))

    def without(self, other: Change) -> Change:
        """Return the change without the voxels of another one."""
        kept = self.flips & ~_read(other.box, other.flips, self.box)
        return Change(self.box, kept).cropped()

    def digest(self, shape: Sequence[int]) -> Digest:
        """Return a number by which two sets of voxels of a volume can be told apart.

        Digests of changes that follow each other are joined by ``joined``, so that the digest of a
        large segment costs what its last change costs.
        """
        places = np.nonzero(self.flips)
        if not len(places[0]):
            return (0, 0)
        starts = [part.start for part in self.box]
        voxels = np.ravel_multi_index(
            tuple(place + start for place, start in zip(places, starts, strict=True)), tuple(shape)
        ).astype(np.uint64)
        first, second = (int(np.bitwise_xor.reduce(_mixed(voxels, seed))) for seed in _SEEDS)
        return first, second


class Labels:
    """Which voxels of a volume are target: kept as a box, read as if they were an array."""

    def __init__(
        self, shape: Sequence[int], box: Box = _NOTHING, inside: np.ndarray | None = None
    ) -> None:
        """Take a box (slices k, j, i) and what it holds; everything else is background."""
        self.shape = three(shape)
        self.box = box
        self._inside = _noVoxels() if inside is None else inside

    def read(self, box: Box) -> np.ndarray:
        """Return a box of the volume: bool, an array of its own."""
        return _read(self.box, self._inside, box)

    def mask(self) -> np.ndarray:
        """Return the whole volume: bool."""
        whole = np.zeros(self.shape, dtype=bool)
        whole[self.box] = self._inside
        return whole

    def changed(self, change: Change) -> Labels:
        """Return the labels after a change; these stay as they are."""
        if change.empty:
            return self
        box = change.box if self._inside.size == 0 else hull_of(self.box, change.box)
        inside = self.read(box)
        inside[relative_box(change.box, box)] ^= change.flips
        return Labels(self.shape, box, inside)

    def changeTo(self, other: Labels) -> Change:
        """Return what makes these labels the other ones."""
        box = hull(
            self.box if self._inside.size else None, other.box if other._inside.size else None
        )
        if box is None:
            return Change()
        return Change(box, self.read(box) ^ other.read(box)).cropped()

    def digest(self) -> Digest:
        """Return the digest of the voxels that are target; see ``Change.digest``."""
        return Change(self.box, self._inside).digest(self.shape)

    def count(self) -> int:
        """Return how many voxels are target."""
        return int(np.count_nonzero(self._inside))

    def holds(self, voxels: np.ndarray) -> np.ndarray:
        """Return whether voxels, by their numbers in the flattened volume, are target: bool."""
        found = np.zeros(len(voxels), dtype=bool)
        places = np.unravel_index(voxels, self.shape)
        near = np.ones(len(voxels), dtype=bool)
        for place, part in zip(places, self.box, strict=True):
            near &= (place >= part.start) & (place < part.stop)
        found[near] = self._inside[
            tuple(place[near] - part.start for place, part in zip(places, self.box, strict=True))
        ]
        return found


def joined(first: Digest, second: Digest) -> Digest:
    """Return the digest after a change: of the labels before it, and of the change."""
    return (first[0] ^ second[0], first[1] ^ second[1])


def _mixed(voxels: np.ndarray, seed: int) -> np.ndarray:
    """Return numbers in which every bit depends on every bit of the voxel's number."""
    mixed = (voxels + np.uint64(1)) * np.uint64(seed)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _read(known: Box, inside: np.ndarray, box: Box) -> np.ndarray:
    """Return a box of an array that holds ``inside`` in the box ``known`` and nothing else."""
    values = np.zeros([part.stop - part.start for part in box], dtype=bool)
    shared = shared_box(known, box)
    if shared is not None:
        values[relative_box(shared, box)] = inside[relative_box(shared, known)]
    return values
