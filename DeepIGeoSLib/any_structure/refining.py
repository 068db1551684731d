"""A round of strokes, answered by the network for any structure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from DeepIGeoSLib.any_structure.channels import Strokes, input_channels
from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.zoom import Lattice
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.preprocessing import Box, WorkingGrid, resample

Network = Callable[[np.ndarray], np.ndarray]


def answer_strokes(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Callable[[Box], np.ndarray],
    strokes: Callable[[Box], Strokes],
    around: Box,
    network: Network,
    *,
    region: Box | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Box, np.ndarray]:
    """Return the box that a group of new strokes changes, and the probability in it.

    The window around the strokes grows, and its pixels with it, until the change stays inside.

    Args:
        image: float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        state: returns a box of the probability before the round, float32.
        strokes: returns the strokes in a box, of which at least one in ``around`` is new.
        around: the box around the new strokes.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
        region: the only box that may change; chosen by the answer when None.
        cancel: stops the work when it is set.

    Returns:
        Slices (k, j, i) and float32 values of that box.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    lattice = Lattice.of(image.shape, spacing)
    around = lattice.turned_box(around)
    grids = (lattice.grid(around, zoom) for zoom in lattice.zooms(around))
    if region is not None:
        grids = iter([lattice.grid_of(lattice.turned_box(region))])
    for grid in grids:
        stop_if(cancel)
        box = lattice.own_box(grid.box)
        before = state(box).transpose(lattice.axes)
        marked = _turned(strokes(box), lattice.axes)
        seen = _on_grid(marked, grid)
        shown = grid.to_working(before).copy()
        shown[seen.foreground], shown[seen.background] = 1, 0
        pixels = resample(image[box].transpose(lattice.axes), grid.shape)
        answer = network(input_channels(pixels, shown, seen, grid.spacing))
        after = merged(shown, answer, seen)
        if not lattice.overflows((after >= 0.5) != (shown >= 0.5), grid.box):
            break
    if grid.shape != grid.box_shape:
        # What did not change is exactly as before, also where the grid is coarser.
        after = np.clip(before + grid.to_volume(after - shown), 0, 1)
    values = merged(before, after, marked)
    return box, values.transpose(np.argsort(lattice.axes))


def _turned(strokes: Strokes, axes: tuple[int, int, int]) -> Strokes:
    return Strokes(*(mask.transpose(axes) for mask in vars(strokes).values()))


def _on_grid(strokes: Strokes, grid: WorkingGrid) -> Strokes:
    """Return strokes on a working grid; where it is too coarse for both, the new ones win."""
    foreground, background, new_foreground, new_background = (
        grid.seeds_to_working(mask) for mask in vars(strokes).values()
    )
    new_background &= ~new_foreground
    both = foreground & background
    foreground &= ~(both & new_background)
    background &= ~(both & ~new_background)
    return Strokes(foreground, background, new_foreground & foreground, new_background)
