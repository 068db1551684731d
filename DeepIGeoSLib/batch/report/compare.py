"""Comparing two runs over the same cases, such as two models or two versions of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from DeepIGeoSLib.batch.journal import read_records, read_run
from DeepIGeoSLib.batch.record import CaseRecord, State
from DeepIGeoSLib.batch.report.agreement import Pair, limits_of
from DeepIGeoSLib.batch.report.page import page
from DeepIGeoSLib.batch.report.plot import bland_altman
from DeepIGeoSLib.batch.report.write import facts_of
from DeepIGeoSLib.errors import InputError, Progress
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.files import written_in_one_step
from DeepIGeoSLib.formats.reading import read_image
from DeepIGeoSLib.volume import Volume


@dataclass(frozen=True)
class ComparedCase:
    """A case of two runs.

    Attributes:
        name: of the case.
        milliliters: volumes in both.
        lesions: numbers of lesions in both.
        overlap: Dice of both results with each other; None where a file can't be read.
        dice: mean Dice of the targets with the truth, in both; None where it is not known.
    """

    name: str
    milliliters: tuple[float, float]
    lesions: tuple[int, int]
    overlap: float | None
    dice: tuple[float, float] | None

    @property
    def gain(self) -> float | None:
        """How much better the second run is, in Dice; None where the truth is not known."""
        return None if self.dice is None else self.dice[1] - self.dice[0]

    @property
    def apart(self) -> float:
        """How much the results differ, from 0 to 1: what cases are sorted by."""
        changes = [abs(self.gain)] if self.gain is not None else []
        changes += [1 - self.overlap] if self.overlap is not None else [1.0]
        return max(changes)


def compare_runs(
    first: str | Path, second: str | Path, path: str | Path, *, progress: Progress | None = None
) -> list[ComparedCase]:
    """Write a page that compares two runs; return its cases, those that differ most first.

    Args:
        first: folder of the results of a run.
        second: the same of the other one.
        path: an .html file.
        progress: called with the share done and a text.

    Raises:
        InputError: a folder holds no run, the runs have no case in common, or the page can't be
            written.
    """
    folders = (Path(first), Path(second))
    known = [_done(read_records(folder)) for folder in folders]
    common = [name for name in known[0] if name in known[1]]
    if not common:
        raise InputError(f"{first} and {second} have no case in common that both have done.")
    compared = []
    for number, name in enumerate(common):
        if progress is not None:
            progress(number / len(common), f"Comparing {name}")
        compared.append(_compared(folders, known[0][name], known[1][name]))
    compared.sort(key=lambda case: (-case.apart, case.name))
    pairs = [Pair(c.name, c.milliliters[1], c.milliliters[0]) for c in compared]
    gains = [case.gain for case in compared if case.gain is not None]
    html = page(
        "comparison.html.j2",
        title=f"{folders[0].resolve().name} and {folders[1].resolve().name}",
        facts=[
            facts_of(read_run(f), list(k.values())) for f, k in zip(folders, known, strict=True)
        ],
        cases=compared,
        only=[sorted(set(known[0]) - set(known[1])), sorted(set(known[1]) - set(known[0]))],
        better=sum(gain > 0 for gain in gains),
        worse=sum(gain < 0 for gain in gains),
        gain=float(np.mean(gains)) if gains else None,
        overlap=_mean([case.overlap for case in compared]),
        plot=bland_altman(pairs),
        limits=limits_of(pairs),
    )
    with written_in_one_step(path) as temporary:
        temporary.write_text(html, encoding="utf-8", newline="\n")
    return compared


def _done(records: Sequence[CaseRecord]) -> dict[str, CaseRecord]:
    return {record.name: record for record in records if record.state is State.DONE}


def _compared(folders: tuple[Path, Path], first: CaseRecord, second: CaseRecord) -> ComparedCase:
    records = (first, second)
    means = [_mean_dice(record) for record in records]
    files = [f / r.outputs.get("labels", "") for f, r in zip(folders, records, strict=True)]
    both = None if means[0] is None or means[1] is None else (means[0], means[1])
    return ComparedCase(
        name=first.name,
        milliliters=(first.milliliters, second.milliliters),
        lesions=(first.lesions, second.lesions),
        overlap=_overlap(*files),
        dice=both,
    )


def _mean_dice(record: CaseRecord) -> float | None:
    return _mean([t.measured.dice for t in record.targets if t.measured is not None])


def _overlap(first: Path, second: Path) -> float | None:
    """Return the Dice of two labelmaps, whatever their formats; None where one can't be read."""
    try:
        stored = read_image(first)
        grid = Volume(np.zeros(stored.array.shape[1:4]), ijk_to_ras=stored.ijk_to_ras)
        return dice(grid.read_labels(first) > 0, grid.read_labels(second) > 0)
    except InputError:
        return None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
