"""The list of objects as a table."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from math import prod
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.instances.result import Instances

COLUMNS = ("number", "kind", "score", "voxels", "milliliters", "k", "j", "i")


def rows_of(instances: Instances, spacing: Sequence[float]) -> list[dict]:
    """Return a row for each object: see ``COLUMNS``.

    The number is that in ``Instances.labels``; k, j and i are the middle of its box, in voxels.

    Args:
        instances: the objects.
        spacing: mm along (k, j, i).
    """
    milliliters = prod(spacing) / 1000
    return [
        {
            "number": number,
            "kind": one.kind,
            "score": round(one.score, 4),
            "voxels": one.voxels,
            "milliliters": round(one.voxels * milliliters, 6),
            **{
                axis: (part.start + part.stop - 1) / 2
                for axis, part in zip("kji", one.box, strict=True)
            },
        }
        for number, one in enumerate(instances.found, start=1)
    ]


def write_table(path: str | Path, rows: Sequence[dict]) -> None:
    """Write rows as CSV, in one step.

    Raises:
        InputError: the file can't be written.
    """
    try:
        with (
            written_in_one_step(path) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as stream,
        ):
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror}.") from error
