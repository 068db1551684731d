"""Scribbles of one target: which voxel belongs to whom, and what a network gets to see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic import geodesic_distances
from DeepIGeoSLib.orientation import Orientation
from DeepIGeoSLib.preprocessing import Box, voxels_in


def _no_voxels() -> np.ndarray:
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class InteractionSettings:
    """How scribbles become distance maps; training and use must agree, so bundles store it.

    Attributes:
        weight: of intensity differences against millimeters in the path cost; 1 is the paper's
            purely geodesic map, 0 the length of the shortest path.
        intensity_scale: millimeters that a difference of one normalized intensity unit counts as.
        max_distance: maps are cut at this value and divided by it.
        missing: the map of a class without scribbles: 1 everywhere ("far"), or random numbers as
            in the paper ("random").
        initial: what R-Net sees as the initial segmentation after the first round: the round
            before ("previous"), or always P-Net's output as in the paper ("pnet").
        changes: which changes a round may make: those that its strokes ask for ("asked"), that is,
            foreground strokes only add and background strokes only remove; or any, as in the paper
            ("any").
    """

    weight: float = 0.5
    intensity_scale: float = 6.0
    max_distance: float = 32.0
    missing: Literal["far", "random"] = "far"
    initial: Literal["previous", "pnet"] = "previous"
    changes: Literal["asked", "any"] = "asked"

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.weight <= 1:
            raise InputError(f"weight is {self.weight:g}, expected a share from 0 to 1.")
        for name in ("intensity_scale", "max_distance"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name):g}, expected a number above 0.")


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
        return Interactions(tuple(self.shape[axis] for axis in orientation.axes), *voxels)

    def changed_from(self, before: Interactions) -> np.ndarray:
        """Return the numbers of the voxels whose scribble is another than in ``before``."""
        return np.union1d(
            np.setxor1d(self.foreground, before.foreground, assume_unique=True),
            np.setxor1d(self.background, before.background, assume_unique=True),
        )

    def seeds(self, box: Box) -> tuple[np.ndarray, np.ndarray]:
        """Return the foreground and the background scribbles inside ``box`` as bool arrays."""
        return tuple(self._painted(voxels, box) for voxels in (self.foreground, self.background))

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


def distance_maps(
    image: np.ndarray,
    foreground: np.ndarray,
    background: np.ndarray,
    spacing: Sequence[float],
    settings: InteractionSettings,
) -> np.ndarray:
    """Return the network's two distance channels: background, then foreground.

    The order is the one of the author's code: distance maps in the order of their classes.

    Args:
        image: normalized float32, axes (channel, k, j, i).
        foreground: bool scribbles, axes (k, j, i).
        background: the same.
        spacing: mm along (k, j, i).
        settings: how.

    Returns:
        float32 in [0, 1], axes (2, k, j, i); 0 on scribbles, 1 at ``max_distance`` and beyond.
    """
    seeds = {"background": background, "foreground": foreground}
    given = {name: mask for name, mask in seeds.items() if mask.any()}
    distances = {}
    if given:
        distances = geodesic_distances(
            image * np.float32(settings.intensity_scale),
            given,
            spacing,
            weight=settings.weight,
            max_distance=settings.max_distance,
        )
    maps = np.empty((2, *foreground.shape), dtype=np.float32)
    for channel, name in zip(maps, seeds, strict=True):
        if name in distances:
            np.divide(distances[name], np.float32(settings.max_distance), out=channel)
        elif settings.missing == "random":
            # Seeded, so that the same scribbles always give the same answer.
            channel[...] = np.random.default_rng(0).random(channel.shape, dtype=np.float32)
        else:
            channel.fill(1)
    return maps


def network_input(image: np.ndarray, initial: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return R-Net's input: image channels, initial segmentation, background map, foreground map.

    Args:
        image: float32, axes (channel, k, j, i).
        initial: float32 probability of the foreground, axes (k, j, i).
        maps: from ``distance_maps``.
    """
    return np.concatenate([image, initial[np.newaxis], maps]).astype(np.float32, copy=False)
