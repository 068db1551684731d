"""NIfTI-1 and Analyze: where the voxels lie, and sheared coordinates.

Source: nifti1.h of the NIfTI Data Format Working Group.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.layout import Layout, voxel_count

GZIP_MAGIC = b"\x1f\x8b"

# struct formats and places of dim, datatype, bitpix, vox_offset, xyzt_units, sform_code and the
# three rows of the sform.
_FIELDS = (("8h", 40), ("h", 70), ("h", 72), ("f", 108), ("b", 123), ("h", 254), ("12f", 280))

# Those of the sizes of voxels, and of qform_code and the qform: three numbers that say how it is
# turned, and the first voxel's place.
_SIZES_OF_VOXELS, _QFORM_CODE, _QFORM = ("3f", 80), ("h", 252), ("6f", 256)
_HEADER, _HEADER_OF_VERSION_2 = 348, 540

# Bits of a voxel by the number of its type in the header.
_BITS = {
    **{2: 8, 256: 8, 4: 16, 512: 16, 8: 32, 768: 32, 1024: 64, 1280: 64},  # whole numbers
    **{16: 32, 64: 64, 1536: 128, 32: 64, 1792: 128, 2048: 256},  # real and complex numbers
    **{128: 24, 2304: 32},  # colors
}

# NumPy's names of the float types by their numbers in the header.
_FLOATS = {16: "f4", 64: "f8"}

# Millimeters in the units that xyzt_units can name: meters and micrometers (others are mm).
_UNITS = {1: 1000.0, 3: 0.001}


@dataclass(frozen=True)
class NiftiHeader:
    """What is needed of a header.

    Attributes:
        sizes: voxels along i, j, k and further axes.
        bits: of a voxel.
        offset: bytes before the voxels, in the file without compression.
        sform: 4 x 4 from (i, j, k, 1) to RAS in mm, or None where it is not given.
        floats: NumPy's name of the type of the voxels where it is a float, else empty.
    """

    sizes: list[int]
    bits: int
    offset: int
    sform: np.ndarray | None
    floats: str

    @property
    def is_sheared(self) -> bool:
        """Whether the axes of the sform are not at right angles."""
        if self.sform is None:
            return False
        lengths = np.linalg.norm(self.sform[:3, :3], axis=0)
        if not (np.isfinite(self.sform).all() and (lengths > 0).all()):
            return False
        axes = self.sform[:3, :3] / lengths
        return bool(np.abs(axes.T @ axes - np.eye(3)).max() > 1e-4)


def layout_of(path: Path) -> Layout:
    """Return where the voxels lie.

    Raises:
        InputError: the header can't be read, or contradicts itself.
    """
    header_path, data = _files_of(path)
    header = read_header(path)
    size = -(-voxel_count(header.sizes, path) * header.bits // 8)
    with data.open("rb") as stream:
        packed = data.suffix.lower() == ".gz" and stream.read(2) == GZIP_MAGIC
    shortest = 352 if header_path == data else 0
    offset = max(header.offset, shortest)
    if packed:
        return Layout(data, 0, "gzip", offset + size, skip=offset, floats=header.floats)
    return Layout(data, offset, "raw", size, floats=header.floats)


def read_header(path: Path) -> NiftiHeader:
    """Read a header.

    Raises:
        InputError: it can't be read, or contradicts itself.
    """
    header_path, _ = _files_of(path)
    content = _first_bytes(header_path)
    for order in "<>":
        kind = struct.unpack_from(order + "i", content)[0] if len(content) >= 4 else 0
        if kind == _HEADER_OF_VERSION_2:
            raise InputError(f"{path} is NIfTI-2, which is not read here; save it as NIfTI-1.")
        if kind == _HEADER and len(content) == _HEADER:
            return _parsed(content, order, path)
    raise InputError(f"{path} can't be read as an image: it has no NIfTI header.")


def _parsed(content: bytes, order: str, path: Path) -> NiftiHeader:
    dim, kind_of_voxel, bits, offset, units, code, rows = (
        struct.unpack_from(order + form, content, place) for form, place in _FIELDS
    )
    count = dim[0]
    if not 1 <= count <= 7:
        raise InputError(f"{path}: its NIfTI header has {count} axes.")
    if _BITS.get(kind_of_voxel[0]) != bits[0]:
        raise InputError(
            f"{path}: its NIfTI header gives {bits[0]} bits a voxel of the type {kind_of_voxel[0]}."
        )
    if not (np.isfinite(offset[0]) and 0 <= offset[0] < 2**40):
        raise InputError(f"{path}: its NIfTI header puts the voxels at byte {offset[0]}.")
    is_analyze = content[344:347] not in (b"n+1", b"ni1")
    sform = None
    if code[0] > 0 and not is_analyze:
        sform = np.eye(4)
        sform[:3] = np.reshape(rows, (3, 4)) * _UNITS.get(units[0] & 7, 1.0)
    _check_place(content, order, path, dim[1 : min(count, 3) + 1], sform, is_analyze)
    floats = _FLOATS.get(kind_of_voxel[0], "")
    return NiftiHeader(
        list(dim[1 : count + 1]), bits[0], int(offset[0]), sform, floats and order + floats
    )


def _check_place(
    content: bytes,
    order: str,
    path: Path,
    sizes: Sequence[int],
    sform: np.ndarray | None,
    is_analyze: bool,
) -> None:
    """Check what says where the voxels lie; where it can't be true, ITK takes something else.

    Raises:
        InputError: it holds NaN or infinite numbers, or voxels without an extent.
    """
    if sform is not None:
        if not np.isfinite(sform).all() or np.linalg.det(sform[:3, :3]) == 0:
            raise InputError(f"{path}: the sform of its NIfTI header gives the voxels no place.")
        return
    lengths = struct.unpack_from(order + _SIZES_OF_VOXELS[0], content, _SIZES_OF_VOXELS[1])
    for size, length in zip(sizes, lengths, strict=False):
        if size > 1 and (not np.isfinite(length) or length == 0):
            raise InputError(f"{path}: its NIfTI header gives the voxels the size {length} mm.")
    (code,) = struct.unpack_from(order + _QFORM_CODE[0], content, _QFORM_CODE[1])
    qform = struct.unpack_from(order + _QFORM[0], content, _QFORM[1])
    if code > 0 and not is_analyze and not np.isfinite(qform).all():
        raise InputError(f"{path}: the qform of its NIfTI header gives the voxels no place.")


def _files_of(path: Path) -> tuple[Path, Path]:
    """Return the file with the header and the one with the voxels."""
    name = path.name
    lower = name.lower()
    for ending, other in ((".hdr", ".img"), (".img", ".hdr")):
        for packed in ("", ".gz"):
            if lower.endswith(ending + packed):
                stem = name[: len(name) - len(ending + packed)]
                partner = _existing(path.parent, stem, other)
                return (path, partner) if ending == ".hdr" else (partner, path)
    return path, path


def _existing(folder: Path, stem: str, ending: str) -> Path:
    endings = [variant + packed for packed in ("", ".gz") for variant in (ending, ending.upper())]
    for candidate in endings:
        if (folder / (stem + candidate)).is_file():
            return folder / (stem + candidate)
    raise InputError(f"{folder / (stem + ending)}, the other half of an image, is missing.")


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            if stream.read(2) != GZIP_MAGIC or path.suffix.lower() != ".gz":
                stream.seek(0)
                return stream.read(_HEADER)
            stream.seek(0)
            return _unpacked(stream)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} can't be read as an image: {error}.") from error


def _unpacked(stream: BinaryIO) -> bytes:
    with gzip.GzipFile(fileobj=stream) as unpacked:
        return unpacked.read(_HEADER)
