"""From the settings to the cases: every source, patients, the split, slices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.settings import DataSettings
from DeepIGeoSLib.data.slices import slices_of
from DeepIGeoSLib.data.source import DataFault, Found, Source
from DeepIGeoSLib.data.split import read_split_file, split
from DeepIGeoSLib.errors import InputError

_DEFAULT_SPLITS = "splits.csv"


def find_cases(data: DataSettings, base: Path, use: str) -> list[LabeledCase]:
    """Return the cases of one side of the split.

    Args:
        data: settings.
        base: folder that a relative data root starts from.
        use: "train", "val" or another word of the split file.

    Raises:
        InputError: a source or a case's file is missing or wrong, or no case is left; the message
            is about the first problem (``check_data`` lists them all).
    """
    found = discover(data, base)
    fatal = [problem for problem in found.problems if problem.fatal]
    if fatal:
        raise InputError(f"{fatal[0].where}: {fatal[0].text}")
    cases = [case for case in found.cases if case.use == use]
    if not cases:
        names = [source.dataset for source in data.sources]
        raise InputError(f"There is no case for {use!r} in the data sets {', '.join(names)}.")
    for problem in missing_files(cases):
        raise InputError(f"{problem.where}: {problem.text}")
    return [part for case in cases for part in slices_where_asked(case, data)]


def discover(data: DataSettings, base: Path) -> Found:
    """Return the whole cases of all sources with patient and use, and what is wrong with them.

    Whether the files of a case exist is not checked here.
    """
    root = (base / data.root).resolve()
    try:
        uses = _split_file(root, data)
    except InputError as error:
        return Found([], [DataFault("split file", str(error))])
    cases, problems = [], []
    for source in data.sources:
        listed = list(uses.get(source.dataset, {}))
        found = _found_by(source, root / (source.folder or source.dataset), listed, data)
        named, unnamed = _with_patients(found.cases, source)
        cases += named
        problems += [*found.problems, *unnamed, *_not_found(source, listed, found)]
    cases, on_both_sides = split(cases, uses, data.split)
    return Found(cases, problems + on_both_sides)


def missing_files(cases: Iterable[LabeledCase]) -> list[DataFault]:
    """Return a problem for each file that a case needs and that does not exist."""
    return [
        DataFault(f"{case.dataset}/{case.name}", f"{path} is missing.")
        for case in cases
        for path in case.files()
        if not path.exists()
    ]


def slices_where_asked(case: LabeledCase, data: DataSettings) -> Sequence[LabeledCase]:
    """Return the case's slices if its source asks for them, else the case itself.

    Raises:
        InputError: the case can't be loaded.
    """
    source = next(source for source in data.sources if source.dataset == case.dataset)
    return [case] if source.slices is None else slices_of(case, source.slices)


def _split_file(root: Path, data: DataSettings) -> Mapping[str, Mapping[str, str]]:
    if data.splits is not None:
        return read_split_file(root / data.splits)
    path = root / _DEFAULT_SPLITS
    return read_split_file(path) if path.is_file() else {}


def _found_by(source: Source, folder: Path, listed: Sequence[str], data: DataSettings) -> Found:
    """Return what a source finds; that it finds nothing is a problem like others."""
    try:
        if not folder.is_dir():
            raise InputError(f"The folder {folder} does not exist.")
        found = source.find(folder, listed)
        marks = tuple(source.resolved(one, folder) for one in data.class_marks)
    except InputError as error:
        return Found([], [DataFault(source.dataset, str(error))])
    cases = [replace(case, ignored_labels=source.ignored_labels) for case in found.cases]
    if marks:
        targets = data.network_targets
        cases = [replace(case.marked_by(marks), classes=marks, targets=targets) for case in cases]
    return Found(cases, found.problems)


def _with_patients(
    cases: Sequence[LabeledCase], source: Source
) -> tuple[list[LabeledCase], list[DataFault]]:
    """Name the patient of each case that its layout did not name."""
    named, problems = [], []
    for case in cases:
        patient = case.patient or source.patient_of(case.name)
        if patient is None:
            text = f"The pattern {source.patient!r} finds no patient in the case's name."
            problems.append(DataFault(f"{case.dataset}/{case.name}", text))
        else:
            named.append(replace(case, patient=patient))
    return named, problems


def _not_found(source: Source, listed: Sequence[str], found: Found) -> list[DataFault]:
    """Return a problem for each case that the split file lists and the source does not know."""
    known = {case.name for case in found.cases}
    known |= {problem.where.removeprefix(f"{source.dataset}/") for problem in found.problems}
    if source.dataset in known:  # the source as a whole has failed
        return []
    return [
        DataFault(
            f"{source.dataset}/{name}", "The split file lists this case, but it is not there."
        )
        for name in listed
        if name not in known
    ]
