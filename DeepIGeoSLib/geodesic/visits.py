"""One visit of a block: read it, relax it, write it back, and tell its neighbors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import overload

from DeepIGeoSLib.geodesic.lanes import (
    WIDTH,
    first_lanes,
    lane,
    least,
    less,
    load,
    minimum,
    moved_down,
    moved_up,
    scaled,
    spread,
    store,
    where_less,
)
from DeepIGeoSLib.geodesic.pointers import (
    as_integer,
    ask_for,
    exchange,
    item,
    join,
    lower,
    moved,
    put,
    smallest_member,
)
from DeepIGeoSLib.geodesic.rows import (
    ALL,
    ALONG,
    DIRECTIONS,
    FIRST_COLUMN,
    FIRST_PLANE,
    FROM_NEXT_PLANE,
    FROM_NEXT_ROW,
    FROM_PREVIOUS_PLANE,
    FROM_PREVIOUS_ROW,
    NEXT_PLANE,
    NONE,
    ONE,
    PLANE,
    ROW,
    SIDE,
    after,
    before,
    place,
    relax_rows,
    widened,
)

# Outside the volume distance and intensity are infinite: a step from there costs too much, and one
# between two outside voxels costs NaN, which is less than nothing.
_INFINITE = np.float32(np.inf)

NEWS = 9 * WIDTH
"""Numbers that collect what the neighbors have to know."""


class Field(NamedTuple):
    """The volume and what is known about its blocks, as compiled code sees it.

    Attributes:
        distance: address of the distances.
        image: address of the image, or ``ImageAddress``.
        weight: that the image is multiplied with.
        lengths: eight float32, by |dk| * 4 + |dj| * 2 + |di|.
        shape: of the volume, (k, j, i).
        blocks: their number along each axis.
        keys: address of an int32 for each block: the smallest distance that was lowered next to it
            since its last visit, ``as_integer``.
        pending: address of five sets of rows for each block, what they have to be lowered from.
    """

    distance: Any
    image: Any
    weight: np.float32
    lengths: tuple
    shape: tuple
    blocks: tuple
    keys: Any
    pending: Any


class Scratch(NamedTuple):
    """The memory that a thread visits blocks in, as compiled code sees it.

    Attributes:
        distance: address of the block's distances.
        image: address of the block's image, or ``ImageAddress``.
        pending: address of five sets of rows.
        news: address of nine times sixteen float32: for each (dk, dj) the smallest lowered
            distances of the rows next to that neighbor.
        row: address of sixteen float32.
    """

    distance: Any
    image: Any
    pending: Any
    news: Any
    row: Any


@njit
def _values(volume, start, count, size, row):
    """Return up to sixteen numbers of a row of the volume, infinite after the first ``count``."""
    infinite = spread(_INFINITE)
    if start + WIDTH <= size:
        return first_lanes(load(volume, start), count, infinite)
    store(row, 0, infinite)
    for n in range(count):
        put(row, n, item(volume, start + n))
    return load(row, 0)


@njit
def _read(volume, scratch, factor, shape, corner, row, ahead):
    """Copy a block and the rows around it to the scratch, multiplied, infinite outside.

    The block that lies ``ahead`` voxels further is asked for meanwhile.
    """
    depth, height, width = shape
    size = depth * height * width
    i = corner[2]
    count = min(WIDTH, width - i)
    infinite = spread(_INFINITE)
    for dk in range(SIDE + 2):
        for dj in range(SIDE + 2):
            k, j = corner[0] + dk - 1, corner[1] + dj - 1
            here = dk * PLANE + dj * ROW + WIDTH
            if k < 0 or k >= depth or j < 0 or j >= height:
                store(scratch, here - WIDTH, infinite)
                store(scratch, here, infinite)
                store(scratch, here + WIDTH, infinite)
                continue
            start = (k * height + j) * width + i
            ask_for(volume, start + ahead - 1)
            ask_for(volume, start + ahead + WIDTH)
            left = right = _INFINITE
            if i > 0:
                left = item(volume, start - 1)
            if i + WIDTH < width:
                right = item(volume, start + WIDTH)
            middle = scaled(_values(volume, start, count, size, row), factor)
            store(scratch, here - WIDTH, moved_up(middle, spread(left * factor)))
            store(scratch, here, middle)
            store(scratch, here + WIDTH, moved_down(middle, spread(right * factor)))


def _read_image(image, scratch, factor, shape, corner, row, ahead):
    """Copy the image of a block and of the rows around it to the scratch."""


@overload(_read_image)
def _image_reader(image, scratch, factor, shape, corner, row, ahead):
    def read_one_channel(image, scratch, factor, shape, corner, row, ahead):
        _read(image, scratch, factor, shape, corner, row, ahead)

    def read_channels(image, scratch, factor, shape, corner, row, ahead):
        for n in range(image.number):
            values = moved(image.first, n * image.size)
            copy = moved(scratch.first, n * scratch.size)
            _read(values, copy, factor, shape, corner, row, ahead)

    return read_one_channel if isinstance(image, types.CPointer) else read_channels


@njit
def _position(field, block):
    """Return the place (k, j, i) of a block among the blocks."""
    k, rest = divmod(block, field.blocks[1] * field.blocks[2])
    j, i = divmod(rest, field.blocks[2])
    return k, j, i


@njit
def _corner(field, block):
    """Return the flat number of the first voxel of a block."""
    k, j, i = _position(field, block)
    return (k * SIDE * field.shape[1] + j * SIDE) * field.shape[2] + i * WIDTH


@njit
def visit(field, scratch, block, following):
    """Relax a block as far as it goes, and make the neighbors that it can improve pending.

    Args:
        field: the volume.
        scratch: memory to do it in.
        block: the number of the block.
        following: the number of the block that will probably be visited next.
    """
    some = NONE
    for direction in range(DIRECTIONS):
        rows = exchange(field.pending, block * DIRECTIONS + direction, NONE)
        put(scratch.pending, direction, rows)
        some |= rows
    if some == NONE:
        return
    k, j, i = _position(field, block)
    depth = min(SIDE, field.shape[0] - k * SIDE)
    height = min(SIDE, field.shape[1] - j * SIDE)
    inside = ALL >> np.uint64((SIDE - depth) * SIDE)
    inside &= FIRST_COLUMN * np.uint64((1 << height) - 1)
    for direction in range(DIRECTIONS):
        put(scratch.pending, direction, item(scratch.pending, direction) & inside)
    corner = (k * SIDE, j * SIDE, i * WIDTH)
    ahead = _corner(field, following) - _corner(field, block)
    one = np.float32(1)
    _read(field.distance, scratch.distance, one, field.shape, corner, scratch.row, ahead)
    _read_image(field.image, scratch.image, field.weight, field.shape, corner, scratch.row, ahead)
    rows = relax_rows(scratch.distance, scratch.image, field.lengths, scratch.pending, inside)
    if rows:
        _write(field, scratch, rows, (k, j, i), depth, height)


@njit
def _write(field, scratch, rows, block, depth, height):
    """Write lowered rows to the volume, and tell the neighbors."""
    size = field.shape[0] * field.shape[1] * field.shape[2]
    width = min(WIDTH, field.shape[2] - block[2] * WIDTH)
    infinite = spread(_INFINITE)
    for n in range(9):
        store(scratch.news, n * WIDTH, infinite)
    first = NONE
    last = NONE
    remaining = rows
    while remaining:
        row = smallest_member(remaining)
        remaining &= remaining - ONE
        k, j = row // SIDE, row % SIDE
        start = (block[0] * SIDE + k) * field.shape[1] + block[1] * SIDE + j
        start = start * field.shape[2] + block[2] * WIDTH
        values = load(scratch.distance, place(row))
        old = _values(field.distance, start, width, size, scratch.row)
        lowered = less(values, old)
        if width == WIDTH:
            store(field.distance, start, values)
        else:
            for n in range(width):
                put(field.distance, start + n, item(scratch.distance, place(row) + n))
        first |= np.uint64(lowered & 1) << np.uint64(row)
        last |= np.uint64((lowered >> (width - 1)) & 1) << np.uint64(row)
        news = where_less(values, old, infinite)
        for dk in range(0 if k == 0 else 1, 3 if k == depth - 1 else 2):
            for dj in range(0 if j == 0 else 1, 3 if j == height - 1 else 2):
                slot = (dk * 3 + dj) * WIDTH
                store(scratch.news, slot, minimum(news, load(scratch.news, slot)))
    _tell(field, scratch.news, (first, rows, last), block, (depth, height, width))


@njit
def _tell(field, news, rows, block, extent):
    """Make the rows of the 26 neighbors pending that lowered rows can lower.

    Args:
        field: the volume.
        news: address of the smallest lowered distances next to each neighbor.
        rows: those lowered in their first voxel, anywhere, in their last voxel.
        block: the block's place (k, j, i) among the blocks.
        extent: the block's size, (k, j, i).
    """
    for dk in range(-1, 2):
        for dj in range(-1, 2):
            nearest = load(news, ((dk + 1) * 3 + dj + 1) * WIDTH)
            smallest = least(nearest)
            if smallest == _INFINITE:
                continue
            for di in range(-1, 2):
                key = smallest
                if di != 0:
                    key = lane(nearest, 0 if di < 0 else extent[2] - 1)
                k, j, i = block[0] + dk, block[1] + dj, block[2] + di
                exists = 0 <= k < field.blocks[0] and 0 <= j < field.blocks[1]
                exists = exists and 0 <= i < field.blocks[2]
                if key < _INFINITE and exists and (dk != 0 or dj != 0 or di != 0):
                    neighbor = (k * field.blocks[1] + j) * field.blocks[2] + i
                    _post(field.pending, neighbor, rows[di + 1], dk, dj, extent)
                    # Only now: whoever sees the key has to see what is pending.
                    lower(field.keys, neighbor, as_integer(key))


@njit
def _post(pending, block, rows, dk, dj, extent):
    """Make the rows of one neighbor pending that ``rows`` of this block can lower."""
    at = block * DIRECTIONS
    if dk == 0 and dj == 0:
        wide = widened(rows)
        join(pending, at + ALONG, rows)
        join(pending, at + FROM_PREVIOUS_PLANE, wide << NEXT_PLANE)
        join(pending, at + FROM_NEXT_PLANE, wide >> NEXT_PLANE)
        join(pending, at + FROM_PREVIOUS_ROW, after(rows))
        join(pending, at + FROM_NEXT_ROW, before(rows))
    elif dk == 0:
        if dj > 0:
            column = (rows >> np.uint64(extent[1] - 1)) & FIRST_COLUMN
            join(pending, at + FROM_PREVIOUS_ROW, column)
        else:
            column = (rows & FIRST_COLUMN) << np.uint64(SIDE - 1)
            join(pending, at + FROM_NEXT_ROW, column)
        join(pending, at + FROM_PREVIOUS_PLANE, column << NEXT_PLANE)
        join(pending, at + FROM_NEXT_PLANE, column >> NEXT_PLANE)
    else:
        plane = rows & FIRST_PLANE
        if dk > 0:
            plane = (rows >> np.uint64((extent[0] - 1) * SIDE)) & FIRST_PLANE
        if dj == 0:
            plane = widened(plane) & FIRST_PLANE
        elif dj > 0:
            plane = (plane >> np.uint64(extent[1] - 1)) & ONE
        else:
            plane = (plane & ONE) << np.uint64(SIDE - 1)
        if dk > 0:
            join(pending, at + FROM_PREVIOUS_PLANE, plane)
        else:
            join(pending, at + FROM_NEXT_PLANE, plane << np.uint64((SIDE - 1) * SIDE))
