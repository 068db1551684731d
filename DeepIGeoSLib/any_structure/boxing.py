"""A box around the target, answered by the network for any structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from DeepIGeoSLib.any_structure.box_marks import PERHAPS, faces, in_box
from DeepIGeoSLib.any_structure.channels import input_channels
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.tries import Network
from DeepIGeoSLib.any_structure.votes import votes_in
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.grid.boxes import Box, absolute_box, relative_box, three
from DeepIGeoSLib.inputs.working_grid import WorkingGrid


def answer_box(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    *,
    box: Box,
    strokes: StrokeVoxels,
    network: Network,
) -> np.ndarray:
    """Return the probability in a box that the user drew around the target.

    The network looks through one window, the finest that shows the box and some of what is around
    it. Inside the box the target may be anywhere, its faces are background. That is said to the
    network alone: in later rounds nothing forbids a target that reaches out of the box.

    Args:
        image: float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        state: returns a box of the probability before the round, float32.
        box: slices (k, j, i) inside the volume, not empty.
        strokes: all strokes so far.
        network: from channels (channel, k, j, i) to the probability (k, j, i).

    Returns:
        float32 of the box's shape; strokes in it are 1 and 0.
    """
    lattice = Lattice.of(image.shape, spacing)
    strokes = strokes.turned(lattice.axes)
    turned = lattice.turned_box(box)
    grid = lattice.grid_around(turned)
    small = box_on(grid, turned)
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
    values = grid.part_to_volume(answer, part)[relative_box(turned, there)].copy()
    given = strokes.inside(turned)
    values[given.foreground], values[given.background] = 1, 0
    return values.transpose(np.argsort(lattice.axes))


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
