"""The long table: one row for each round of each case with each method."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation.metrics import Measurement
from DeepIGeoSLib.files import written_in_one_step


@dataclass(frozen=True)
class Row:
    """One round.

    Attributes:
        dataset: of the case.
        case: its name.
        method: that was corrected.
        round: number of marks asked for so far; 0 is the proposal.
        mark: class of this round's mark, "foreground" or "background"; empty when none was given.
        mark_voxels: its size.
        measured: the result against the truth.
        seconds: the method took to answer.
        fixed: share of the mistake under the mark that the answer corrects; None without a mark.
        collateral: correct voxels that the answer destroys, for each that it corrects; None without
            a mark. Both are defined in ``stroke_effect``.
    """

    dataset: str
    case: str
    method: str
    round: int
    mark: str
    mark_voxels: int
    measured: Measurement
    seconds: float
    fixed: float | None = None
    collateral: float | None = None


# The name under which all data sets are taken together.
ALL = "all"

METRICS = tuple(field.name for field in dataclasses.fields(Measurement))
_BEFORE = ("dataset", "case", "method", "round", "mark", "mark_voxels")
_EFFECT = ("fixed", "collateral")
COLUMNS = (*_BEFORE, *METRICS, "seconds", *_EFFECT)


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """Write rows as CSV; numbers keep every digit.

    Raises:
        InputError: the file can't be written.
    """
    with (
        written_in_one_step(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in rows:
            identity = [getattr(row, name) for name in _BEFORE]
            effect = [getattr(row, name) for name in _EFFECT]  # csv writes None as nothing
            measured = dataclasses.astuple(row.measured)
            writer.writerow([*identity, *measured, row.seconds, *effect])


def read_rows(path: Path) -> list[Row]:
    """Read what ``write_rows`` has written.

    Raises:
        InputError: the file is missing, or not such a table.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist.")
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path} is not a table of rounds: it lacks {', '.join(missing)}.")
        try:
            return [_row(values) for values in reader]
        except (TypeError, ValueError) as error:
            raise InputError(f"{path} has a damaged line {reader.line_num}: {error}.") from error


def _row(values: dict[str, str]) -> Row:
    return Row(
        dataset=values["dataset"],
        case=values["case"],
        method=values["method"],
        round=int(values["round"]),
        mark=values["mark"],
        mark_voxels=int(values["mark_voxels"]),
        measured=Measurement(**{name: float(values[name]) for name in METRICS}),
        seconds=float(values["seconds"]),
        **{name: float(values[name]) if values[name] else None for name in _EFFECT},
    )
