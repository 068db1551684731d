"""Find the cases of a cohort, whatever it lies in."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from DeepIGeoSLib.batch.case import OTHERS, BatchCase
from DeepIGeoSLib.batch.finding.bids import is_bids, of_bids
from DeepIGeoSLib.batch.finding.folder import of_folder
from DeepIGeoSLib.batch.finding.found import Found, Problem
from DeepIGeoSLib.batch.finding.rules import FindingRules
from DeepIGeoSLib.batch.finding.table import of_table
from DeepIGeoSLib.data.channels import files_wanted
from DeepIGeoSLib.data.patterns import path_of
from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.files import as_text, check_path_is_text
from DeepIGeoSLib.formats.pictures import PICTURE_READERS
from DeepIGeoSLib.formats.reading import ending_of
from DeepIGeoSLib.worklist.found_cases import IMAGES

# So many cases are named that lack what others have.
_MOST_NAMED = 3


def find_cases(source: Path, rules: FindingRules, channels: Sequence[str]) -> Found:
    """Return the cases of a cohort.

    Args:
        source: a folder of images, DICOM series or pictures, a BIDS data set, or a CSV list.
        rules: how files belong to cases.
        channels: names of the channels that the bundle needs.

    Raises:
        InputError: there is no case, two have one name, or no case has a file that rules name.
    """
    channels = files_wanted(channels)
    if not os.path.exists(source):
        raise InputError(f"{source} does not exist.")
    if source.is_file():
        _check_is_list(source)
        found = of_table(source, len(channels))
    elif is_bids(source) and not rules.images:
        found = of_bids(source, rules, channels)
    else:
        found = of_folder(source, rules, channels)
    folder = source.parent if source.is_file() else source
    found = _named_in_text(found)
    found = replace(found, cases=[_with_others(case, folder, rules) for case in found.cases])
    if not found.cases and not found.problems:
        said = f"; {'; '.join(found.remarks[:3])}" if found.remarks else ""
        raise InputError(f"{source} holds no case{said}.")
    _check_names(found.cases, source)
    return replace(found, remarks=[*found.remarks, *_told_of_others(found.cases, folder, rules)])


def _named_in_text(found: Found) -> Found:
    """Make problems of cases whose names neither journal nor report nor ITK could hold."""
    cases, problems = [], list(found.problems)
    for case in found.cases:
        try:
            check_path_is_text(case.images[0])
            cases.append(case)
        except InputError as error:
            problems.append(Problem(case.name, str(error)))
    spelled = [Problem(as_text(problem.case), as_text(problem.text)) for problem in problems]
    return replace(found, cases=cases, problems=spelled)


def _check_is_list(source: Path) -> None:
    if ending_of(source, [*IMAGES, *PICTURE_READERS]) or is_dicom(source):
        raise InputError(
            f"{source} is an image; a folder of images, a BIDS data set or a CSV list is expected."
        )


def _patterns(rules: FindingRules) -> dict[str, str | None]:
    """Return the patterns of what may go with an image, by the attribute of a case."""
    return {kind: getattr(rules, kind) for kind in OTHERS}


def _with_others(case: BatchCase, folder: Path, rules: FindingRules) -> BatchCase:
    """Add the files that rules name besides the image, where they exist."""
    named = {
        kind: path_of(folder, pattern, case.name)
        for kind, pattern in _patterns(rules).items()
        if pattern is not None and getattr(case, kind) is None
    }
    return replace(case, **{kind: path for kind, path in named.items() if _is_there(path)})


def _is_there(path: Path) -> bool:
    """Whether something has a path; what may not be looked at is no missing file, but a problem."""
    try:
        return path.exists()
    except OSError:
        return True


def _told_of_others(cases: Sequence[BatchCase], folder: Path, rules: FindingRules) -> list[str]:
    """Return how many cases have what goes with some of them.

    Raises:
        InputError: a pattern fits no case: it is another one than was meant.
    """
    remarks = []
    for kind, pattern in _patterns(rules).items():
        without = [case.name for case in cases if getattr(case, kind) is None]
        if pattern is not None and cases and len(without) == len(cases):
            path = path_of(folder, pattern, without[0])
            raise InputError(
                f"No case has a file for {kind}: {pattern!r} means {path} for the case "
                f"{without[0]}, which does not exist."
            )
        if len(without) < len(cases):
            count = f"{len(cases) - len(without)} of {len(cases)} case{'s' * (len(cases) != 1)}"
            named = ", ".join(without[:_MOST_NAMED])
            more = len(without) - _MOST_NAMED
            rest = f" and {more} more" if more > 0 else ""
            remarks.append(f"With {kind}: {count}{f', without: {named}{rest}' if without else ''}.")
    return remarks


def _check_names(cases: Sequence[BatchCase], source: Path) -> None:
    """Check that no two cases would write the same files, where capitals may not count."""
    named: dict[str, list[BatchCase]] = defaultdict(list)
    for case in cases:
        named[unicodedata.normalize("NFC", case.name).casefold()].append(case)
    shared = [same for same in named.values() if len(same) > 1]
    if shared:
        one, other = shared[0][:2]
        raise InputError(
            f"{source} has two cases of one name, {one.name}, whose results would be the same "
            f"files: {one.images[0]} and {other.images[0]}."
        )
