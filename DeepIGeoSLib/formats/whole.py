"""Whether a file holds all the voxels that its header promises, undamaged."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.layout import Layout

# What zlib makes of so many bytes at once is at most a thousand times as much.
_CHUNK = 2**16
_MOST_UNPACKED = 1100

# By codec: zlib's window size that reads a gzip stream with its checksum, or either gzip or zlib.
_WINDOWS = {"gzip": 31, "zlib": 47}


def check_whole(path: Path, layout: Layout) -> None:
    """Compare a file with what its header promises.

    Compressed voxels are unpacked (and thrown away) in chunks: their checksums are held against
    them, and unpacking ends as soon as there is more than was promised.

    Args:
        path: how to name the image.
        layout: where the voxels lie.

    Raises:
        InputError: voxels are missing or too many, a checksum is wrong, or a value is not finite.
    """
    finite = _FiniteCheck(layout)
    try:
        with layout.data.open("rb") as stream:
            stream.seek(layout.offset)
            found = _count(stream, layout, finite)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} is damaged: its voxels can't be unpacked ({error}).") from error
    if found < layout.size:
        raise InputError(
            f"{path} is not whole: it holds {found} bytes of the {layout.size} that its header "
            "promises; copy or download it again."
        )
    if found > layout.size:
        raise InputError(
            f"{path} is damaged: it holds more than the {layout.size} bytes that its header "
            "promises."
        )
    if finite.bad:
        raise InputError(
            f"{path} holds NaN or infinite values in {finite.bad} of {finite.voxels} voxels."
        )


def check_size(path: Path, layout: Layout) -> None:
    """Check that a file can be as large as its header says, without reading its voxels.

    Args:
        path: how to name the image.
        layout: where the voxels lie.

    Raises:
        InputError: voxels are missing, whatever compressed ones say.
    """
    try:
        stored = layout.data.stat().st_size - layout.offset
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}.") from error
    most = stored * _MOST_UNPACKED if layout.codec in _WINDOWS else stored
    if layout.codec in ("raw", *_WINDOWS) and most < layout.size:
        raise InputError(
            f"{path} is not whole: {max(0, stored)} bytes can't hold the {layout.size} that its "
            "header promises; copy or download it again."
        )


class _FiniteCheck:
    """Counts the values that are not finite while the decoded data pass by in pieces."""

    def __init__(self, layout: Layout) -> None:
        self._type = np.dtype(layout.floats) if layout.floats else None
        self._skip = layout.skip
        self._rest = b""
        self.voxels = self.bad = 0

    def pass_by(self, piece: bytes) -> None:
        if self._type is None:
            return
        skipped = min(self._skip, len(piece))
        self._skip -= skipped
        waiting = self._rest + piece[skipped:]
        count = len(waiting) // self._type.itemsize
        values = np.frombuffer(waiting, self._type, count)
        self._rest = waiting[count * self._type.itemsize :]
        self.voxels += count
        self.bad += count - int(np.count_nonzero(np.isfinite(values)))


def _count(stream: BinaryIO, layout: Layout, finite: _FiniteCheck) -> int:
    """Return how many bytes (for text: numbers) were found, or a few more than promised."""
    if layout.codec == "text":
        return _numbers(stream, layout.size)
    if layout.codec == "hex":
        return len(re.findall(rb"[0-9a-fA-F]", stream.read(4 * layout.size + _CHUNK))) // 2
    if layout.codec == "raw" and not layout.floats:
        return max(0, layout.data.stat().st_size - layout.offset)
    total = 0
    raw = layout.codec == "raw"
    for piece in _chunks(stream) if raw else _unpacked(stream, _WINDOWS[layout.codec]):
        finite.pass_by(piece)
        total += len(piece)
        if total > layout.size:
            break
    return total


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_CHUNK):
        yield piece


def _numbers(stream: BinaryIO, most: int) -> int:
    total, rest = 0, b""
    while total <= most and (chunk := stream.read(_CHUNK)):
        words = re.split(rb"[\s,]+", rest + chunk)
        rest = words.pop()
        total += sum(1 for word in words if word)
    return total + bool(rest)


def _unpacked(stream: BinaryIO, window: int) -> Iterator[bytes]:
    """Yield the decoded data; raise EOFError or zlib.error where they are damaged."""
    waiting = stream.read(_CHUNK)
    while waiting:
        decoder = zlib.decompressobj(window)
        while not decoder.eof:
            if not waiting:
                raise EOFError("the end is missing")
            yield decoder.decompress(waiting)
            waiting = decoder.unused_data or stream.read(_CHUNK)
        # gzip allows another part, and zeros after its end, as tapes pad them.
        while waiting and not waiting.strip(b"\0"):
            waiting = stream.read(_CHUNK)
