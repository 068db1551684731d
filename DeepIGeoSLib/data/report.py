"""The report on the data before a training: what is there, and everything that is wrong."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.discovery import discover, missing_files, slices_where_asked
from DeepIGeoSLib.data.examination import CaseFacts, Examination, examine
from DeepIGeoSLib.data.report_text import report_text
from DeepIGeoSLib.data.settings import DataSettings
from DeepIGeoSLib.data.source import DataFault
from DeepIGeoSLib.data.split import TRAIN, VALIDATION
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.files import written_in_one_step

NAME = "data-report"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DataReport:
    """What was found in the data.

    Attributes:
        examined: the cases for training and validation, slices one by one.
        counts: number of cases, by data set and use; also of uses that training leaves alone.
        problems: everything that is wrong, fatal ones first.
    """

    examined: list[Examination]
    counts: dict[str, dict[str, int]]
    problems: list[DataFault]

    @property
    def facts(self) -> list[CaseFacts]:
        """What the readable cases hold."""
        return [e.facts for e in self.examined if e.facts is not None]

    @property
    def fatal(self) -> list[DataFault]:
        """The problems that training can't pass."""
        return [problem for problem in self.problems if problem.fatal]

    def text(self) -> str:
        """Return the report for people."""
        return report_text(self.facts, self.counts, self.problems)

    def mapping(self) -> dict:
        """Return the report for programs."""
        return {
            "usable": not self.fatal,
            "counts": self.counts,
            "problems": [dataclasses.asdict(problem) for problem in self.problems],
            "cases": [dataclasses.asdict(facts) for facts in self.facts],
        }

    def write(self, folder: Path) -> Path:
        """Write ``data-report.txt``, ``.json`` and ``.png``; return the path of the text.

        Without matplotlib, which a Slicer need not have, there is no picture.

        Raises:
            InputError: the folder can't be written to.
        """
        from DeepIGeoSLib.data.sheet import draw_sheet

        texts = {"txt": self.text(), "json": json.dumps(self.mapping(), indent=1) + "\n"}
        for ending, content in texts.items():
            with written_in_one_step(folder / f"{NAME}.{ending}") as path:
                path.write_text(content, encoding="utf-8")
        if find_spec("matplotlib") is None:
            _log.warning("No pictures of the cases: the Python package matplotlib is missing.")
        else:
            with written_in_one_step(folder / f"{NAME}.png") as path:
                draw_sheet(self.examined, path)
        return folder / f"{NAME}.txt"

    def check(self, written: Path) -> None:
        """Refuse data that training can't work with.

        Args:
            written: where the report's text lies.

        Raises:
            InputError: there are fatal problems; the sentence names the first and the report.
        """
        if not self.fatal:
            return
        first, count = self.fatal[0], len(self.fatal)
        others = f" (and {count - 1} more)" if count > 1 else ""
        raise InputError(
            f"The data can't be trained on: {first.where}: {first.text.rstrip('.')}{others}; "
            f"see {written}."
        )


def check_data(data: DataSettings, base: Path, progress: Progress | None = None) -> DataReport:
    """Look at every case for training and validation. Nothing that is wrong raises.

    Args:
        data: settings.
        base: folder that a relative data root starts from.
        progress: called with the share of the cases looked at and a text.
    """
    found = discover(data, base)
    used = [case for case in found.cases if case.use in (TRAIN, VALIDATION)]
    missing = missing_files(used)
    gone = {problem.where for problem in missing}
    examined: list[Examination] = []
    for index, case in enumerate(used):
        if f"{case.dataset}/{case.name}" in gone:
            continue
        if progress is not None:
            progress(index / len(used), f"Checking {case.dataset}/{case.name}")
        examined += [examine(part) for part in _parts(case, data)]
    problems = [*found.problems, *missing]
    for examination in examined:
        problems += _problems_of(examination)
    facts = [e.facts for e in examined if e.facts is not None]
    problems += [*_empty_sides(found.cases), *_never_present(examined), *_duplicates(facts)]
    problems.sort(key=lambda problem: not problem.fatal)
    return DataReport(examined, _counts(found.cases), problems)


def _parts(case: LabeledCase, data: DataSettings) -> Sequence[LabeledCase]:
    try:
        return slices_where_asked(case, data)
    except InputError:
        return [case]  # examined as a whole, it says what is wrong


def _problems_of(examination: Examination) -> Iterator[DataFault]:
    where = f"{examination.case.dataset}/{examination.case.name}"
    for text in examination.faults:
        yield DataFault(where, text)
    for text in examination.remarks:
        yield DataFault(where, text, fatal=False)


def _counts(cases: Sequence[LabeledCase]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for case in cases:
        counts[case.dataset][case.use] += 1
    return {name: dict(uses) for name, uses in counts.items()}


def _empty_sides(cases: Sequence[LabeledCase]) -> Iterator[DataFault]:
    words = {TRAIN: "train on", VALIDATION: "validate with"}
    for use, what in words.items():
        if not any(case.use == use for case in cases):
            yield DataFault("all data sets", f"There is no case to {what} (use {use!r}).")


def _never_present(examined: Sequence[Examination]) -> Iterator[DataFault]:
    """Yield the wanted labels that occur in no case of a data set."""
    wanted: dict[str, set[int]] = defaultdict(set)
    present: dict[str, set[int]] = defaultdict(set)
    for examination in examined:
        if examination.facts is not None:
            wanted[examination.case.dataset].update(examination.case.target_labels)
            present[examination.case.dataset].update(examination.facts.labels)
    for dataset, labels in wanted.items():
        for label in sorted(labels - present[dataset]):
            text = f"The label {label} of the target is in none of the cases."
            yield DataFault(dataset, text, fatal=not labels & present[dataset])


def _duplicates(facts: Sequence[CaseFacts]) -> Iterator[DataFault]:
    """Yield images that occur more than once; fatal where they are on both sides of the split."""
    same: dict[str, list[CaseFacts]] = defaultdict(list)
    for entry in facts:
        same[entry.fingerprint].append(entry)
    for entries in same.values():
        first = entries[0]
        for other in entries[1:]:
            both = other.use != first.use
            sides = f"one for {first.use}, one for {other.use}" if both else f"both for {first.use}"
            text = f"It has the same voxels as {first.dataset}/{first.name} ({sides})."
            yield DataFault(f"{other.dataset}/{other.name}", text, fatal=both)
