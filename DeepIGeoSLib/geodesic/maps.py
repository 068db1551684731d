"""Distance maps that follow the strokes of a session."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic.boxes import Box, is_empty
from DeepIGeoSLib.geodesic.distance import spread_side_by_side
from DeepIGeoSLib.geodesic.engines import solver
from DeepIGeoSLib.geodesic.problem import Problem, pose, seed_mask

_NO_VOXELS = np.empty(0, dtype=np.intp)


@dataclass(frozen=True)
class _Change:
    """What an update has changed: a box, and what was in it before."""

    seeds_before: np.ndarray
    box: Box
    values_before: np.ndarray


@dataclass
class _Map:
    """The map of one class.

    Attributes:
        distance: of the moment, axes (k, j, i).
        copy: the same numbers between updates; during one, those before it.
        seeds: sorted flat numbers of the seed voxels.
        changes: how the map came about, the newest last.
    """

    distance: np.ndarray
    copy: np.ndarray
    seeds: np.ndarray = field(default_factory=lambda: _NO_VOXELS)
    changes: list[_Change] = field(default_factory=list)


class DistanceMaps:
    """The geodesic distance maps of several classes of seeds through one image.

    An update costs as much as what it changes. Where seeds were added, the map is lowered around
    them; where seeds are gone, the map goes back to a state before they were there, or is computed
    anew when there is none. The numbers are always those of ``geodesic_distance``.

    Beside the maps it keeps a copy of each and at most one more map's worth of former values.
    """

    def __init__(
        self,
        image: np.ndarray,
        spacing: Sequence[float],
        *,
        weight: float = 1.0,
        max_distance: float | None = None,
        engine: str = "auto",
    ) -> None:
        """Take an image.

        Args:
            image: finite real numbers, axes (k, j, i) or (j, i), or with a channel axis before
                them when it has one dimension more than ``spacing`` has values. It must not change
                from now on.
            spacing: mm along each axis.
            weight: as in ``geodesic_distance``, like the rest.
            max_distance: the same.
            engine: the same.

        Raises:
            InputError: an argument is unusable.
        """
        self._solve = solver(engine)
        axes = np.size(spacing)
        if axes not in (2, 3):
            raise InputError(f"The spacing must have 2 or 3 values, but is {spacing!r}.")
        if np.ndim(image) not in (axes, axes + 1):
            raise InputError(
                f"The image must have {axes} axes, one for each spacing, or one more for its "
                f"channels, but has the shape {np.shape(image)}."
            )
        self._shape = np.shape(image)[-axes:]
        self._problem: Problem = pose(image, self._shape, spacing, weight, max_distance)
        self._maps: dict[str, _Map] = {}

    def update(self, seeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the maps for these seeds.

        Args:
            seeds: name of the class to ALL its seeds so far: an array of the image's spatial
                shape, bool or integers 0 and 1, or the flat numbers of the voxels (one axis).

        Returns:
            Name of the class to its float32 distances, read-only, valid until the next update.

        Raises:
            InputError: seeds are unusable; the maps are then as they were.
        """
        given = {name: self._voxels(name, mask) for name, mask in seeds.items()}
        tasks = []
        for name, voxels in given.items():
            if name not in self._maps:
                self._maps[name] = self._new_map()
            current = self._maps[name]
            self._go_back(current, voxels)
            added = np.setdiff1d(voxels, current.seeds, assume_unique=True)
            tasks.append((added, current.distance))
        boxes = spread_side_by_side(self._solve, self._problem, tasks)
        for (name, voxels), box in zip(given.items(), boxes, strict=True):
            self._note(self._maps[name], voxels, box)
        return {name: self._view(self._maps[name]) for name in given}

    def _new_map(self) -> _Map:
        distance = np.full(self._problem.shape, self._problem.limit, dtype=np.float32)
        return _Map(distance, distance.copy())

    def _voxels(self, name: str, seeds: np.ndarray) -> np.ndarray:
        seeds = np.asarray(seeds)
        if seeds.shape == self._shape:
            return np.flatnonzero(seed_mask(seeds, f"{name} seeds"))
        if seeds.dtype.kind not in "iu" or seeds.ndim != 1:
            raise InputError(
                f"The {name} seeds must be a mask of the image's shape {self._shape} or flat "
                f"numbers of voxels, but are {seeds.dtype} {seeds.shape}."
            )
        voxels = np.unique(seeds).astype(np.intp)
        size = self._problem.image[0].size
        if voxels.size and not 0 <= voxels[0] <= voxels[-1] < size:
            raise InputError(
                f"The numbers of the {name} seeds must lie in [0, {size}), but span "
                f"[{voxels[0]}, {voxels[-1]}]."
            )
        return voxels

    def _go_back(self, current: _Map, voxels: np.ndarray) -> None:
        """Take changes back until only seeds among ``voxels`` are left in the map."""
        steps = 0
        seeds = current.seeds
        while not np.isin(seeds, voxels, assume_unique=True).all():
            if steps == len(current.changes):
                self._start_anew(current)
                return
            steps += 1
            seeds = current.changes[-steps].seeds_before
        for _ in range(steps):
            change = current.changes.pop()
            current.distance[change.box] = change.values_before
            current.copy[change.box] = change.values_before
            current.seeds = change.seeds_before

    def _start_anew(self, current: _Map) -> None:
        current.distance.fill(self._problem.limit)
        current.copy.fill(self._problem.limit)
        current.seeds = _NO_VOXELS
        current.changes.clear()

    def _note(self, current: _Map, voxels: np.ndarray, box: Box | None) -> None:
        """Remember what an update has changed, as long as that does not take much memory."""
        if box is not None and not is_empty(box):
            change = _Change(current.seeds, box, current.copy[box].copy())
            current.copy[box] = current.distance[box]
            current.changes.append(change)
        current.seeds = voxels
        total = sum(change.values_before.size for change in current.changes)
        while total > current.distance.size:
            total -= current.changes.pop(0).values_before.size

    def _view(self, current: _Map) -> np.ndarray:
        view = current.distance.reshape(self._shape)
        view.flags.writeable = False
        return view
