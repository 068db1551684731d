"""A box around the target, answered by the network for any structure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from DeepIGeoSLib.any_structure.box_marks import PERHAPS, faces, in_box
from DeepIGeoSLib.any_structure.channels import input_channels
from DeepIGeoSLib.any_structure.refining import grown_try, windows_tried
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.tries import Network, Try
from DeepIGeoSLib.any_structure.votes import votes_in
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.grid.boxes import (
    Box,
    absolute_box,
    bounding_box,
    relative_box,
    shared_box,
    three,
)
from DeepIGeoSLib.inputs.working_grid import WorkingGrid


def answer_box(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    *,
    box: Box,
    strokes: StrokeVoxels,
    pointed: StrokeVoxels,
    network: Network,
    cancel: threading.Event | None = None,
) -> np.ndarray:
    """Return the probability in a box that the user drew around the target.

    People draw boxes that the target fills. So of several answers the one is taken that fills the
    box best: what the network says of the box, and what it and the method without a network say at
    every zoom of a click into the box, whose faces are background. In later rounds nothing forbids
    a target that reaches out of the box.

    Args:
        image: float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        state: returns a box of the probability before the round, float32.
        box: slices (k, j, i) inside the volume, not empty.
        strokes: all strokes so far.
        pointed: the same with the faces of the box as background; what points at the target is new
            foreground, or nothing.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
        cancel: stops the work when it is set.

    Returns:
        float32 of the box's shape; strokes in it are 1 and 0.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    lattice = Lattice.of(image.shape, spacing)
    turned, strokes = lattice.turned_box(box), strokes.turned(lattice.axes)
    values = _in_one_window(image, state, turned, strokes=strokes, network=network, lattice=lattice)
    tries: list[Try] = []
    if pointed.new_foreground.size:
        own = windows_tried(
            image, spacing, _nothing, strokes=pointed, network=network, cancel=cancel
        )
        tries = [*own, *grown_try(image, own)]
    filled = [_filled(turned, one.grid.box, one.after >= 0.5) for one in tries]
    if max(filled, default=0.0) > _filled(turned, turned, values >= 0.5):
        there, answer = tries[int(np.argmax(filled))].in_volume(_nothing, pointed)
        values = _part(box, there, answer).transpose(lattice.axes)
    given = strokes.inside(turned)
    values[given.foreground], values[given.background] = 1, 0
    return values.transpose(np.argsort(lattice.axes))


def _nothing(box: Box) -> np.ndarray:
    """Return the state of a volume in which nothing was found yet."""
    return np.zeros([part.stop - part.start for part in box], dtype=np.float32)


def _part(box: Box, there: Box, answer: np.ndarray) -> np.ndarray:
    """Return what an answer in one box of the volume says of another one; nothing outside of it."""
    values = _nothing(box)
    if (shared := shared_box(box, there)) is not None:
        values[relative_box(shared, box)] = answer[relative_box(shared, there)]
    return values


def _filled(box: Box, window: Box, inside: np.ndarray) -> float:
    """Return the share of a box that the smallest box around an answer has in it.

    Args:
        box: of the lattice.
        window: the box of the lattice that the answer is in.
        inside: bool, the answer, on the voxels of a working grid of the window.
    """
    found = bounding_box(inside)
    if found is None:
        return 0.0
    share = 1.0
    for wanted, whole, part, count in zip(box, window, found, inside.shape, strict=True):
        size = (whole.stop - whole.start) / count
        start = max(wanted.start, whole.start + part.start * size)
        stop = min(wanted.stop, whole.start + part.stop * size)
        share *= max(0.0, stop - start) / (wanted.stop - wanted.start)
    return share


def _in_one_window(
    image: np.ndarray,
    state: Reader,
    box: Box,
    *,
    strokes: StrokeVoxels,
    network: Network,
    lattice: Lattice,
) -> np.ndarray:
    """Return what the network says of a box: float32 of its shape, axes of the lattice.

    It looks through one window, the finest that shows the box and some of what is around it. Inside
    the box the target may be anywhere, its faces are background.
    """
    grid = lattice.grid_around(box)
    small = box_on(grid, box)
    seen = strokes.on(grid)
    around = faces(grid.shape, small) & ~seen.foreground
    seen = replace(
        seen, background=seen.background | around, new_background=seen.new_background | around
    )
    shown = lattice.read(state, grid).copy()
    shown[in_box(grid.shape, small)] = PERHAPS
    shown[seen.foreground], shown[seen.background] = 1, 0
    pixels = lattice.read(lambda part: image[part], grid)
    votes = votes_in(pixels, shown, seen, grid=grid, lattice=lattice)
    answer = network(input_channels(pixels, shown, seen, spacing=grid.spacing, votes=votes))
    part = grid.part_around(small, margin=1)
    there = absolute_box(grid.box, part)
    return grid.part_to_volume(answer, part)[relative_box(box, there)].copy()


def box_on(grid: WorkingGrid, box: Box) -> Box:
    """Return a box of the lattice as slices of a working grid, at least one voxel along each axis.

    The box lies in that of the grid.
    """
    small = []
    for part, whole, count in zip(box, grid.box, grid.shape, strict=True):
        scale = count / (whole.stop - whole.start)
        start = min(round((part.start - whole.start) * scale), count - 1)
        stop = max(start + 1, round((part.stop - whole.start) * scale))
        small.append(slice(start, stop))
    return three(small)
