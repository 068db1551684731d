"""A round of strokes, answered from the image alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.any_structure.channels import Strokes
from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.classical.border import moved_to_edges
from DeepIGeoSLib.classical.growth import Family, Window, families
from DeepIGeoSLib.classical.intensities import scaled
from DeepIGeoSLib.classical.measures import measured
from DeepIGeoSLib.classical.preference import Purpose, preferences
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.grid.boxes import (
    Box,
    absolute_box,
    bounding_box,
    hull,
    relative_box,
    shared_box,
    whole_box,
)
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

# Voxels up to which the border of an answer in larger pixels is moved to the edges of the image.
_MOST_VOXELS = 1_500_000

# Edges of the finest length that a voxel's longest counts as at most: preferences were fitted to no
# thicker slices.
_LONGEST = 10.0

# How many times as large as the segmentation what a correction adds may be: a stroke in tissue that
# looks alike everywhere must not flood it. What is smaller than the stroke limits nothing, nor do
# the voxels beside it: a coarse pixel may show a little of the stroke.
_MOST_GROWTH, _BESIDE = 5.0, np.ones((3, 3, 3), dtype=bool)

# Probability of having the strokes' class below which a voxel is left out of the answer's box.
_LEAST = 0.02


def probability_after(
    image: np.ndarray, spacing: Sequence[float], *, before: np.ndarray, strokes: Strokes
) -> np.ndarray:
    """Return the probability of the target after a round of strokes.

    Args:
        image: float32 intensities of any range, axes (k, j, i).
        spacing: mm along (k, j, i).
        before: float32 probability before the round, 0 everywhere for nothing, the same shape.
        strokes: masks of the same shape, of which at least one voxel is new.

    Returns:
        A new float32 array.
    """
    after = before.copy()
    box, values = answer_strokes(
        image, spacing, lambda box: before[box].copy(), strokes=StrokeVoxels.of_masks(strokes)
    )
    after[box] = values
    return after


def answer_strokes(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    *,
    strokes: StrokeVoxels,
    region: Box | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Box, np.ndarray]:
    """Return the box that a group of new strokes changes, and the probability in it.

    Foreground strokes are answered first, then background strokes from what they have left.

    Args:
        image: float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        state: returns a box of the probability before the round, float32, as an array of its own.
        strokes: in the volume, of which at least one is new.
        region: the only box that may change; chosen by the answer when None.
        cancel: stops the work when it is set.

    Returns:
        Slices (k, j, i) and float32 values of that box.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    longest = _LONGEST * min(spacing)
    lattice = Lattice.of(image.shape, [min(step, longest) for step in spacing])
    turned = strokes.turned(lattice.axes)
    reader = _Changed(state, lattice.own_box(turned.around))
    for adds in (True, False):
        new = turned.new_foreground if adds else turned.new_background
        if len(new):
            one_class = _only(turned, adds)
            grids = _grids(lattice, one_class, region)
            box, values = _answered(image, lattice, reader, one_class, grids, adds, cancel)
            reader.write(lattice.own_box(box), values.transpose(np.argsort(lattice.axes)))
    return reader.box, reader(reader.box)


class _Changed:
    """A reader of boxes of the probability, with the changes of this round in it."""

    def __init__(self, state: Reader, box: Box) -> None:
        self._state = state
        self._written: list[tuple[Box, np.ndarray]] = []
        self.box = box

    def __call__(self, box: Box) -> np.ndarray:
        values = self._state(box)
        for written, new in self._written:
            shared = shared_box(box, written)
            if shared is not None:
                values[relative_box(shared, box)] = new[relative_box(shared, written)]
        return values

    def write(self, box: Box, values: np.ndarray) -> None:
        self._written.append((box, values))
        self.box = hull(self.box, box) or box


def _only(strokes: StrokeVoxels, adds: bool) -> StrokeVoxels:
    """Return the strokes with those of one class as the new ones."""
    nothing = np.zeros((0, 3), dtype=np.intp)
    new = (strokes.new_foreground, nothing) if adds else (nothing, strokes.new_background)
    return StrokeVoxels(strokes.foreground, strokes.background, *new)


def _grids(lattice: Lattice, strokes: StrokeVoxels, region: Box | None) -> list[WorkingGrid]:
    if region is not None:
        return [lattice.grid_of(lattice.turned_box(region))]
    return [lattice.grid(strokes.around, zoom) for zoom in lattice.zooms(strokes.around)]


def _most_added(window: Window) -> float:
    """Return how many voxels a correction may add."""
    there = np.count_nonzero(window.ours & ~ndimage.binary_dilation(window.seeds, _BESIDE))
    return _MOST_GROWTH * there if there > np.count_nonzero(window.seeds) else np.inf


def _up_to(most: float, weights: np.ndarray, family: Family) -> np.ndarray:
    """Return the weights of a family's regions, 0 for those that add more voxels than ``most``."""
    added = np.bincount(family.number.ravel(), minlength=len(weights) + 1).cumsum()
    return np.where(added[: len(weights)] <= most, weights, 0)


@dataclass(frozen=True)
class _Vote:
    """What the regions of a window say together.

    Attributes:
        grid: the window's.
        weight: logarithm of the sum of their weights.
        share: float32, axes (k, j, i): of the weights, of the regions that hold a voxel.
    """

    grid: WorkingGrid
    weight: float
    share: np.ndarray


def _answered(
    image: np.ndarray,
    lattice: Lattice,
    state: Reader,
    strokes: StrokeVoxels,
    grids: Sequence[WorkingGrid],
    adds: bool,
    cancel: threading.Event | None,
) -> tuple[Box, np.ndarray]:
    """Return the box of the lattice that new strokes of one class change, and what is in it."""
    votes = []
    for grid in grids:
        stop_if(cancel)
        window = _window(image, lattice, state, strokes, grid, adds)
        vote = _vote(window, grid, adds)
        if vote is not None:
            votes.append(vote)
    if not votes:
        box = strokes.around
        before = state(lattice.own_box(box)).transpose(lattice.axes)
        return box, merged(before, before, strokes.inside(box))
    best = max(votes, key=lambda vote: vote.weight)
    marked = strokes.on(best.grid).new
    reached = bounding_box((best.share >= _LEAST) | marked) or whole_box(best.grid.shape)
    part = best.grid.part_around(reached, margin=2)
    box = absolute_box(best.grid.box, part)
    share = best.grid.part_to_volume(best.share, part)
    if prod(share.shape) <= _MOST_VOXELS:
        own = image[lattice.own_box(box)].transpose(lattice.axes)
        box_shape, shape = best.grid.box_shape, best.grid.shape
        band = [-(-n // count) for n, count in zip(box_shape, shape, strict=True)]
        share = moved_to_edges(scaled(own), share >= 0.5, lattice.spacing, band=band)
    before = state(lattice.own_box(box)).transpose(lattice.axes)
    answer = np.maximum(before, share) if adds else np.minimum(before, 1 - share)
    return box, merged(before, answer.astype(np.float32, copy=False), strokes.inside(box))


def _window(
    image: np.ndarray,
    lattice: Lattice,
    state: Reader,
    strokes: StrokeVoxels,
    grid: WorkingGrid,
    adds: bool,
) -> Window:
    seen = strokes.on(grid)
    target = lattice.read(state, grid) >= 0.5
    target = (target | seen.foreground) & ~seen.background
    new, rivals = (
        (seen.new_foreground, seen.background) if adds else (seen.new_background, seen.foreground)
    )
    ours = (target if adds else ~target) & ~new
    return Window(
        intensities=scaled(lattice.read(lambda box: image[box], grid)),
        seeds=new,
        free=~ours & ~rivals,
        ours=ours,
        rivals=rivals,
        spacing=grid.spacing,
        cut_off=tuple(
            (part.start > 0, part.stop < size)
            for part, size in zip(grid.box, lattice.shape, strict=True)
        ),
    )


def _vote(window: Window, grid: WorkingGrid, adds: bool) -> _Vote | None:
    """Return the vote of all regions that grow in a window, or None where none can grow.

    Regions are weighed against each other rather than the best one taken: what most of the weight
    agrees on is steadier.
    """
    if not window.seeds.any():
        return None
    begins = adds and not window.ours.any()
    purpose: Purpose = "begin" if begins else "add" if adds else "remove"
    grown = list(families(window))
    if not grown:
        return None
    zoom = max(n / count for n, count in zip(grid.box_shape[1:], grid.shape[1:], strict=True))
    logarithms = [preferences(measured(window, family, zoom), purpose) for family in grown]
    highest = max(float(one.max()) for one in logarithms)
    weights = [np.exp(one - highest) for one in logarithms]
    if purpose == "add":
        most = _most_added(window)
        weights = [_up_to(most, one, family) for one, family in zip(weights, grown, strict=True)]
    total = sum(float(one.sum()) for one in weights)
    if total == 0:
        return None
    share = np.zeros(window.free.shape, dtype=np.float32)
    for family, weight in zip(grown, weights, strict=True):
        # A region holds every voxel whose number is not above its own.
        holding = np.append(weight[::-1].cumsum()[::-1], 0) / total
        share += holding.astype(np.float32)[family.number]
    return _Vote(grid, highest + float(np.log(total)), share)
