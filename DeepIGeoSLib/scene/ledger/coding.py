"""Voxels and changes as few bytes, read back with care: scenes come from anywhere."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.errors import DeepIGeoSError
from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.interaction.scribbles import Interactions
from DeepIGeoSLib.scene.labels import Change

_FIELDS = ("foreground", "background", "given_foreground", "given_background")
_INTEGER = np.dtype("<i8")


class DamagedLedger(DeepIGeoSError):
    """What is kept with a segment can't be read; whoever reads it goes on without."""


def packedInteractions(interactions: Interactions) -> bytes:
    """Return the scribbles as bytes."""
    return zlib.compress(_packedLists([getattr(interactions, name) for name in _FIELDS]), 1)


def unpackedInteractions(packed: bytes, shape: Sequence[int]) -> Interactions:
    """Return the scribbles of ``packedInteractions``.

    Raises:
        DamagedLedger: they are damaged, or not of a volume with this shape.
    """
    data = _inflated(packed, shape)
    lists, rest = _unpackedLists(data, len(_FIELDS), shape)
    if rest:
        raise DamagedLedger("The strokes kept with the segment are damaged.")
    return Interactions(three(shape), *lists)


def packedStep(change: Change, before: Interactions, after: Interactions) -> bytes:
    """Return what a round changed as bytes: labels, and scribbles; it reads the same backwards."""
    exchanged = [
        np.setxor1d(getattr(before, name), getattr(after, name), assume_unique=True)
        for name in _FIELDS
    ]
    box = np.array([(part.start, part.stop) for part in change.box], dtype=_INTEGER)
    bits = np.packbits(change.flips)
    return zlib.compress(_packedLists(exchanged) + box.tobytes() + bits.tobytes(), 1)


def unpackedStep(packed: bytes, beside: Interactions) -> tuple[Change, Interactions]:
    """Return what a round changed: the labels, and the scribbles at its other end.

    Args:
        packed: from ``packedStep``.
        beside: the scribbles at one of its ends.

    Raises:
        DamagedLedger: the bytes are damaged.
    """
    shape = beside.shape
    lists, rest = _unpackedLists(_inflated(packed, shape), len(_FIELDS), shape)
    box, bits = rest[: 6 * _INTEGER.itemsize], rest[6 * _INTEGER.itemsize :]
    bounds = np.frombuffer(box, dtype=_INTEGER)
    if bounds.size != 6:
        raise DamagedLedger("A round kept with the segment is damaged.")
    slices = _checkedBox(bounds.reshape(3, 2), shape)
    size = [part.stop - part.start for part in slices]
    if len(bits) != (int(np.prod(size)) + 7) // 8:
        raise DamagedLedger("A round kept with the segment is damaged.")
    flips = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=int(np.prod(size)))
    change = Change(slices, flips.reshape(size).astype(bool))
    exchanged = dict(zip(_FIELDS, lists, strict=True))
    other = Interactions(
        shape,
        *(
            np.setxor1d(getattr(beside, name), voxels, assume_unique=True)
            for name, voxels in exchanged.items()
        ),
    )
    return change, other


def _packedLists(lists: Sequence[np.ndarray]) -> bytes:
    """Return lists of rising numbers as the runs that strokes consist of."""
    parts = []
    for voxels in lists:
        breaks = np.flatnonzero(np.diff(voxels) != 1) + 1
        starts = np.concatenate([voxels[:1], voxels[breaks]])
        ends = np.append(breaks, len(voxels)) if len(voxels) else breaks
        lengths = np.diff(ends, prepend=0)
        runs = np.concatenate([[len(starts)], np.diff(starts, prepend=0), lengths])
        parts.append(runs.astype(_INTEGER).tobytes())
    return b"".join(parts)


def _unpackedLists(data: bytes, count: int, shape: Sequence[int]) -> tuple[list[np.ndarray], bytes]:
    lists, position = [], 0
    for _ in range(count):
        number = _integers(data, position, 1)[0]
        if not 0 <= number <= len(data):
            raise DamagedLedger("The strokes kept with the segment are damaged.")
        runs = _integers(data, position + _INTEGER.itemsize, 2 * int(number))
        starts, lengths = np.cumsum(runs[:number]), runs[number:]
        position += (1 + 2 * int(number)) * _INTEGER.itemsize
        lists.append(_fromRuns(starts, lengths, int(np.prod(shape))))
    return lists, data[position:]


def _fromRuns(starts: np.ndarray, lengths: np.ndarray, size: int) -> np.ndarray:
    ends = starts + lengths
    ordered = (lengths > 0).all() and (starts[1:] > ends[:-1]).all()
    if starts.size and not (ordered and starts[0] >= 0 and ends[-1] <= size):
        raise DamagedLedger("The strokes kept with the segment are damaged.")
    offsets = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum()), dtype=np.intp) + np.repeat(starts - offsets, lengths)


def _integers(data: bytes, position: int, count: int) -> np.ndarray:
    end = position + count * _INTEGER.itemsize
    if end > len(data):
        raise DamagedLedger("The strokes kept with the segment are damaged.")
    return np.frombuffer(data[position:end], dtype=_INTEGER).astype(np.int64)


def _inflated(packed: bytes, shape: Sequence[int]) -> bytes:
    """Decompress, but never to more than a volume of this shape can need."""
    voxels = int(np.prod(shape))
    limit = 8 * _INTEGER.itemsize * (voxels + 8)
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(packed, limit)
    except zlib.error as error:
        raise DamagedLedger("What is kept with the segment is damaged.") from error
    if not inflater.eof:
        raise DamagedLedger("What is kept with the segment is damaged.")
    return data


def _checkedBox(bounds: np.ndarray, shape: Sequence[int]) -> Box:
    for (start, stop), size in zip(bounds, shape, strict=True):
        if not 0 <= start <= stop <= size:
            raise DamagedLedger("A round kept with the segment is damaged.")
    return three(slice(int(start), int(stop)) for start, stop in bounds)
