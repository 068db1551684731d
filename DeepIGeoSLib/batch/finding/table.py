"""Cases that a CSV file lists."""

from __future__ import annotations

import os
from pathlib import Path

from DeepIGeoSLib.batch.case import OTHERS, BatchCase
from DeepIGeoSLib.batch.finding.found import Found, Problem
from DeepIGeoSLib.data.listing import name_of_file
from DeepIGeoSLib.data.patterns import confined
from DeepIGeoSLib.data.table_file import path_in_table, read_table
from DeepIGeoSLib.errors import InputError

# The channels after the first are in the columns image2, image3, ...
_MOST_CHANNELS = 8


def of_table(path: Path, channels: int) -> Found:
    """Return the cases of a list with the column image and, if wanted, others.

    image2, image3, ... are the channels after the first; case is the name (the image's own where
    it is missing); series the UID of a DICOM series; seeds, initial and truth as in ``BatchCase``.
    Paths start at the list's folder, or are absolute.

    Args:
        path: the list.
        channels: how many the bundle needs.

    Raises:
        InputError: the file is no such list, a cell that is needed is empty, or a name is listed
            twice.
    """
    wanted = ["image", *(f"image{number}" for number in range(2, channels + 1))]
    known = {f"image{number}" for number in range(2, _MOST_CHANNELS + 1)}
    rows = read_table(path, required=set(wanted), optional={*OTHERS, *known, "case", "series"})
    cases: dict[str, BatchCase] = {}
    problems = []
    for number, row in rows:
        empty = [column for column in wanted if not row[column]]
        if empty:
            raise InputError(f"{path}, line {number}: the column {empty[0]!r} is empty.")
        case = _case(path, row, wanted)
        confined(path.parent, case.name)  # results must not leave their folder
        if case.name in cases:
            raise InputError(
                f"{path}, line {number}: the case {case.name!r} is listed twice; the column 'case' "
                "can tell images of the same name apart."
            )
        missing = [file for file in case.files() if not os.path.exists(file)]
        if missing:
            problems.append(Problem(case.name, f"{missing[0]} does not exist or can't be read."))
        cases[case.name] = case
    if not cases:
        raise InputError(f"{path} lists no case.")
    faulty = {problem.case for problem in problems}
    return Found("list", [c for n, c in cases.items() if n not in faulty], problems)


def _case(path: Path, row: dict[str, str], wanted: list[str]) -> BatchCase:
    images = tuple(path.parent / path_in_table(row[column]) for column in wanted)
    name = row.get("case") or name_of_file(path_in_table(row["image"]))
    series = (row["series"], *[None] * (len(images) - 1)) if row.get("series") else ()
    seeds, initial, truth = (
        path.parent / path_in_table(row[kind]) if row.get(kind) else None for kind in OTHERS
    )
    return BatchCase(
        name=path_in_table(name),
        images=images,
        series=series,
        seeds=seeds,
        initial=initial,
        truth=truth,
    )
