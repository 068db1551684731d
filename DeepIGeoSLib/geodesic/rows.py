"""A block of 8 x 8 rows of 16 voxels, and how its rows lower each other's distances.

A block is relaxed in a scratch that also holds the rows around it. Every row is stored three times
there, shifted by one voxel to the left, unshifted, and shifted to the right, so that a voxel and
the neighbor that it is compared with always lie in the same lane.

The rows of a block are numbered k * 8 + j, and a set of rows is a uint64 in which bit n stands for
row n. Sets say what still has to be done: a row is lowered again only from rows that have changed
since, which is why the last sweeps over a block, that change little, cost little.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import overload

from DeepIGeoSLib.geodesic.lanes import (
    WIDTH,
    cost,
    less,
    load,
    magnitude,
    moved_down,
    moved_up,
    plus_square,
    relaxed,
    spread,
    store,
)
from DeepIGeoSLib.geodesic.pointers import item, moved, put, smallest_member

SIDE = 8
ROW = 3 * WIDTH
PLANE = (SIDE + 2) * ROW
SCRATCH = (SIDE + 2) * PLANE
"""The sizes of a row, a plane and a whole block with its surroundings in the scratch."""

NONE = np.uint64(0)
ONE = np.uint64(1)
ALL = ~NONE
FIRST_PLANE = np.uint64(0xFF)
FIRST_COLUMN = np.uint64(0x0101010101010101)
LAST_COLUMN = np.uint64(0x8080808080808080)
NEXT_PLANE = np.uint64(SIDE)
"""By how many bits the rows of a plane are shifted to become those of the next one."""

# What a row has to be lowered from: the previous plane, the next plane, the previous row, the next
# row, or itself (from its left and right neighbors).
FROM_PREVIOUS_PLANE, FROM_NEXT_PLANE, FROM_PREVIOUS_ROW, FROM_NEXT_ROW, ALONG = range(5)
DIRECTIONS = 5
_OFFSETS = (-PLANE, PLANE, -ROW, ROW)


class ImageAddress(NamedTuple):
    """An image of several channels, as compiled code sees it.

    Attributes:
        first: address of the first channel.
        number: of channels.
        size: float32 numbers from one channel to the next.
    """

    first: Any
    number: int
    size: int


@njit
def place(row):
    """Return where the unshifted voxels of a row begin in the scratch."""
    return (row // SIDE + 1) * PLANE + (row % SIDE + 1) * ROW + WIDTH


@njit
def after(rows):
    """Return the rows that follow these in their planes."""
    return (rows << ONE) & ~FIRST_COLUMN


@njit
def before(rows):
    """Return the rows that precede these in their planes."""
    return (rows >> ONE) & ~LAST_COLUMN


@njit
def widened(rows):
    """Return these rows and their neighbors in their planes."""
    return rows | after(rows) | before(rows)


def step(image, here, there, length):
    """Return the costs of the steps between the lanes at two places of the scratch.

    ``image`` is the address of one channel, or ``ImageAddress``.
    """


@overload(step)
def _step(image, here, there, length):
    def through_one_channel(image, here, there, length):
        return cost(length, load(image, here), load(image, there))

    def through_channels(image, here, there, length):
        squares = spread(np.float32(0))
        for channel in range(image.number):
            values = moved(image.first, channel * image.size)
            squares = plus_square(squares, load(values, here), load(values, there))
        return magnitude(length, squares)

    return through_one_channel if isinstance(image, types.CPointer) else through_channels


@njit
def _from_row(best, distance, image, here, there, straight, oblique):
    """Lower ``best``, the row at ``here``, from the three neighbors in the row at ``there``."""
    near = load(distance, there - WIDTH)
    best = relaxed(best, near, step(image, here, there - WIDTH, oblique))
    near = load(distance, there)
    best = relaxed(best, near, step(image, here, there, straight))
    near = load(distance, there + WIDTH)
    return relaxed(best, near, step(image, here, there + WIDTH, oblique))


@njit
def _replace(distance, here, best):
    """Write a row's lowered distances; return whether any was lowered."""
    lower = less(best, load(distance, here)) != 0
    store(distance, here, best)
    # The voxels just outside the block, in the first and the last lane, stay as they are.
    store(distance, here - WIDTH, moved_up(best, load(distance, here - WIDTH)))
    store(distance, here + WIDTH, moved_down(best, load(distance, here + WIDTH)))
    return np.uint64(lower)


@njit
def _lower_from_plane(distance, image, lengths, rows, offset):
    """Lower rows from three rows each, ``offset`` away; return which were lowered."""
    lowered = NONE
    while rows:
        row = smallest_member(rows)
        rows &= rows - ONE
        here = place(row)
        there = here + offset
        best = load(distance, here)
        best = _from_row(best, distance, image, here, there - ROW, lengths[6], lengths[7])
        best = _from_row(best, distance, image, here, there, lengths[4], lengths[5])
        best = _from_row(best, distance, image, here, there + ROW, lengths[6], lengths[7])
        lowered |= _replace(distance, here, best) << np.uint64(row)
    return lowered


@njit
def _lower_from_row(distance, image, lengths, rows, offset):
    """Lower rows from one row each, ``offset`` away; return which were lowered."""
    lowered = NONE
    while rows:
        row = smallest_member(rows)
        rows &= rows - ONE
        here = place(row)
        best = load(distance, here)
        best = _from_row(best, distance, image, here, here + offset, lengths[2], lengths[3])
        lowered |= _replace(distance, here, best) << np.uint64(row)
    return lowered


@njit
def _lower_along(distance, image, lengths, rows):
    """Lower rows from themselves until nothing changes; return which were lowered."""
    lowered = NONE
    while rows:
        row = smallest_member(rows)
        rows &= rows - ONE
        here = place(row)
        to_left = step(image, here, here - WIDTH, lengths[1])
        to_right = step(image, here, here + WIDTH, lengths[1])
        left = load(distance, here - WIDTH)
        middle = load(distance, here)
        right = load(distance, here + WIDTH)
        while True:
            best = relaxed(relaxed(middle, left, to_left), right, to_right)
            if less(best, middle) == 0:
                break
            middle, left, right = best, moved_up(best, left), moved_down(best, right)
            lowered |= ONE << np.uint64(row)
        store(distance, here - WIDTH, left)
        store(distance, here, middle)
        store(distance, here + WIDTH, right)
    return lowered


@njit
def _front(direction, step):
    """Return the rows that a pass reaches in its n-th step."""
    if direction == FROM_PREVIOUS_PLANE:
        return FIRST_PLANE << np.uint64(step * SIDE)
    if direction == FROM_NEXT_PLANE:
        return FIRST_PLANE << np.uint64((SIDE - 1 - step) * SIDE)
    if direction == FROM_PREVIOUS_ROW:
        return FIRST_COLUMN << np.uint64(step)
    return FIRST_COLUMN << np.uint64(SIDE - 1 - step)


@njit
def _add(pending, direction, rows):
    put(pending, direction, item(pending, direction) | rows)


@njit
def _mark(pending, lowered, inside):
    """Make the rows pending that lowered rows can lower in turn."""
    wide = widened(lowered)
    _add(pending, FROM_PREVIOUS_PLANE, (wide << NEXT_PLANE) & inside)
    _add(pending, FROM_NEXT_PLANE, (wide >> NEXT_PLANE) & inside)
    _add(pending, FROM_PREVIOUS_ROW, after(lowered) & inside)
    _add(pending, FROM_NEXT_ROW, before(lowered) & inside)


@njit
def relax_rows(distance, image, lengths, pending, inside):
    """Relax a block until nothing changes; return which rows were lowered.

    Args:
        distance: address of the scratch's distances.
        image: address of the scratch's image, or ``ImageAddress``.
        lengths: eight float32, a step's length by |dk| * 4 + |dj| * 2 + |di|.
        pending: address of five sets: the rows that have to be lowered from each direction. They
            are empty afterwards.
        inside: the rows of the block that lie in the volume.
    """
    ever_lowered = NONE
    while (
        item(pending, FROM_PREVIOUS_PLANE)
        | item(pending, FROM_NEXT_PLANE)
        | item(pending, FROM_PREVIOUS_ROW)
        | item(pending, FROM_NEXT_ROW)
        | item(pending, ALONG)
    ):
        for direction in range(ALONG):
            for n in range(SIDE):
                rows = item(pending, direction) & _front(direction, n)
                if rows == NONE:
                    continue
                put(pending, direction, item(pending, direction) ^ rows)
                offset = _OFFSETS[direction]
                if direction < FROM_PREVIOUS_ROW:
                    lowered = _lower_from_plane(distance, image, lengths, rows, offset)
                else:
                    lowered = _lower_from_row(distance, image, lengths, rows, offset)
                _add(pending, ALONG, lowered)
                _mark(pending, lowered, inside)
                ever_lowered |= lowered
        lowered = _lower_along(distance, image, lengths, item(pending, ALONG))
        put(pending, ALONG, NONE)
        _mark(pending, lowered, inside)
        ever_lowered |= lowered
    return ever_lowered
