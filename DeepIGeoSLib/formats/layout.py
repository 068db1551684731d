"""Where the voxels of an image lie, as its header says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from DeepIGeoSLib.errors import InputError

# Larger images fit neither into float32 in the memory of a workstation nor into 32-bit indices.
MOST_VOXELS = 2**31


@dataclass(frozen=True)
class Layout:
    """Where the voxels of an image lie.

    Attributes:
        data: the file that holds them; for some formats another one than the header.
        offset: bytes of that file before them (before what is compressed).
        codec: "raw", "gzip", "zlib" (a zlib or a gzip stream), "text" (numbers with spaces between
            them) or "hex".
        size: how many bytes the decoded data must have; for text, how many numbers.
        skip: bytes of the decoded data before the voxels.
        floats: NumPy's name of the type of the voxels where NaN and infinity must be looked for
            here, because ITK replaces them by zeros; else empty.
    """

    data: Path
    offset: int
    codec: str
    size: int
    skip: int = 0
    floats: str = ""


def voxel_count(sizes: list[int], path: Path) -> int:
    """Return the product of the sizes.

    Raises:
        InputError: one of them is no size, or there are more voxels than can be worked with.
    """
    if not sizes or any(size < 1 for size in sizes):
        raise InputError(f"{path}: its header gives the size {tuple(sizes)}.")
    count = 1
    for size in sizes:
        count *= size
    if count > MOST_VOXELS:
        raise InputError(
            f"{path}: its header gives the size {tuple(sizes)}, more voxels than can be read "
            f"({MOST_VOXELS})."
        )
    return count


def beside(header: Path, name: str) -> Path:
    """Return the data file that a header names.

    Raises:
        InputError: it lies outside of the header's folder: a header may come from anywhere, and
            must not decide which file of this machine is read.
    """
    parts = name.replace("\\", "/").split("/")
    if Path(name).is_absolute() or ":" in parts[0] or parts[0] == "" or ".." in parts:
        raise InputError(
            f"{header} names the data file {name!r}, which lies outside of its folder; move it "
            "beside the header."
        )
    path = header.parent.joinpath(*parts)
    if not path.is_file():
        raise InputError(f"{header} names the data file {name!r}, which is missing.")
    return path


def whole_numbers(text: str, key: str, path: Path) -> list[int]:
    """Return the whole numbers of a header's entry.

    Raises:
        InputError: something else stands there.
    """
    try:
        return [int(word) for word in text.split()]
    except ValueError as error:
        raise InputError(f"{path}: its header has {text[:60]!r} as {key}.") from error


def check_spacing(text: str, key: str, path: Path) -> None:
    """Check the spacing that a header gives: ITK turns some that can't be true into another one.

    Raises:
        InputError: one of its numbers is none, infinite or not positive.
    """
    try:
        numbers = [float(word) for word in text.split()]
    except ValueError as error:
        raise InputError(f"{path}: its header has {text[:60]!r} as {key}.") from error
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        raise InputError(
            f"{path}: its header has {text[:60]!r} as {key}; positive numbers are expected."
        )
