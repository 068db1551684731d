"""The tables of a run: CSV for programs and spreadsheets, Markdown for people."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from typing import Any

from DeepIGeoSLib.batch.record import CaseRecord, State, TargetRecord
from DeepIGeoSLib.batch.report.agreement import agreements_of
from DeepIGeoSLib.batch.report.attention import attention_of, needs_a_look

_MEASURED = (
    *("dice", "iou", "assd_mm", "hd95_mm", "surface_dice"),
    *("volume_difference_ml", "volume_difference_percent"),
)
COLUMNS = (
    *("case", "attention", "state", "flags", "target", "milliliters", "lesions"),
    *("uncertain_milliliters", *_MEASURED, "seconds", "labels", "image", "reason"),
)

# What spreadsheets take for the beginning of a formula.
_FORMULA = re.compile(r"^[=+\-@\t\r]")


def csv_table(records: Sequence[CaseRecord]) -> str:
    """Return a row for each target of each case, the case that needs a look most first.

    A text that a spreadsheet would compute is led by an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in in_order(records):
        for target in record.targets or (None,):
            row = _row(record, target)
            writer.writerow([_no_formula(row.get(column, "")) for column in COLUMNS])
    return stream.getvalue()


def markdown(title: str, records: Sequence[CaseRecord], facts: Sequence[tuple[str, str]]) -> str:
    """Return what was done, what needs a look, and how results agree with the truth.

    Args:
        title: of the text.
        records: of all cases.
        facts: names and values of how the run was made.
    """
    done = [record for record in records if record.state is State.DONE]
    failed = [record for record in records if record.state is State.FAILED]
    looked = [record for record in in_order(done) if needs_a_look(record)]
    parts = [
        f"# {_plain(title)}",
        "\n".join(f"- {name}: {_plain(value)}" for name, value in facts),
        f"{len(done)} cases done, {len(failed)} failed, {len(looked)} need a look.",
    ]
    if failed:
        lines = [f"| {_plain(record.name)} | {_plain(record.reason)} |" for record in failed]
        parts += ["## Failed", _table(["Case", "Why"], lines)]
    if looked:
        lines = [
            f"| {_plain(r.name)} | {', '.join(r.flags) or 'far from the truth or uncertain'} | "
            f"{number(r.milliliters, 2)} | {r.lesions} |"
            for r in looked
        ]
        parts += ["## Look at these first", _table(["Case", "Why", "ml", "Lesions"], lines)]
    agreements = agreements_of(done)
    if agreements:
        lines = [
            f"| {_plain(a.target)} | {a.cases} | {number(a.dice, 3)} "
            f"({number(a.dice_interval[0], 3)} to {number(a.dice_interval[1], 3)}) | "
            f"{number(a.surface_dice, 3)} | {number(a.assd_mm, 2)} | {number(a.hd95_mm, 2)} | "
            f"{number(a.volume_difference_ml, 2)} |"
            for a in agreements
        ]
        head = ["Target", "Cases", "Dice", "Surface Dice", "ASSD mm", "HD95 mm", "Off by ml"]
        parts += [
            "## Agreement with the truth",
            _table(head, lines),
            "Dice with the 95 % confidence interval of its mean; surface Dice is a mean, the "
            "others are medians.",
        ]
    if done:
        lines = [
            f"| {_plain(r.name)} | {number(r.milliliters, 2)} | {r.lesions} | "
            f"{number(attention_of(r), 2)} |"
            for r in in_order(done)
        ]
        parts += ["## All cases", _table(["Case", "ml", "Lesions", "Attention"], lines)]
    return "\n\n".join(parts) + "\n"


def in_order(records: Sequence[CaseRecord]) -> list[CaseRecord]:
    """Return cases that need a look most first, then by name."""
    return sorted(records, key=lambda record: (-attention_of(record), record.name))


def number(value: float | None, digits: int) -> str:
    """Return a number for people: nothing where there is none, a sign for what has no end."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.{digits}f}"


def _row(record: CaseRecord, target: TargetRecord | None) -> dict[str, Any]:
    row: dict[str, Any] = {
        "case": record.name,
        "attention": f"{attention_of(record):.4f}",
        "state": record.state.value,
        "flags": "; ".join(record.flags),
        "seconds": f"{record.seconds:.2f}",
        "labels": record.outputs.get("labels", ""),
        "image": "; ".join(record.images),
        "reason": record.reason,
    }
    if target is not None:
        row |= {
            "target": target.name,
            "milliliters": target.milliliters,
            "lesions": target.lesions,
            "uncertain_milliliters": target.uncertain_milliliters,
        }
        if target.measured is not None:
            row |= {name: getattr(target.measured, name) for name in _MEASURED}
    return row


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _table(head: Sequence[str], lines: Sequence[str]) -> str:
    return "\n".join([f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *lines])


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&~])", r"\\\1", " ".join(text.split()))
