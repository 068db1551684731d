"""A round of strokes, answered by the network for any structure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from DeepIGeoSLib.any_structure.choice import AnswerChoice, Purpose
from DeepIGeoSLib.any_structure.signs import signs
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.tries import GrownTry, Network, NetworkTry, Try, try_window
from DeepIGeoSLib.any_structure.votes import votes_in
from DeepIGeoSLib.any_structure.zoom import Lattice, Reader
from DeepIGeoSLib.errors import stop_if
from DeepIGeoSLib.grid.boxes import Box
from DeepIGeoSLib.inputs.working_grid import WorkingGrid

# How much surer the network must be of a correction with pixels twice as large, where no rule
# chooses: what a stroke in a segmentation corrects is mostly small, and a coarse answer damages
# more than it mends. Measured (Docs/any-structure.md): without caution 8 % of the rounds lowered
# the Dice, with it 2 to 5 %.
_CAUTION_ADDING, _CAUTION_REMOVING = 0.05, 0.15

# Windows at least, from the finest on, in which a target that is there already is corrected. Those
# that are coarser than one that holds it hardly help (Docs/any-structure.md).
_CORRECTING = 2


def answer_strokes(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    *,
    strokes: StrokeVoxels,
    network: Network,
    choice: AnswerChoice | None = None,
    region: Box | None = None,
    cancel: threading.Event | None = None,
) -> tuple[Box, np.ndarray]:
    """Return the box that a group of new strokes changes, and the probability in it.

    The network answers in windows of every zoom, from the volume's own pixels to the whole volume,
    beside the method without a network, and the answer is taken that ``choice`` expects most of. An
    object that does not fit into a window, or that is a few pixels there, leaves the network in
    doubt; what it has not met in training, it sees less well than the other method.

    Args:
        image: float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        state: returns a box of the probability before the round, float32.
        strokes: in the volume, of which at least one is new.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
        choice: the rule that chooses; when None, the network's surest answer is taken.
        region: the only box that may change; chosen by the answer when None.
        cancel: stops the work when it is set.

    Returns:
        Slices (k, j, i) and float32 values of that box.

    Raises:
        Cancelled: ``cancel`` was set.
    """
    own = windows_tried(
        image, spacing, state, strokes=strokes, network=network, region=region, cancel=cancel
    )
    tries = [*own, *(grown_try(image, own) if choice is not None else ())]
    return tries[_best(tries, choice)].in_volume(state, strokes)


def windows_tried(
    image: np.ndarray,
    spacing: Sequence[float],
    state: Reader,
    *,
    strokes: StrokeVoxels,
    network: Network,
    region: Box | None = None,
    cancel: threading.Event | None = None,
) -> list[NetworkTry]:
    """Return the network's answers at every zoom, the finest first; see ``answer_strokes``."""
    lattice = Lattice.of(image.shape, spacing)
    turned = strokes.turned(lattice.axes)
    tries: list[NetworkTry] = []
    with ThreadPoolExecutor(max_workers=1) as beside:  # regions grow while the network runs
        windows = []
        for grid in lattice.grids(turned.around, region):
            stop_if(cancel)
            pixels = lattice.read(lambda box: image[box], grid)
            before, seen = lattice.read(state, grid), turned.on(grid)
            votes = beside.submit(votes_in, pixels, before, seen, grid=grid, lattice=lattice)
            windows.append((grid, pixels, before, seen, votes))
            if len(windows) >= _CORRECTING and _holds_target(before, seen, grid, lattice):
                break
        for grid, pixels, before, seen, votes in windows:
            if cancel is not None and cancel.is_set():
                beside.shutdown(wait=False, cancel_futures=True)
            stop_if(cancel)
            tries += try_window(
                pixels,
                before,
                seen,
                image=image,
                votes=votes.result(),
                grid=grid,
                lattice=lattice,
                network=network,
            )
    return tries


def _holds_target(before: np.ndarray, seen: Strokes, grid: WorkingGrid, lattice: Lattice) -> bool:
    """Return whether a window shows all of a target that was there before the strokes."""
    inside = before >= 0.5
    if not (inside & ~seen.new).any() and seen.new_foreground.any():
        return False
    return not lattice.at_cut_faces(inside, grid)


def grown_try(image: np.ndarray, tries: Sequence[NetworkTry]) -> list[GrownTry]:
    """Return what regions say without the network: the answer of most weight, if there is any.

    New strokes of both classes are left to the network.

    Args:
        image: the volume's intensities, float32, along its own axes.
        tries: the network's answers, which bring the votes of their windows.
    """
    voted = []
    for one in tries:
        votes = [vote for vote in (one.votes.adds, one.votes.removes) if vote is not None]
        both = one.seen.new_foreground.any() and one.seen.new_background.any()
        if votes and not both:
            voted.append((votes[0], one))
    if not voted:
        return []
    vote, one = max(voted, key=lambda pair: pair[0].weight)
    return [GrownTry.of(image, one.before, one.seen, vote=vote, grid=one.grid, lattice=one.lattice)]


def purpose_of(tries: Sequence[Try]) -> Purpose:
    """Return what the new strokes do."""
    if not any((one.shown >= 0.5).sum() > one.seen.foreground.sum() for one in tries):
        return "begin"
    return "add" if any(one.seen.new_foreground.any() for one in tries) else "remove"


def _best(tries: Sequence[Try], choice: AnswerChoice | None) -> int:
    """Return which try is taken."""
    purpose = purpose_of(tries)
    if choice is not None:
        return choice.best(signs(tries), purpose)
    caution = {"begin": 0.0, "add": _CAUTION_ADDING, "remove": _CAUTION_REMOVING}[purpose]
    # The first answer of each zoom is all that the network says.
    whole = [n for n, one in enumerate(tries) if n == 0 or one.grid != tries[n - 1].grid]
    sure = [tries[n].confidence - caution * zoom for zoom, n in enumerate(whole)]
    return whole[int(np.argmax(sure))]
