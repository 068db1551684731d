"""Tables of text as spreadsheets write them: CSV in the separators and encodings that they use."""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path

from DeepIGeoSLib.errors import InputError

# Longer lists than this are none that people write.
_LARGEST = 64 * 2**20

# A separator by what it is called in messages, the most usual one first.
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def read_table(
    path: Path, required: set[str], optional: set[str]
) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a table with a header line, stripped of spaces, and their lines.

    The separator is the one of , ; and tab that the header line has; the encoding is UTF-8, or
    UTF-16 where a mark at the beginning says so. Capitals in the header don't count. Rows without
    any text are left out.

    Raises:
        InputError: the file is missing, is not such text, lacks a column or has one twice, or a row
            has more entries than the header.
    """
    lines, skipped = _text_of(path).splitlines(), 0
    if lines and lines[0].lower().startswith("sep="):  # a line for Excel alone
        lines, skipped = lines[1:], 1
    separator = _separator_of(lines[0] if lines else "")
    try:
        reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=separator, strict=True)
        entries = [(reader.line_num + skipped, row) for row in reader if row]
    except csv.Error as error:
        raise InputError(f"{path} can't be read as CSV: {error}.") from error
    columns = [name.strip().lower() for name in entries[0][1]] if entries else []
    _check_columns(path, columns, separator, required, optional)
    rows = []
    for number, row in entries[1:]:
        values = [value.strip() for value in row]
        if any(values[len(columns) :]):
            raise InputError(
                f"{path}, line {number}: there are {len(row)} entries for {len(columns)} columns; "
                "put texts with a separator in them between quotation marks."
            )
        values += [""] * (len(columns) - len(values))
        if any(values):
            rows.append((number, dict(zip(columns, values, strict=False))))
    return rows


def path_in_table(text: str) -> str:
    """Return a path of a table with slashes, as every system reads them."""
    return text.replace("\\", "/")


def _text_of(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    if path.stat().st_size > _LARGEST:
        raise InputError(f"{path} is larger than a list can be ({_LARGEST} bytes).")
    try:
        content = path.read_bytes()
        encoding = next(
            (name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8"
        )
        text = content.decode(encoding)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text (byte {error.start} is {content[error.start]:#04x}); save "
            "it as 'CSV UTF-8'."
        ) from error
    if "\0" in text:
        raise InputError(
            f"{path} is not UTF-8 text: it has null characters; save it as 'CSV UTF-8'."
        )
    return text


def _separator_of(header: str) -> str:
    counts = {separator: header.count(separator) for separator in _SEPARATORS}
    return max(counts, key=counts.__getitem__)


def _check_columns(
    path: Path, columns: list[str], separator: str, required: set[str], optional: set[str]
) -> None:
    missing = required - set(columns)
    if missing:
        raise InputError(
            f"{path} lacks the column {sorted(missing)[0]!r}; it has {', '.join(columns)} "
            f"(separated by {_SEPARATORS[separator]}). "
            f"The columns {', '.join(sorted(required | optional))} are known."
        )
    twice = [name for name in required | optional if columns.count(name) > 1]
    if twice:
        raise InputError(f"{path} has the column {sorted(twice)[0]!r} twice.")
