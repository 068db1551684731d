"""Scribbles of one target: which voxel belongs to whom."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, three, voxels_in
from DeepIGeoSLib.grid.orientation import Orientation


def _no_voxels() -> np.ndarray:
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Interactions:
    """All scribbles given so far, as voxel numbers of the flattened (k, j, i) array.

    Strokes are thin, so their voxels are listed rather than painted: a round costs kilobytes
    whatever the size of the volume.

    Attributes:
        shape: of the volume, (k, j, i).
        foreground: sorted numbers of the foreground voxels.
        background: sorted numbers of the background voxels; none is in ``foreground``.
        given_foreground: the foreground voxels as the caller gave them, before voxels in both
            classes were settled; needed to tell which stroke came later.
        given_background: the same for the background.
    """

    shape: tuple[int, int, int]
    foreground: np.ndarray = field(default_factory=_no_voxels, repr=False)
    background: np.ndarray = field(default_factory=_no_voxels, repr=False)
    given_foreground: np.ndarray = field(default_factory=_no_voxels, repr=False)
    given_background: np.ndarray = field(default_factory=_no_voxels, repr=False)

    @property
    def empty(self) -> bool:
        """Whether there is no scribble at all."""
        return self.foreground.size == 0 and self.background.size == 0

    def given_masks(self) -> tuple[np.ndarray, np.ndarray]:
        """Return foreground and background as the caller gave them: bool arrays."""
        masks = np.zeros((2, *self.shape), dtype=bool)
        for mask, voxels in zip(masks, (self.given_foreground, self.given_background), strict=True):
            mask.flat[voxels] = True
        return masks[0], masks[1]

    def updated(self, foreground: np.ndarray | None, background: np.ndarray | None) -> Interactions:
        """Return the interactions after the user has given these (all so far, not only new ones).

        A voxel in both classes takes the class that was added to it later.

        Args:
            foreground: bool (or 0 and 1), the volume's shape, or sorted numbers of voxels; None
                means no foreground scribbles.
            background: the same.

        Raises:
            InputError: another shape, values other than 0 and 1, or voxels that got both classes
                at the same time.
        """
        given_foreground = self._voxels(foreground, "foreground")
        given_background = self._voxels(background, "background")
        both = np.intersect1d(given_foreground, given_background, assume_unique=True)
        to_background = both[:0]
        if both.size:
            to_background = self._settled_as_background(both)
        to_foreground = np.setdiff1d(both, to_background, assume_unique=True)
        return Interactions(
            self.shape,
            np.setdiff1d(given_foreground, to_background, assume_unique=True),
            np.setdiff1d(given_background, to_foreground, assume_unique=True),
            given_foreground,
            given_background,
        )

    @property
    def lost(self) -> tuple[np.ndarray, np.ndarray]:
        """The given voxels of each class that do not count, because the other one came later."""
        return (
            np.setdiff1d(self.given_foreground, self.foreground, assume_unique=True),
            np.setdiff1d(self.given_background, self.background, assume_unique=True),
        )

    def settled(self) -> Interactions:
        """Return the interactions of a caller who keeps only the voxels that count."""
        return Interactions(
            self.shape, self.foreground, self.background, self.foreground, self.background
        )

    def turned(self, orientation: Orientation) -> Interactions:
        """Return the same scribbles on the turned array."""
        voxels = (
            orientation.apply_to_voxels(given, self.shape)
            for given in (
                self.foreground,
                self.background,
                self.given_foreground,
                self.given_background,
            )
        )
        return Interactions(three(self.shape[axis] for axis in orientation.axes), *voxels)

    def changed_from(self, before: Interactions) -> np.ndarray:
        """Return the numbers of the voxels whose scribble is another than in ``before``."""
        return np.union1d(
            np.setxor1d(self.foreground, before.foreground, assume_unique=True),
            np.setxor1d(self.background, before.background, assume_unique=True),
        )

    def among(self, voxels: np.ndarray) -> Interactions:
        """Return the scribbles on some voxels alone, given as sorted numbers."""
        foreground, background = (
            np.intersect1d(scribbles, voxels, assume_unique=True)
            for scribbles in (self.foreground, self.background)
        )
        return Interactions(self.shape, foreground, background, foreground, background)

    def seeds(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """Return the foreground and the background scribbles inside ``box`` as bool arrays."""
        return self._painted(self.foreground, box), self._painted(self.background, box)

    def impose_on(self, probability: np.ndarray, box: Box) -> None:
        """Set the scribbled voxels in a box of the probability to 1 and 0, in place."""
        foreground, background = self.seeds(box)
        probability[foreground] = 1
        probability[background] = 0

    def disobeyed(self, probability: np.ndarray) -> np.ndarray:
        """Return the numbers of the scribbled voxels whose probability is not their label's."""
        return np.union1d(
            self.foreground[np.take(probability, self.foreground) != 1],
            self.background[np.take(probability, self.background) != 0],
        )

    def _painted(self, voxels: np.ndarray, box: Box) -> np.ndarray:
        painted = np.zeros([part.stop - part.start for part in box], dtype=bool)
        places = np.unravel_index(voxels[voxels_in(voxels, box, self.shape)], self.shape)
        starts = [part.start for part in box]
        painted[tuple(place - start for place, start in zip(places, starts, strict=True))] = True
        return painted

    def _settled_as_background(self, both: np.ndarray) -> np.ndarray:
        """Return which of the voxels in both classes are background: the later stroke wins."""
        new_foreground = ~np.isin(both, self.given_foreground, assume_unique=True)
        new_background = ~np.isin(both, self.given_background, assume_unique=True)
        undecided = both[new_foreground & new_background]
        if undecided.size:
            place = tuple(int(index) for index in np.unravel_index(undecided[0], self.shape))
            raise InputError(
                f"{undecided.size} voxels are foreground and background scribbles at once, the "
                f"first at (k, j, i) = {place}; each voxel can have one class."
            )
        was_background = np.isin(both, self.background, assume_unique=True)
        return both[new_background | (~new_foreground & was_background)]

    def _voxels(self, seeds: np.ndarray | None, name: str) -> np.ndarray:
        if seeds is None:
            return _no_voxels()
        seeds = np.asarray(seeds)
        if seeds.ndim == 1 and np.issubdtype(seeds.dtype, np.integer):
            return self._numbered(seeds, name)
        if seeds.shape != self.shape:
            raise InputError(
                f"The {name} scribbles have the shape {seeds.shape}, but the volume has "
                f"{self.shape} (k, j, i)."
            )
        if seeds.dtype != bool and not np.isin(np.unique(seeds), (0, 1)).all():
            raise InputError(f"The {name} scribbles must be a mask of 0 and 1.")
        return np.flatnonzero(seeds)

    def _numbered(self, voxels: np.ndarray, name: str) -> np.ndarray:
        inside = voxels.size == 0 or (voxels[0] >= 0 and voxels[-1] < np.prod(self.shape))
        if not inside or (np.diff(voxels) <= 0).any():
            raise InputError(
                f"The {name} scribbles must be rising numbers of voxels of the volume, which has "
                f"{self.shape} (k, j, i)."
            )
        return voxels.astype(np.intp, copy=False)
