"""NRRD: where the voxels lie (teem.sourceforge.net/nrrd/format.html)."""

from __future__ import annotations

import re
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.layout import Layout, beside, voxel_count, whole_numbers

# Headers of segmentations with many segments have some hundred kB.
_LONGEST_HEADER = 16 * 2**20

# Bytes of a voxel by the names of its type, without "signed" and "unsigned".
_SIZE_OF_TYPE = {
    **dict.fromkeys(("char", "uchar", "int8", "int8_t", "uint8", "uint8_t"), 1),
    **dict.fromkeys(("short", "short int", "ushort", "int16", "int16_t", "uint16", "uint16_t"), 2),
    **dict.fromkeys(("int", "uint", "int32", "int32_t", "uint32", "uint32_t", "float"), 4),
    **dict.fromkeys(("long long", "long long int", "longlong", "ulonglong", "double"), 8),
    **dict.fromkeys(("int64", "int64_t", "uint64", "uint64_t"), 8),
}

_CODECS = {
    **dict.fromkeys(("raw",), "raw"),
    **dict.fromkeys(("gzip", "gz"), "gzip"),
    **dict.fromkeys(("txt", "text", "ascii"), "text"),
    **dict.fromkeys(("hex",), "hex"),
}


def layout_of(path: Path) -> Layout:
    """Return where the voxels lie.

    Raises:
        InputError: the header can't be read, contradicts itself, or names a data file outside of
            its folder.
    """
    fields, length = read_fields(path)
    for key in ("type", "sizes", "encoding"):
        if key not in fields:
            raise InputError(f"{path} can't be read as an image: its header lacks {key!r}.")
    size_of_type = _SIZE_OF_TYPE.get(
        fields["type"].lower().removeprefix("unsigned ").removeprefix("signed ")
    )
    codec = _CODECS.get(fields["encoding"].lower())
    if size_of_type is None or codec is None:
        what = fields["type"] if size_of_type is None else fields["encoding"]
        raise InputError(f"{path} can't be read as an image: it holds {what[:60]!r}.")
    _check_directions(fields.get("space directions", ""), path)
    count = voxel_count(whole_numbers(fields["sizes"], "sizes", path), path)
    size = count if codec == "text" else count * size_of_type
    data, offset = path, length
    if "data file" in fields:
        if fields["data file"].split()[0] == "LIST" or "%" in fields["data file"]:
            raise InputError(
                f"{path} keeps its voxels in several files; save it as one .nrrd file."
            )
        data, offset = beside(path, fields["data file"]), 0
    return Layout(data, _skipped(fields, data, offset, size, codec, path), codec, size)


def read_fields(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields of a header, names in lower case, and its length in bytes.

    The length counts up to the first byte of the voxels where they follow in the same file.

    Raises:
        InputError: it is no NRRD header.
    """
    with path.open("rb") as stream:
        content = stream.read(_LONGEST_HEADER)
    if not content.startswith(b"NRRD"):
        raise InputError(f"{path} can't be read as an image: it has no NRRD header.")
    fields: dict[str, str] = {}
    position = 0
    while position < len(content):
        end = content.find(b"\n", position)
        end = len(content) if end < 0 else end
        line = content[position:end].decode("utf-8", "replace").rstrip("\r")
        position = end + 1
        if not line:
            return fields, position
        name, separator, value = line.partition(":")
        if separator and not line.startswith("#") and not value.startswith("="):
            key = name.strip().lower()
            fields["data file" if key == "datafile" else key] = value.strip()
    if "data file" not in fields:
        raise InputError(f"{path} can't be read as an image: its header has no end.")
    return fields, position


def _check_directions(text: str, path: Path) -> None:
    """Check that there are as many axes in space as space has: ITK makes one up that is missing.

    Raises:
        InputError: there are not.
    """
    vectors = re.findall(r"\(([^)]*)\)", text)
    if vectors and len(vectors) != vectors[0].count(",") + 1:
        raise InputError(
            f"{path}: its header gives {len(vectors)} directions in a space of "
            f"{vectors[0].count(',') + 1} axes."
        )


def _skipped(
    fields: dict[str, str], data: Path, offset: int, size: int, codec: str, path: Path
) -> int:
    """Return where the voxels begin after what the header says to skip."""
    lines = whole_numbers(fields.get("line skip", fields.get("lineskip", "0")), "line skip", path)
    skip = whole_numbers(fields.get("byte skip", fields.get("byteskip", "0")), "byte skip", path)
    if lines != [0]:
        raise InputError(f"{path} skips lines of its data file; save it as one .nrrd file.")
    if skip == [-1] and codec == "raw":
        return max(offset, data.stat().st_size - size)
    if len(skip) != 1 or skip[0] < 0 or (skip[0] and codec != "raw"):
        raise InputError(f"{path} skips bytes of its data file; save it as one .nrrd file.")
    return offset + skip[0]
