"""Which block is visited next, by which thread."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload

from DeepIGeoSLib.geodesic.compilation import compiled_once
from DeepIGeoSLib.geodesic.lanes import WIDTH
from DeepIGeoSLib.geodesic.pointers import (
    as_integer,
    as_number,
    exchange,
    item,
    moved,
    pointer,
    put,
)
from DeepIGeoSLib.geodesic.rows import (
    ALONG,
    DIRECTIONS,
    FROM_NEXT_PLANE,
    FROM_NEXT_ROW,
    FROM_PREVIOUS_PLANE,
    FROM_PREVIOUS_ROW,
    ONE,
    SIDE,
    ImageAddress,
)
from DeepIGeoSLib.geodesic.visits import NEWS, Field, Scratch, visit

NEVER = np.float32(np.inf).view(np.int32)
"""The key of a block that nothing was lowered next to."""

# Places in the state that the threads share.
LOCK, NEXT, END, VISITING = range(4)
STATES = 4

_NOTHING_NOW, _FINISHED = -1, -2

_FEW = 16
"""So many blocks are queued at once even if their keys differ much."""

_PATIENCE = 100
"""How often a thread asks for a block in vain before it lets others have the processor."""


class Schedule(NamedTuple):
    """The blocks that wait, shared by the threads, as compiled code sees it.

    Attributes:
        blocks: their number.
        keys: address of the blocks' keys.
        queue: address of int32, the numbers of blocks.
        visited: address of uint8, whether a thread is visiting the block.
        state: address of int64, the numbers named above.
        band: blocks whose keys exceed the smallest by no more than this are queued together.
    """

    blocks: int
    keys: Any
    queue: Any
    visited: Any
    state: Any
    band: np.float32


@njit
def _queue_up_to(schedule, highest):
    """Queue the blocks with keys up to ``highest``; return their number."""
    end = 0
    for block in range(schedule.blocks):
        if item(schedule.keys, block) <= highest and item(schedule.visited, block) == 0:
            put(schedule.queue, end, np.int32(block))
            end += 1
    return end


@njit
def _fill(schedule):
    """Queue the blocks with the smallest keys; return whether there is any."""
    smallest = NEVER
    for block in range(schedule.blocks):
        key = item(schedule.keys, block)
        if key < smallest and item(schedule.visited, block) == 0:
            smallest = key
    if smallest == NEVER:
        return False
    band = schedule.band
    end = 0
    # Looking for blocks takes as long as visiting a few.
    for _ in range(8):
        end = _queue_up_to(schedule, as_integer(min(as_number(smallest) + band, _LARGEST)))
        if end >= _FEW:
            break
        band *= np.float32(2)
    put(schedule.state, NEXT, 0)
    put(schedule.state, END, end)
    return True


_LARGEST = np.finfo(np.float32).max


@njit
def _lock(schedule):
    while exchange(schedule.state, LOCK, 1):
        pass


@njit
def _unlock(schedule):
    exchange(schedule.state, LOCK, 0)


@njit
def _take(schedule):
    """Return the number of a block to visit, _NOTHING_NOW or _FINISHED."""
    state = schedule.state
    block = _NOTHING_NOW
    _lock(schedule)
    if item(state, NEXT) < item(state, END) or _fill(schedule):
        block = np.int64(item(schedule.queue, item(state, NEXT)))
        put(state, NEXT, item(state, NEXT) + 1)
        put(state, VISITING, item(state, VISITING) + 1)
        # Two threads in one block could undo each other's work.
        put(schedule.visited, block, np.uint8(1))
        exchange(schedule.keys, block, NEVER)
    elif item(state, VISITING) == 0:
        block = _FINISHED
    _unlock(schedule)
    return block


@njit
def _following(schedule, block):
    """Return the block that is next in the queue, or ``block`` itself."""
    following = item(schedule.state, NEXT)
    if following < item(schedule.state, END):
        return np.int64(item(schedule.queue, following))
    return block


@njit
def _leave(schedule, block):
    """Note that the visit of a block has ended."""
    _lock(schedule)
    put(schedule.visited, block, np.uint8(0))
    put(schedule.state, VISITING, item(schedule.state, VISITING) - 1)
    _unlock(schedule)


@njit
def _visit_all(field, schedule, scratch):
    patience = _PATIENCE
    while True:
        block = _take(schedule)
        if block == _FINISHED:
            return True
        if block == _NOTHING_NOW:
            patience -= 1
            if patience == 0:
                return False
            continue
        patience = _PATIENCE
        visit(field, scratch, block, _following(schedule, block))
        _leave(schedule, block)


def _seen(image):
    """Return how compiled code sees an array of one channel (1D) or more (2D)."""


@overload(_seen)
def _how_seen(image):
    def one_channel(image):
        return pointer(image)

    def channels(image):
        return ImageAddress(pointer(image), image.shape[0], image.shape[1])

    return one_channel if image.ndim == 1 else channels


@compiled_once
def visit_blocks(
    distance, image, weight, lengths, shape, blocks, keys, pending, queue, visited, state,
    band, scratch_distance, scratch_image, scratch_sets, scratch_lanes,
):  # fmt: skip
    """Visit blocks until none is left; return False if others have to be waited for.

    The arguments up to ``band`` are shared by all threads and described in ``Field`` and
    ``Schedule``; the last four belong to the thread, see ``Scratch``.
    """
    field = Field(
        pointer(distance), _seen(image), weight, lengths, shape, blocks, pointer(keys),
        pointer(pending),
    )  # fmt: skip
    schedule = Schedule(
        keys.size, pointer(keys), pointer(queue), pointer(visited), pointer(state), band
    )
    lanes = pointer(scratch_lanes)
    scratch = Scratch(
        pointer(scratch_distance),
        _seen(scratch_image),
        pointer(scratch_sets),
        lanes,
        moved(lanes, NEWS),
    )
    return _visit_all(field, schedule, scratch)


@compiled_once
def begin(voxels, shape, blocks, keys, pending):
    """Make the rows that these voxels can lower pending, and their blocks the first to visit."""
    depth, height, width = shape
    for voxel in voxels:
        rest, x = divmod(voxel, width)
        z, y = divmod(rest, height)
        for k in range(max(z - 1, 0), min(z + 2, depth)):
            for j in range(max(y - 1, 0), min(y + 2, height)):
                direction = ALONG
                if k != z:
                    direction = FROM_PREVIOUS_PLANE if k > z else FROM_NEXT_PLANE
                elif j != y:
                    direction = FROM_PREVIOUS_ROW if j > y else FROM_NEXT_ROW
                row = ONE << np.uint64(k % SIDE * SIDE + j % SIDE)
                for i in range(max(x - 1, 0), min(x + 2, width)):
                    block = (k // SIDE * blocks[1] + j // SIDE) * blocks[2] + i // WIDTH
                    keys[block] = 0
                    pending[block * DIRECTIONS + direction] |= row
