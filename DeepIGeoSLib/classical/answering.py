"""A round of strokes, answered from the image alone."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.any_structure.merging import merged
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.tries import GrownTry
from DeepIGeoSLib.any_structure.votes import votes_in
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.grid.boxes import Box, hull, relative_box, shared_box


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
    reader = _Changed(state, strokes.around)
    for adds in (True, False):
        one_class = _only(strokes, adds)
        if len(one_class.new_foreground) + len(one_class.new_background):
            answer = _grown(image, spacing, reader, strokes=one_class, region=region, cancel=cancel)
            if answer is None:
                box = one_class.around
                before = reader(box)
                reader.write(box, merged(before, before, one_class.inside(box)))
            else:
                reader.write(*answer.in_volume(reader, one_class))
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


def _grown(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    *,
    strokes: StrokeVoxels,
    region: Box | None,
    cancel: threading.Event | None,
) -> GrownTry | None:
    """Return the answer of most weight to strokes of one class, or None where nothing can grow."""
    lattice = Lattice.of(image.shape, spacing)
    turned = strokes.turned(lattice.axes)
    best: GrownTry | None = None
    for grid in lattice.grids(turned.around, region):
        stop_if(cancel)
        seen, before = turned.on(grid), lattice.read(state, grid)
        pixels = lattice.read(lambda box: image[box], grid)
        votes = votes_in(pixels, before, seen, grid=grid, lattice=lattice)
        vote = votes.adds or votes.removes
        if vote is not None and (best is None or vote.weight > best.vote.weight):
            best = GrownTry.of(image, before, seen, vote=vote, grid=grid, lattice=lattice)
    return best
