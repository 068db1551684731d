"""Write the report of a batch run again, or compare two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from DeepIGeoSLib.errors import InputError, Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="RUN",
        help="folder of the results of 'deepigeos batch'; two of them are compared",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="page of the comparison (default: comparison.html in the second folder)",
    )


def run(arguments: argparse.Namespace, progress: Progress) -> dict:
    """Write the pages."""
    from DeepIGeoSLib.batch.journal import read_records, read_run
    from DeepIGeoSLib.batch.record import State
    from DeepIGeoSLib.batch.report import compare_runs, needs_a_look, write_report

    if len(arguments.runs) > 2:
        raise InputError(f"{len(arguments.runs)} runs are given; one or two are expected.")
    if len(arguments.runs) == 1:
        if arguments.output is not None:
            raise InputError("-o is for comparing two runs; the report of one lies in its folder.")
        (folder,) = arguments.runs
        records = read_records(folder)
        files = write_report(folder, records, read_run(folder), progress=progress)
        done = [record for record in records if record.state is State.DONE]
        return {
            "output": str(files.html),
            "done": len(done),
            "failed": len(records) - len(done),
            "need a look": sum(needs_a_look(record) for record in done),
        }
    first, second = arguments.runs
    path = Path(arguments.output or Path(second) / "comparison.html")
    if path.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{path} is no name of a page; it should end in .html.")
    cases = compare_runs(first, second, path, progress=progress)
    return {"output": str(path), "cases": len(cases)}


def text(result: dict) -> str:
    """Return what the user reads."""
    if "cases" in result:
        return f"{result['output']}: {result['cases']} cases compared"
    return (
        f"{result['output']}: {result['done']} cases done, {result['failed']} failed, "
        f"{result['need a look']} need a look"
    )
