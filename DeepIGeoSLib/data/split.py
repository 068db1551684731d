"""Which case is for training and which for validation; a patient is never on both sides."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.source import DataFault
from DeepIGeoSLib.data.table_file import read_table
from DeepIGeoSLib.errors import InputError

TRAIN, VALIDATION = "train", "val"


@dataclass(frozen=True)
class SplitSettings:
    """How patients are divided where neither a split file nor the layout says it.

    Attributes:
        validation: share of each data set's patients to validate with.
        seed: another division for every number.
    """

    validation: float = 0.2
    seed: int = 1

    def __post_init__(self) -> None:
        """Check the range."""
        if not 0 < self.validation < 1:
            raise InputError(f"validation is {self.validation:g}, expected a share from 0 to 1.")


def read_split_file(path: Path) -> dict[str, dict[str, str]]:
    """Return the use of each case, by data set and name of the case.

    Raises:
        InputError: the file is missing, lacks a column, or gives a case two uses.
    """
    if not path.is_file():
        raise InputError(f"The split file {path} does not exist.")
    uses: dict[str, dict[str, str]] = defaultdict(dict)
    for _, row in read_table(path, required={"dataset", "case", "use"}, optional=set()):
        known = uses[row["dataset"]].setdefault(row["case"], row["use"])
        if known != row["use"]:
            raise InputError(
                f"{path} gives the case {row['dataset']}/{row['case']} two uses: {known!r} and "
                f"{row['use']!r}."
            )
    return dict(uses)


def split(
    cases: Sequence[LabeledCase], uses: Mapping[str, Mapping[str, str]], settings: SplitSettings
) -> tuple[list[LabeledCase], list[DataFault]]:
    """Give every case its use.

    A case keeps the use that its layout gave it. Else, where the split file lists cases of its data
    set, the split file decides, and cases that it does not list are left out. The patients of all
    other cases are divided at random: the same way for the same seed, and nearly the same way when
    patients are added.

    Args:
        cases: with their patients.
        uses: what the split file says, by data set and case.
        settings: of the random division.

    Returns:
        The cases that are left, and the problems: patients on both sides.
    """
    given, open_cases = [], []
    for case in cases:
        listed = uses.get(case.dataset, {})
        if case.use:
            given.append(case)
        elif listed:
            if case.name in listed:
                given.append(replace(case, use=listed[case.name]))
        else:
            open_cases.append(case)
    sides: dict[str, str] = {}
    problems = []
    for case in given:
        if case.use not in (TRAIN, VALIDATION):
            continue
        if sides.setdefault(case.patient, case.use) != case.use:
            text = f"The patient {case.patient!r} is on both sides of the split."
            problems.append(DataFault(f"{case.dataset}/{case.name}", text))
    sides.update(_divided(open_cases, sides, settings))
    drawn = [replace(case, use=sides[case.patient]) for case in open_cases]
    return given + drawn, problems


def _divided(
    cases: Sequence[LabeledCase], sides: Mapping[str, str], settings: SplitSettings
) -> dict[str, str]:
    """Return the sides of the patients that have none yet."""
    datasets: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        datasets[case.patient].add(case.dataset)
    # A patient of two data sets goes to one side with the cases of both.
    counts = Counter(dataset for names in datasets.values() for dataset in names)
    room = {name: _number_to_validate(count, settings.validation) for name, count in counts.items()}
    for patient, names in datasets.items():
        for name in names:
            room[name] -= sides.get(patient) == VALIDATION
    drawn = {}
    for patient in sorted(set(datasets) - set(sides), key=lambda p: _number_of(p, settings.seed)):
        names = datasets[patient]
        drawn[patient] = VALIDATION if all(room[name] > 0 for name in names) else TRAIN
        if drawn[patient] == VALIDATION:
            for name in names:
                room[name] -= 1
    return drawn


def _number_to_validate(patients: int, share: float) -> int:
    """Return how many patients to validate with: at least one, and not the only one."""
    return min(max(1, round(share * patients)), patients - 1)


def _number_of(patient: str, seed: int) -> bytes:
    """Return what patients are sorted by: it depends on the seed and on nothing but the patient."""
    return hashlib.sha256(f"{seed}/{patient}".encode()).digest()
