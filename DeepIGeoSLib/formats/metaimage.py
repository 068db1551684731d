"""MetaImage (.mha, .mhd): where the voxels lie (the documentation of ITK's MetaIO)."""

from __future__ import annotations

from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.layout import Layout, beside, check_spacing, voxel_count, whole_numbers

_LONGEST_HEADER = 2**20

_SIZE_OF_TYPE = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR", "MET_ASCII_CHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_LONG", "MET_ULONG", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}


def layout_of(path: Path) -> Layout:
    """Return where the voxels lie.

    Raises:
        InputError: the header can't be read, contradicts itself, or names a data file outside of
            its folder.
    """
    fields, length = _read_fields(path)
    size_of_type = _SIZE_OF_TYPE.get(fields.get("ElementType", "").removesuffix("_ARRAY"))
    if size_of_type is None:
        raise InputError(
            f"{path} can't be read as an image: it holds {fields.get('ElementType', '')[:60]!r}."
        )
    sizes = whole_numbers(fields.get("DimSize", ""), "DimSize", path)
    if whole_numbers(fields.get("NDims", ""), "NDims", path) != [len(sizes)]:
        raise InputError(
            f"{path}: its header gives {len(sizes)} sizes to {fields.get('NDims', 'no')[:60]} axes."
        )
    check_spacing(fields.get("ElementSpacing", ""), "ElementSpacing", path)
    channels = whole_numbers(fields.get("ElementNumberOfChannels", "1"), "channels", path)
    count = voxel_count([*sizes, *channels], path)
    name = fields["ElementDataFile"]
    if name.split()[0] == "LIST" or "%" in name:
        raise InputError(f"{path} keeps its voxels in several files; save it as one .mha file.")
    data, offset = (path, length) if name == "LOCAL" else (beside(path, name), 0)
    if fields.get("BinaryData", "True").lower() == "false":
        return Layout(data, offset, "text", count)
    size = count * size_of_type
    if fields.get("CompressedData", "False").lower() == "true":
        return Layout(data, offset, "zlib", size)
    header = whole_numbers(fields.get("HeaderSize", "0"), "HeaderSize", path)[0]
    if header < 0:
        return Layout(data, max(offset, data.stat().st_size - size), "raw", size)
    return Layout(data, offset + header, "raw", size)


def _read_fields(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields of a header and its length in bytes."""
    with path.open("rb") as stream:
        content = stream.read(_LONGEST_HEADER)
    fields: dict[str, str] = {}
    position = 0
    while position < len(content):
        end = content.find(b"\n", position)
        end = len(content) if end < 0 else end
        name, separator, value = content[position:end].decode("utf-8", "replace").partition("=")
        position = end + 1
        if not separator:
            break
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile" and value.strip():
            return fields, position
    raise InputError(f"{path} can't be read as an image: it has no MetaImage header.")
