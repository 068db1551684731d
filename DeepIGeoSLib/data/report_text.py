"""The report on the data as plain text."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from DeepIGeoSLib.data.examination import CaseFacts
from DeepIGeoSLib.data.source import DataFault


def report_text(
    facts: Sequence[CaseFacts],
    counts: Mapping[str, Mapping[str, int]],
    problems: Sequence[DataFault],
) -> str:
    """Return the report: the verdict, what is wrong, each data set, each case."""
    fatal = [problem for problem in problems if problem.fatal]
    remarks = [problem for problem in problems if not problem.fatal]
    verdict = (
        f"Training can't start: {_counted(len(fatal), 'problem')}."
        if fatal
        else "Training can start."
    )
    parts = [f"{verdict} {_counted(len(remarks), 'remark')}."]
    for title, listed in (("PROBLEMS", fatal), ("REMARKS", remarks)):
        if listed:
            lines = [f"  {problem.where}: {problem.text}" for problem in listed]
            parts.append("\n".join([title, *lines]))
    parts.append("DATA SETS\n" + _table(_dataset_rows(facts, counts)))
    parts.append("CASES\n" + _table(_case_rows(facts)))
    parts.append("Shapes and spacings are given along (k, j, i); spacings in mm.")
    return "\n\n".join(parts) + "\n"


def _dataset_rows(
    facts: Sequence[CaseFacts], counts: Mapping[str, Mapping[str, int]]
) -> list[list[str]]:
    rows = [["data set", "use", "cases", "patients", "slices", "spacing", "target ml"]]
    for dataset, uses in counts.items():
        for use, count in sorted(uses.items()):
            own = [entry for entry in facts if entry.dataset == dataset and entry.use == use]
            row = [dataset, use or "none", str(count)]
            rows.append(row + (_ranges(own) if own else ["-"] * 4))
    return rows


def _ranges(facts: Sequence[CaseFacts]) -> list[str]:
    milliliters = [entry.target_ml for entry in facts]
    spacing = [_range([entry.spacing[axis] for entry in facts]) for axis in range(3)]
    return [
        str(len({entry.patient for entry in facts})),
        _range([entry.shape[0] for entry in facts]),
        " x ".join(spacing),
        f"{_range(milliliters)} (median {statistics.median(milliliters):.4g})",
    ]


def _case_rows(facts: Sequence[CaseFacts]) -> list[list[str]]:
    rows = [["case", "use", "shape", "spacing", "target voxels", "ml", "labels", "intensities"]]
    for entry in facts:
        rows.append(
            [
                f"{entry.dataset}/{entry.name}",
                entry.use,
                " x ".join(str(n) for n in entry.shape),
                " x ".join(f"{s:.3g}" for s in entry.spacing),
                str(entry.target_voxels),
                f"{entry.target_ml:.3g}",
                " ".join(str(label) for label in entry.labels),
                "; ".join(f"{low:g} to {high:g}" for low, *_, high in entry.intensities),
            ]
        )
    return rows


def _range(values: Sequence[float]) -> str:
    low, high = f"{min(values):.4g}", f"{max(values):.4g}"
    return low if low == high else f"{low} to {high}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _counted(count: int, word: str) -> str:
    number = "no" if count == 0 else str(count)
    return f"{number} {word}{'' if count == 1 else 's'}"
