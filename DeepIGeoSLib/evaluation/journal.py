"""Measured rounds on disk while an evaluation runs, so that it can go on after it was stopped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.metrics import Measurement
from DeepIGeoSLib.evaluation.rows import Row
from DeepIGeoSLib.files import written_in_one_step


class Journal:
    """Rows by keys, appended to a file one case and method at a time.

    A key stands for everything that the rows depend on, so what was measured in another way is
    never taken for an answer. A line that was cut off by a kill is dropped.
    """

    def __init__(self, path: Path) -> None:
        """Open a journal, and read what is in it when the file exists.

        Raises:
            InputError: the file can't be read or written.
        """
        self._path = path
        try:
            path.open("a").close()
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path} can't be used: {error}.") from error
        *lines, cut_off = text.split("\n")
        if cut_off:
            with written_in_one_step(path) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        try:
            entries = [json.loads(line) for line in lines]
            self._rows = {e["key"]: [_row(values) for values in e["rows"]] for e in entries}
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, the record of an unfinished evaluation, is damaged; delete it to begin "
                "again."
            ) from error

    def rows_of(self, key: str, measure: Callable[[], list[Row]]) -> list[Row]:
        """Return the rows of a key; when they are not there yet, measure and keep them.

        Rows that were measured are on disk when this returns.

        Raises:
            InputError: the file can't be written, because the disk is full, for example.
        """
        if key not in self._rows:
            rows = measure()
            self._append({"key": key, "rows": [dataclasses.asdict(row) for row in rows]})
            self._rows[key] = rows
        return self._rows[key]

    def remove(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)

    def _append(self, entry: dict) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise InputError(f"{self._path} can't be written: {error.strerror}.") from error


def key_of(files: Sequence[Path], *parts: object) -> str:
    """Return a key for files as they are now, and for whatever else rows depend on.

    Args:
        files: files or folders; their names, sizes and times of change count.
        parts: objects whose ``repr`` says all that matters about them.

    Raises:
        InputError: a file is missing.
    """
    stamps = []
    for path in files:
        try:
            status = path.stat()
        except OSError as error:
            raise InputError(f"{path} does not exist or can't be read.") from error
        stamps.append((str(path.resolve()), status.st_size, status.st_mtime_ns))
    return hashlib.sha256(repr((stamps, parts)).encode()).hexdigest()


def _row(values: dict) -> Row:
    fields: dict[str, Any] = {**values, "measured": Measurement(**values["measured"])}
    return Row(**fields)
