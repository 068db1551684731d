"""A round of strokes, answered by the network for any structure."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.signs import signs
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.tries import Network, Try, try_window
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.any_structure.zoom_choice import ZoomChoice
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

# How much surer the network must be of a correction with pixels twice as large: what a stroke in a
# segmentation corrects is mostly small, and a coarse answer damages more than it mends. Measured
# (Docs/any-structure.md): without caution 8 % of the rounds lowered the Dice, with it 2 to 5 %.
_CAUTION_ADDING, _CAUTION_REMOVING = 0.05, 0.15


def answer_strokes(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    strokes: StrokeVoxels,
    network: Network,
    *,
    choice: ZoomChoice | None = None,
    region: Box | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Box, np.ndarray]:
    """Return the box that a group of new strokes changes, and the probability in it.

    The network answers in windows of every zoom, from the volume's own pixels to the whole volume,
    and one answer is taken: at the first stroke the one that ``choice`` expects most of, later the
    one that the network is surest of. An object that does not fit into a window, or that is a few
    pixels there, leaves it in doubt.

    Args:
        image: float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        state: returns a box of the probability before the round, float32.
        strokes: in the volume, of which at least one is new.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
        choice: how the first stroke chooses; by the network's confidence when None.
        region: the only box that may change; chosen by the answer when None.
        cancel: stops the work when it is set.

    Returns:
        Slices (k, j, i) and float32 values of that box.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    lattice = Lattice.of(image.shape, spacing)
    strokes = strokes.turned(lattice.axes)
    if region is None:
        grids = [lattice.grid(strokes.around, zoom) for zoom in lattice.zooms(strokes.around)]
    else:
        grids = [lattice.grid_of(lattice.turned_box(region))]
    tries = windows_tried(image, lattice, grids, state, strokes, network, cancel)
    return taken_over(tries[_best(tries, choice)], lattice, state, strokes)


def taken_over(
    one: Try, lattice: Lattice, state: Reader, strokes: StrokeVoxels
) -> tuple[Box, np.ndarray]:
    """Return the box of the volume that an answer changes, and the probability in it."""
    box, change = one.change_in_volume()
    before = state(lattice.own_box(box)).transpose(lattice.axes)
    values = merged(before, np.clip(before + change, 0, 1), strokes.inside(box))
    return lattice.own_box(box), values.transpose(np.argsort(lattice.axes))


def windows_tried(
    image: np.ndarray,
    lattice: Lattice,
    grids: Sequence[WorkingGrid],
    state: Reader,
    strokes: StrokeVoxels,
    network: Network,
    cancel: threading.Event | None = None,
) -> list[Try]:
    """Return the network's answer on each working grid; strokes along the lattice's axes."""
    tries = []
    for grid in grids:
        stop_if(cancel)
        pixels, before = (lattice.read(read, grid) for read in (lambda box: image[box], state))
        seen = strokes.on(grid)
        tries.append(
            try_window(pixels, before, seen, grid=grid, whole=lattice.shape, network=network)
        )
    return tries


def _best(tries: Sequence[Try], choice: ZoomChoice | None) -> int:
    """Return which try is taken."""
    correction = any((one.shown >= 0.5).sum() > one.seen.foreground.sum() for one in tries)
    if choice is not None and not correction:
        return int(np.argmax(choice.expected(signs(tries))))
    adds = any(one.seen.new_foreground.any() for one in tries)
    caution = (_CAUTION_ADDING if adds else _CAUTION_REMOVING) if correction else 0.0
    return int(np.argmax([one.confidence - caution * number for number, one in enumerate(tries)]))
