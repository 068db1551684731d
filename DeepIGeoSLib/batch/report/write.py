"""Writing the report of a run: one page, one table, one text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from DeepIGeoSLib.batch.journal import Run
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.report.agreement import agreements_of, limits_of, pairs_with_truth
from DeepIGeoSLib.batch.report.attention import attention_of, needs_a_look
from DeepIGeoSLib.batch.report.page import page
from DeepIGeoSLib.batch.report.pictures import thumbnails_of
from DeepIGeoSLib.batch.report.plot import bland_altman
from DeepIGeoSLib.batch.report.tables import csv_table, in_order, markdown
from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.files import written_in_one_step

# So many thumbnails are in a page: those of the cases that need a look most.
_MOST_PICTURES = 300


@dataclass(frozen=True)
class ReportFiles:
    """Where a report lies."""

    html: Path
    csv: Path
    markdown: Path

    @classmethod
    def of(cls, folder: Path, name: str = "report") -> ReportFiles:
        """Return the files of a report in a folder."""
        return cls(*(folder / f"{name}.{ending}" for ending in ("html", "csv", "md")))


def write_report(
    output: str | Path,
    records: Sequence[CaseRecord],
    run: Run | None = None,
    *,
    progress: Progress | None = None,
) -> ReportFiles:
    """Write report.html, report.csv and report.md into the folder of a run's results.

    Args:
        output: the folder.
        records: of all cases that were worked on.
        run: how they were made; nothing is said of it when None.
        progress: called with the share done and a text, while thumbnails are drawn.

    Raises:
        InputError: a file can't be written, or Jinja2 or Pillow is missing.
    """
    output = Path(output)
    files = ReportFiles.of(output)
    ordered = in_order(records)
    done = [record for record in ordered if record.state is State.DONE]
    pictures = thumbnails_of(output, done[:_MOST_PICTURES], progress)
    facts = facts_of(run, records)
    title = f"Batch report: {output.resolve().name}"
    pairs = pairs_with_truth(done)
    html = page(
        "report.html.j2",
        title=title,
        facts=facts,
        records=ordered,
        done=done,
        failed=[record for record in ordered if record.state is State.FAILED],
        look={record.name for record in done if needs_a_look(record)},
        flags=Counter(flag for record in done for flag in record.flags),
        attention={record.name: attention_of(record) for record in records},
        pictures=pictures,
        agreements=agreements_of(done),
        plots=[(name, bland_altman(own), limits_of(own)) for name, own in pairs.items()],
        milliliters=sum(record.milliliters for record in done),
    )
    _write(files.csv, csv_table(records))
    _write(files.markdown, markdown(title, records, facts))
    _write(files.html, html)
    return files


def facts_of(run: Run | None, records: Sequence[CaseRecord]) -> list[tuple[str, str]]:
    """Return names and values of how a run was made."""
    seconds = sum(record.seconds for record in records)
    worked = [("Work", f"{seconds:.0f} s over {len(records)} cases")]
    if run is None:
        return worked
    settings = ", ".join(_said(name, value) for name, value in run.settings.items() if _says(value))
    return [
        ("Cases from", run.input),
        ("Model", f"{run.bundle} (SHA-256 {run.bundle_hash[:12]}...)"),
        ("DeepIGeoS", run.version),
        *([("Last start", _minute(run.begun))] if run.begun else []),
        *([("Settings", settings)] if settings else []),
        *worked,
    ]


def _minute(time: str) -> str:
    """Return a time of the journal as people write it, to the minute."""
    return f"{datetime.fromisoformat(time):%Y-%m-%d %H:%M} UTC"


def _says(value: Any) -> bool:
    """Whether a setting says anything: it is not left open, switched off or empty."""
    return value is not None and value is not False and value != ""


def _said(name: str, value: Any) -> str:
    words = name.replace("_gb", " (GB)").replace("_", " ")
    return words if value is True else f"{words} {value}"


def _write(path: Path, text: str) -> None:
    with written_in_one_step(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
