"""Work on a whole cohort: found, planned, done by many processes, noted, and gone on with."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from DeepIGeoSLib.batch.case import BatchCase
from DeepIGeoSLib.batch.cluster import connected
from DeepIGeoSLib.batch.destination import (
    check_folders,
    check_outputs_apart,
    check_outputs_free,
)
from DeepIGeoSLib.batch.engine import in_this_process, on_workers
from DeepIGeoSLib.batch.finding import FindingRules, Found, Problem, find_cases
from DeepIGeoSLib.batch.journal import KEPT, Journal, KnownCase, Run, journal_path
from DeepIGeoSLib.batch.order import WorkOrder, work_order
from DeepIGeoSLib.batch.outputs import (
    describe_data_set,
    format_of,
    is_derivative,
    remove_unfinished,
    write_color_table,
)
from DeepIGeoSLib.batch.plan import Plan, can_report, counted, planned
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.settings import AUTO, FORMATS, Workers, WorkSettings
from DeepIGeoSLib.batch.tally import Tally
from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.errors import DeepIGeoSError, InputError, Progress
from DeepIGeoSLib.files import make_folder

_MOST_LISTED = 5


@dataclass(frozen=True)
class BatchResult:
    """What a run has done.

    Attributes:
        records: of all cases of the input that were worked on, by this start or an earlier one.
        worked_on: how many of them by this start.
        done_before: how many had been done when it began.
        seconds: of this start.
        report: the page on all of them; None where none was asked for, or where what writes it is
            not installed.
    """

    records: list[CaseRecord]
    worked_on: int
    done_before: int
    seconds: float
    report: Path | None = None

    @property
    def failed(self) -> list[CaseRecord]:
        """The cases that failed, with their reasons."""
        return [record for record in self.records if record.state is State.FAILED]


def plan_batch(
    source: str | Path,
    output: str | Path,
    *,
    bundle: str | Path,
    rules: FindingRules | None = None,
    settings: WorkSettings | None = None,
    workers: Workers | None = None,
    report: bool = True,
) -> Plan:
    """Return what ``run_batch`` would do, with estimates; nothing is written.

    Args:
        source: as ``run_batch``, like everything else.
        output: folder of the results.
        bundle: name of a shipped bundle, or a folder.
        rules: how files belong to cases.
        settings: how cases are worked on.
        workers: how many processes.
        report: whether a report is to be written.

    Raises:
        InputError: as ``run_batch``, problems of single cases apart.
    """
    cohort = _Cohort.of(Path(source), Path(output), bundle, rules=rules, settings=settings)
    cohort = replace(cohort, order=replace(cohort.order, thumbnails=report))
    known: dict[str, KnownCase] = {}
    if journal_path(cohort.order.output).is_file():
        with Journal(cohort.order.output) as journal:
            journal.check(cohort.run_after(journal.last_run()))
            known = journal.known()
    cohort.check_places(known)
    to_do = cohort.missing(known)
    return planned(
        cohort.found,
        to_do,
        done=len(cohort.found.cases) - len(to_do),
        order=cohort.order,
        workers=workers or Workers(),
        measure=True,
    )


def run_batch(
    source: str | Path,
    output: str | Path,
    *,
    bundle: str | Path,
    rules: FindingRules | None = None,
    settings: WorkSettings | None = None,
    workers: Workers | None = None,
    leave_out_problems: bool = False,
    report: bool = True,
    progress: Progress | None = None,
    on_plan: Callable[[Plan], None] | None = None,
    on_record: Callable[[CaseRecord], None] | None = None,
    on_dashboard: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> BatchResult:
    """Segment every case of a cohort.

    Each case's files are in their places whole, or not at all. What is done is noted in a journal
    in the output folder: the same call again does only what is missing, whatever ended the first.

    Args:
        source: a folder of images and DICOM series, a BIDS data set, or a CSV list.
        output: folder of the results, which is made where it is missing.
        bundle: name of a shipped bundle, or a folder.
        rules: how files belong to cases.
        settings: how cases are worked on.
        workers: how many processes; results don't depend on it.
        leave_out_problems: whether cases that can't be worked on, as seen before any work, are
            noted as failed, and the others done; otherwise nothing is done.
        report: whether report.html, report.csv and report.md are written at the end.
        progress: called with the share that is done and a text, from this thread.
        on_plan: called with what is about to be done, before any work.
        on_record: called with the record of each case that was worked on, from this thread.
        on_dashboard: called with the address of Dask's page, where ``workers`` ask for it.
        cancel: stops the work when it is set.

    Returns:
        What was done. Cases that failed are in it; they are no error.

    Raises:
        InputError: the input, the bundle or the output folder can't be used: no case, two of one
            name, files of a case on different voxels, damaged DICOM, the results of another run,
            another run that is going on, ...; nothing was done.
        Cancelled: ``cancel`` was set; what is done stays.
        DeepIGeoSError: the disk is full, or the scheduler is gone; what is done stays.
    """
    began, workers = time.perf_counter(), workers or Workers()
    cohort = _Cohort.of(Path(source), Path(output), bundle, rules=rules, settings=settings)
    cohort = replace(cohort, order=replace(cohort.order, thumbnails=report))
    folder = cohort.order.output
    made = [place for place in (folder, folder.parent) if not place.is_dir()]
    make_folder(folder)
    try:
        with Journal(folder) as journal:
            run = cohort.run_after(journal.last_run())
            journal.check(run)
            known = journal.known()
            to_do = cohort.missing(known)
            cohort.check_places(known)
            done = len(cohort.found.cases) - len(to_do)
            plan = planned(
                cohort.found,
                to_do,
                done=done,
                order=cohort.order,
                workers=workers,
                measure=False,
            )
            if plan.problems and not leave_out_problems:
                raise InputError(_refusal(plan.problems))
            made = []
            if on_plan is not None:
                on_plan(plan)
            journal.begin(run, cohort.all_stamps())
            journal.reopen([case.name for case in to_do])
            remove_unfinished(folder)
            if any(is_derivative(case, cohort.order) for case in plan.cases):
                describe_data_set(cohort.order, Path(source))
            elif cohort.order.targets:
                write_color_table(cohort.order)
            journal.note([_left_out(problem) for problem in plan.problems], {})
            tally = Tally(len(plan.cases), progress)
            _work(
                plan,
                cohort,
                workers,
                journal=journal,
                tally=tally,
                on_record=on_record,
                on_dashboard=on_dashboard,
                cancel=cancel,
            )
            remove_unfinished(folder)
            journal.end()
            records, run = _records(journal, cohort), journal.last_run()
    finally:
        _remove_empty(made)
    page = _report(folder, records, run) if report else None
    return BatchResult(records, len(plan.cases), plan.done, time.perf_counter() - began, page)


def _work(
    plan: Plan,
    cohort: _Cohort,
    workers: Workers,
    *,
    journal: Journal,
    tally: Tally,
    on_record: Callable[[CaseRecord], None] | None,
    on_dashboard: Callable[[str], None] | None,
    cancel: threading.Event | None,
) -> None:
    """Work on the cases of a plan, noting each."""

    def note(records: Sequence[CaseRecord], started: Sequence[BatchCase]) -> None:
        journal.note(records, {case.name: cohort.stamps[case.name] for case in started})
        for record in records:
            tally.add(record)
            if on_record is not None:
                on_record(record)
        full = next((record for record in records if record.disk_full), None)
        if full is not None:
            raise DeepIGeoSError(
                f"There is no room left in {cohort.order.output}: {full.reason} What is done by "
                "now is whole; make room, and the same command goes on from there."
            )

    if not plan.cases:
        return
    tally.begin()
    if plan.workers == 0:
        in_this_process(plan.cases, cohort.order, note=note, cancel=cancel)
        return
    with connected(workers, plan.workers or 0, cohort.order.settings) as client:
        if workers.dashboard and on_dashboard is not None:
            on_dashboard(client.dashboard_link)
        on_workers(client, plan.cases, cohort.order, note=note, cancel=cancel)


@dataclass(frozen=True)
class _Cohort:
    """What is the same however often a run is begun.

    Attributes:
        found: all cases.
        stamps: of the files of each case, as they were found.
        order: how they are worked on.
        run: what the journal keeps of it.
    """

    found: Found
    stamps: Mapping[str, str]
    order: WorkOrder
    run: Run

    @classmethod
    def of(
        cls,
        source: Path,
        output: Path,
        bundle: str | Path,
        *,
        rules: FindingRules | None,
        settings: WorkSettings | None,
    ) -> _Cohort:
        """Find the cases, and check what can be checked without looking into them."""
        check_folders(source, output)
        order = work_order(bundle, output, settings or WorkSettings())
        manifest = load_bundle(order.bundle).manifest
        # Absolute: workers elsewhere, and who reads the journal later, work in other folders.
        found = find_cases(source.absolute(), rules or FindingRules(), manifest.channels)
        stamps, problems = {}, []
        for case in found.cases:
            try:
                stamps[case.name] = case.stamp()
            except InputError as error:
                problems.append(Problem(case.name, str(error)))
        cases = [case for case in found.cases if case.name in stamps]
        run = Run(
            input=str(source.resolve()),
            version=order.version,
            bundle=order.model,
            bundle_hash=order.bundle_hash,
            settings=order.settings.mapping(),
        )
        found = replace(found, cases=cases, problems=[*found.problems, *problems])
        return cls(found, stamps, order, run)

    def run_after(self, before: Run | None) -> Run:
        """Return this run with the format as an earlier start said it, where that means the same.

        Of volumes alone "auto" is .nii.gz, which was the default once.
        """
        said = None if before is None else before.settings.get("format")
        if said not in (AUTO, *FORMATS):
            return self.run
        settings = replace(self.order.settings, format=said)
        order = replace(self.order, settings=settings)
        for case in self.found.cases:
            if format_of(case, order) != format_of(case, self.order):
                return self.run
        return replace(self.run, settings=settings.mapping())

    def all_stamps(self) -> dict[str, str]:
        """Return the stamps of all cases by name; those that can't be read have none."""
        return {**self.stamps, **{problem.case: "" for problem in self.found.problems}}

    def missing(self, known: Mapping[str, KnownCase]) -> list[BatchCase]:
        """Return the cases that are not done, or whose files have changed or are gone."""
        return [case for case in self.found.cases if not self._is_done(case, known)]

    def check_places(self, known: Mapping[str, KnownCase]) -> None:
        """Check that each case has places of its own for its results, in which nothing stands.

        Raises:
            InputError: it has not.
        """
        check_outputs_apart(self.found.cases, self.order)
        waiting = [case for case in self.found.cases if _is_untouched(known.get(case.name))]
        check_outputs_free(waiting, self.order)

    def _is_done(self, case: BatchCase, known: Mapping[str, KnownCase]) -> bool:
        before = known.get(case.name)
        if before is None or before.record is None or before.state is not State.DONE:
            return False
        if before.stamp != self.stamps[case.name]:
            return False
        return all((self.order.output / path).is_file() for path in before.record.outputs.values())


def _report(output: Path, records: Sequence[CaseRecord], run: Run | None) -> Path | None:
    """Write the report of a run; return its page, or None where Jinja2 or Pillow is missing."""
    if not can_report():
        return None
    from DeepIGeoSLib.batch.report import write_report

    return write_report(output, records, run).html


def _is_untouched(known: KnownCase | None) -> bool:
    """Whether no run has begun to work on a case, so that no file of it can be there."""
    return known is None or known.state is State.WAITING


def _records(journal: Journal, cohort: _Cohort) -> list[CaseRecord]:
    known = journal.known()
    names = [*cohort.found.cases, *cohort.found.problems]
    wanted = {one.name if isinstance(one, BatchCase) else one.case for one in names}
    return [
        case.record for name, case in known.items() if name in wanted and case.record is not None
    ]


def _left_out(problem: Problem) -> CaseRecord:
    return CaseRecord(name=problem.case, state=State.FAILED, images=(), reason=problem.text)


def _refusal(problems: Sequence[Problem]) -> str:
    listed = "; ".join(str(problem).rstrip(".") for problem in problems[:_MOST_LISTED])
    more = len(problems) - _MOST_LISTED
    rest = f"; and {more} more" if more > 0 else ""
    return (
        f"{counted(len(problems))} can't be worked on, so nothing "
        f"was begun (--leave-out-problems does the others): {listed}{rest}."
    )


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove the folders that were made for a run that was refused, the inner one first."""
    for folder in folders:
        if {path.name for path in folder.iterdir()} <= {KEPT}:
            shutil.rmtree(folder, ignore_errors=True)
