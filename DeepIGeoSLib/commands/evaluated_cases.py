"""Which cases ``deepigeos evaluate`` measures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from DeepIGeoSLib.data import LabeledCase


def add_cases(parser: argparse.ArgumentParser) -> None:
    """Declare the choice of the cases."""
    parser.add_argument(
        "cases",
        nargs="?",
        metavar="CASES",
        help="training configuration whose data section names the cases, or a CSV file with the "
        "columns image and label",
    )
    parser.add_argument(
        "--use",
        default="val",
        help="cases of which side of the split (default: %(default)s); all of a CSV file without "
        "the column use",
    )
    parser.add_argument(
        "--from-empty",
        nargs="?",
        const="",
        metavar="ROOT",
        help="begin every case with an empty mask instead of a proposal. ROOT is a folder of "
        "structures (volumes/cases.csv, pictures/cases.csv), or a CSV file with the columns image "
        "and mask, and, if wanted, label, kind and case; any_structure in the folder "
        "DEEPIGEOS_DATA when neither ROOT nor cases are given",
    )
    parser.add_argument("--kinds", metavar="NAME,...", help="only these data sets, or kinds")
    parser.add_argument("--only", metavar="NAME,...", help="only the cases with these names")
    parser.add_argument(
        "--at-most", type=int, metavar="N", help="so many cases of each data set, evenly spread"
    )
    parser.add_argument(
        "--image",
        nargs="+",
        help="measure a single case instead: its image, one file for each channel ...",
    )
    parser.add_argument(
        "--truth", help="... and its true labelmap (values above 0) or Slicer segmentation"
    )
    parser.add_argument(
        "--truth-segment",
        action="append",
        default=[],
        metavar="SEGMENT",
        help="segment of the truth; may be given several times (default: all of them)",
    )


def chosen_cases(arguments: argparse.Namespace) -> list[LabeledCase]:
    """Return the cases that the command line names.

    Raises:
        InputError: there is none, or a file is missing.
    """
    cases = _all_cases(arguments)
    if arguments.kinds is not None:
        kinds = _known(arguments.kinds, "kinds", "kinds", [case.dataset for case in cases])
        cases = [case for case in cases if case.dataset in kinds]
    if arguments.only is not None:
        names = _known(arguments.only, "only", "cases", [case.name for case in cases])
        cases = [case for case in cases if case.name in names]
    if arguments.at_most is not None:
        cases = _fewer(cases, arguments.at_most)
    return cases


def _all_cases(arguments: argparse.Namespace) -> list[LabeledCase]:
    from DeepIGeoSLib.data import find_cases
    from DeepIGeoSLib.training.config import read_config

    if arguments.from_empty is not None:
        structures = _structures(arguments)
        if structures is not None:
            return structures
    single = bool(arguments.image) and bool(arguments.truth)
    if (arguments.cases is None) == (not single) or bool(arguments.image) != bool(arguments.truth):
        raise InputError(
            "Give either CASES (a training configuration or a CSV file), or --image and --truth."
        )
    if single:
        return [_single_case(arguments.image, arguments.truth, arguments.truth_segment)]
    path = Path(arguments.cases)
    if path.suffix.lower() == ".csv":
        return _listed_cases(path, arguments.use)
    found = find_cases(read_config(path).data, path.resolve().parent, arguments.use)
    return [part for case in found for part in case.for_each_target()]


def _structures(arguments: argparse.Namespace) -> list[LabeledCase] | None:
    """Return the structures to begin from nothing with, or None when other cases are named."""
    from DeepIGeoSLib.data.structures import find_structures

    others = arguments.cases is not None or bool(arguments.image)
    if arguments.from_empty and others:
        raise InputError("Give either --from-empty ROOT, or other cases with --from-empty alone.")
    if others:
        return None
    if arguments.from_empty:
        return find_structures(Path(arguments.from_empty))
    data = os.environ.get("DEEPIGEOS_DATA")
    if data is None:
        raise InputError(
            "--from-empty needs a folder of structures or a CSV file, or the folder of the data in "
            "the environment variable DEEPIGEOS_DATA."
        )
    return find_structures(Path(data) / "any_structure")


def _single_case(images: Sequence[str], truth: str, segments: Sequence[str]) -> LabeledCase:
    from DeepIGeoSLib.data import LabeledCase

    first, *others = (Path(image) for image in images)
    return LabeledCase(
        dataset="single case",
        name=first.name,
        image=first,
        label=Path(truth),
        segments=tuple(segments),
        other_channels=tuple(others),
    )


def _listed_cases(path: Path, use: str) -> list[LabeledCase]:
    """Return the cases of a CSV file; when it says what they are for, only those for ``use``."""
    from DeepIGeoSLib.data.discovery import missing_files
    from DeepIGeoSLib.data.listing import ListSource

    source = ListSource(dataset=path.stem, file=path.name)
    cases = source.find(path.resolve().parent, ())
    chosen = cases.cases
    if any(case.use for case in chosen):
        chosen = [case for case in chosen if case.use == use]
    if not chosen:
        raise InputError(f"{path} lists no case for {use!r}.")
    for problem in missing_files(chosen):
        raise InputError(f"{problem.where}: {problem.text}")
    return chosen


def _known(text: str, option: str, what: str, known: Sequence[str]) -> list[str]:
    """Return the names in a list separated by commas.

    Raises:
        InputError: one is not known.
    """
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise InputError(
                f"--{option} has {name!r}; the {what} are {', '.join(dict.fromkeys(known))}."
            )
    return names


def _fewer(cases: Sequence[LabeledCase], count: int) -> list[LabeledCase]:
    from DeepIGeoSLib.data.selection import evenly

    if count < 1:
        raise InputError(f"--at-most is {count}; at least 1 is expected.")
    datasets = dict.fromkeys(case.dataset for case in cases)
    return [
        case
        for dataset in datasets
        for case in evenly([case for case in cases if case.dataset == dataset], count)
    ]
