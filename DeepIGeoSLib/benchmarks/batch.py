"""Measure how fast a batch run hands out cases, and what a second process gains.

Handing out is measured with a stand-in for the segmentation, which returns at once: what is left is
Dask, the journal, and what goes back and forth. The gain is measured on real images, by the same
command with one process and with two.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from DeepIGeoSLib.batch import CaseRecord, State, Workers, WorkSettings, run_batch
from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.cluster import connected
from DeepIGeoSLib.batch.engine import on_workers
from DeepIGeoSLib.batch.journal import Journal, Run
from DeepIGeoSLib.batch.order import WorkOrder
from DeepIGeoSLib.errors import InputError, Progress

# After this share of the cases everything is loaded, and memory should stay as it is.
_SETTLED = 0.5

# Images of each process from which on the time between the first and the last one tells something.
_TELLING = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "--cases", type=int, default=10_000, help="to hand out (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument(
        "--images", metavar="FOLDER", help="also segment these, by one process and by --workers"
    )
    parser.add_argument(
        "--bundle", default="flair-whole-tumor", help="for --images (default: %(default)s)"
    )


def run_command(arguments: argparse.Namespace, progress: Progress | None = None) -> dict:
    """Run the benchmark as the command line asks for it."""
    if arguments.cases < 1 or arguments.workers < 1:
        raise InputError("At least one case and one process are expected.")
    result = handed_out(arguments.cases, arguments.workers, progress=progress)
    if arguments.images:
        result |= gain(arguments.images, arguments.bundle, arguments.workers)
    return {**result, "summary": _summary(result)}


def handed_out(cases: int, workers: int, *, progress: Progress | None = None) -> dict:
    """Hand out cases that nothing is done with.

    Args:
        cases: how many.
        workers: processes.
        progress: called with the share done and a text.

    Returns:
        "cases_per_second", and "grown_bytes": how much more memory the scheduler's process has at
        the end than after half of the cases.
    """
    with tempfile.TemporaryDirectory() as folder:
        order = _order(Path(folder))
        listed = [_case(number) for number in range(cases)]
        with Journal(order.output) as journal:
            journal.begin(Run("", "", "", "", {}), {case.name: "" for case in listed})
            counted = _Counted(journal, cases, progress)
            with connected(Workers(count=workers), workers, order.settings) as client:
                began = time.perf_counter()
                on_workers(client, listed, order, note=counted.note, cancel=None, work=done_at_once)
                seconds = time.perf_counter() - began
    return {
        "cases": cases,
        "workers": workers,
        "cases_per_second": cases / seconds,
        "grown_bytes": psutil.Process().memory_info().rss - counted.settled_bytes,
    }


def gain(images: str | Path, bundle: str, workers: int) -> dict:
    """Segment a folder by one process and by several.

    Args:
        images: what ``run_batch`` takes.
        bundle: name of a shipped bundle, or a folder.
        workers: processes of the second run.

    Returns:
        "images"; "seconds" of both runs and the "gain", how many times as fast the second was; and
        "between", the seconds from the first finished image to the last one, and "gain_between",
        what processes gain that have begun: a long cohort comes near it. These two are None where
        each process had fewer than ``_TELLING`` images.

    Raises:
        InputError: an image failed, or as ``run_batch``.
    """
    seconds, between = [], []
    for count in (1, workers):
        finished: list[float] = []
        with tempfile.TemporaryDirectory() as folder:
            result = run_batch(
                images,
                folder,
                bundle=bundle,
                workers=Workers(count=count),
                report=False,
                on_record=lambda _, times=finished: times.append(time.perf_counter()),
            )
        if result.failed:
            raise InputError(f"{result.failed[0].name} failed: {result.failed[0].reason}")
        seconds.append(result.seconds)
        between.append(finished[-1] - finished[0])
    telling = len(result.records) >= _TELLING * workers
    return {
        "images": len(result.records),
        "seconds": seconds,
        "gain": seconds[0] / seconds[1],
        "between": between if telling else None,
        "gain_between": between[0] / between[1] if telling else None,
    }


def done_at_once(case: BatchCase, order: WorkOrder) -> CaseRecord:
    """Stand in for the work on a case."""
    return CaseRecord(name=case.name, state=State.DONE, images=tuple(map(str, case.images)))


class _Counted:
    """Notes cases in a journal as a run does; looks at the memory when half of them are done."""

    def __init__(self, journal: Journal, total: int, progress: Progress | None) -> None:
        self._journal, self._total, self._progress = journal, total, progress
        self._done = 0
        self.settled_bytes = 0

    def note(self, records: Sequence[CaseRecord], started: Sequence[BatchCase]) -> None:
        """Note records that came and cases that are handed out."""
        self._journal.note(records, {case.name: "" for case in started})
        self._done += len(records)
        if not self.settled_bytes and self._done >= _SETTLED * self._total:
            self.settled_bytes = psutil.Process().memory_info().rss
        if self._progress is not None:
            self._progress(self._done / self._total, f"{self._done} cases")


def _order(output: Path) -> WorkOrder:
    return WorkOrder(
        output=output,
        bundle="",
        bundle_hash="",
        version="",
        model="",
        task="",
        title="",
        settings=WorkSettings(),
    )


def _case(number: int) -> BatchCase:
    return BatchCase(
        name=f"site/{number:06d}", images=(Path(f"/data/site/{number:06d}/flair.nii.gz"),)
    )


def _summary(result: dict) -> str:
    lines = [
        f"{result['cases']} cases handed out to {result['workers']} processes: "
        f"{result['cases_per_second']:.0f} a second; the scheduler's memory grew by "
        f"{result['grown_bytes'] / 2**20:.1f} MiB in the second half."
    ]
    if "gain" in result:
        one, several = result["seconds"]
        lines.append(
            f"{result['images']} images: {one:.1f} s by one process, {several:.1f} s by "
            f"{result['workers']}, {result['gain']:.2f} times as fast."
        )
    if result.get("gain_between") is not None:
        one, several = result["between"]
        lines.append(
            f"From the first finished image to the last: {one:.1f} s and {several:.1f} s, "
            f"{result['gain_between']:.2f} times as fast once the processes have begun."
        )
    return "\n".join(lines)
