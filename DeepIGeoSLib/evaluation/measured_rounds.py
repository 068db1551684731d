"""The rounds of many cases with several methods, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.evaluation import statistics
from DeepIGeoSLib.evaluation.metrics import TOLERANCE
from DeepIGeoSLib.evaluation.rows import ALL, Row
from DeepIGeoSLib.users.robot_user import RobotUser


@dataclass(frozen=True)
class MeasuredRounds:
    """Every measured round, and how it came about.

    The method of the first row is the one that the others are compared with.

    Attributes:
        rows: of all rounds; every case has the same number of them with every method.
        user: who marked.
        tolerance: of the surface Dice, in mm.
        not_measured: methods that could not run, and why.
        notes: sentences for the report: which bundle, what the methods were shown.
        from_empty: every case began with an empty mask, not with a proposal. The data sets are
            kinds of structures then, and the mean over all of them counts each kind once, however
            many cases it has.
    """

    rows: tuple[Row, ...]
    user: RobotUser = field(default_factory=RobotUser)
    tolerance: float = TOLERANCE
    not_measured: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    from_empty: bool = False

    def __post_init__(self) -> None:
        """Check that the rows make a table.

        Raises:
            InputError: there is none, or cases differ in their rounds.
        """
        if not self.rows:
            raise InputError("There is no measured round.")
        lengths = {len(rounds) for cases in self._rounds.values() for rounds in cases.values()}
        if len(lengths) > 1:
            raise InputError(
                f"Cases with {' and '.join(str(n - 1) for n in sorted(lengths))} rounds can't be "
                "put into one table; evaluate them with the same number."
            )

    @cached_property
    def _rounds(self) -> dict[str, dict[tuple[str, str], list[Row]]]:
        """Rows by method and by case (data set, name), in the order of the rounds."""
        sorted_rows: dict[str, dict[tuple[str, str], list[Row]]] = {}
        for row in sorted(self.rows, key=lambda row: row.round):
            cases = sorted_rows.setdefault(row.method, {})
            cases.setdefault((row.dataset, row.case), []).append(row)
        return {method: sorted_rows[method] for method in self.methods}

    @cached_property
    def methods(self) -> list[str]:
        """Names of the methods, in the order of the rows."""
        return list(dict.fromkeys(row.method for row in self.rows))

    @cached_property
    def datasets(self) -> list[str]:
        """Names of the data sets, in the order of the rows."""
        return list(dict.fromkeys(row.dataset for row in self.rows))

    @property
    def groups(self) -> list[str]:
        """Data sets, and all of them together when there are several."""
        return self.datasets if len(self.datasets) == 1 else [*self.datasets, ALL]

    @property
    def rounds(self) -> int:
        """Marks that the robot was asked for in every case."""
        return max(row.round for row in self.rows)

    def cases(self, method: str, dataset: str = ALL) -> list[tuple[str, str]]:
        """Return the cases (data set, name) of a method, in the order of the rows."""
        return [case for case in self._rounds[method] if dataset in (ALL, case[0])]

    def values(self, metric: str, method: str, dataset: str = ALL) -> np.ndarray:
        """Return a metric of ``Measurement``, axes (case, round)."""
        return self._table(method, dataset, lambda row: getattr(row.measured, metric))

    def averaged(self, metric: str, method: str, dataset: str = ALL) -> np.ndarray:
        """Return what means and their intervals are taken over, axes (unit, round).

        A unit is a case; over all kinds of an evaluation from empty masks it is a kind, with the
        mean of its cases.
        """
        if not self.from_empty or dataset != ALL or len(self.datasets) == 1:
            return self.values(metric, method, dataset)
        kinds = [kind for kind in self.datasets if self.cases(method, kind)]
        return np.stack([self.values(metric, method, kind).mean(axis=0) for kind in kinds])

    def seconds(self, method: str, dataset: str = ALL) -> np.ndarray:
        """Return the seconds of every answer, axes (case, round)."""
        return self._table(method, dataset, lambda row: row.seconds)

    def marked(self, method: str, dataset: str = ALL) -> np.ndarray:
        """Return whether the round had a mark, axes (case, round)."""
        return self._table(method, dataset, lambda row: row.mark_voxels > 0)

    def mean_curves(self, method: str | None = None) -> dict[str, list[float]]:
        """Return the mean Dice of each round, by data set, and over all cases as "all"."""
        name = self._or_first(method)
        return {
            dataset: self.averaged("dice", name, dataset).mean(axis=0).tolist()
            for dataset in (*self.datasets, ALL)
        }

    def share_of_worse_rounds(self, method: str | None = None, dataset: str = ALL) -> float:
        """Return the share of marks that lowered the Dice by more than ``statistics.WORSE``."""
        name = self._or_first(method)
        return statistics.share_of_worse_rounds(
            self.values("dice", name, dataset), self.marked(name, dataset)
        )

    def fixed(self, method: str, dataset: str = ALL, number: int | None = None) -> float | None:
        """Return the median share of the mistake under a mark that its answer corrects.

        Args:
            method: whose answers.
            dataset: of which cases.
            number: only this round's marks; all rounds' when None.

        Returns:
            A number from 0 to 1, or None when there was no mark.
        """
        shares = self._effects(method, dataset, number, lambda row: row.fixed)
        return float(np.median(shares)) if shares else None

    def collateral(
        self, method: str, dataset: str = ALL, number: int | None = None
    ) -> float | None:
        """Return the mean number of voxels that a mark destroys for each that it corrects.

        Arguments and None: see ``fixed``.
        """
        ratios = self._effects(method, dataset, number, lambda row: row.collateral)
        return float(np.mean(ratios)) if ratios else None

    def seconds_per_round(self, method: str | None = None, dataset: str = ALL) -> dict[str, float]:
        """Return the median time of a proposal, and median and 95th percentile of an answer."""
        name = self._or_first(method)
        seconds = self.seconds(name, dataset)
        answers = seconds[self.marked(name, dataset)]
        return {
            "proposal": float(np.median(seconds[:, 0])),
            "stroke": float(np.median(answers)) if answers.size else 0.0,
            "stroke_95": float(np.percentile(answers, 95)) if answers.size else 0.0,
        }

    def difference(self, method: str) -> tuple[float, float, float]:
        """Return how much more Dice a method ends with than the first one, and how sure that is.

        Returns:
            The mean difference over the cases that both have seen, and its confidence interval
            (paired: resamples take a case with both of its results). Over several kinds: the same
            of each kind's mean difference.

        Raises:
            InputError: they have no case in common.
        """
        mine, first = self._rounds[method], self._rounds[self.methods[0]]
        by_unit: dict[object, list[float]] = {}
        for case in mine:
            if case in first:
                unit = case[0] if self.from_empty and len(self.datasets) > 1 else case
                difference = mine[case][-1].measured.dice - first[case][-1].measured.dice
                by_unit.setdefault(unit, []).append(difference)
        if not by_unit:
            raise InputError(f"{method} and {self.methods[0]} have no case in common.")
        differences = [float(np.mean(found)) for found in by_unit.values()]
        low, high = statistics.bootstrap_interval(np.array(differences))
        return float(np.mean(differences)), float(low), float(high)

    def _or_first(self, method: str | None) -> str:
        return self.methods[0] if method is None else method

    def _effects(
        self, method: str, dataset: str, number: int | None, effect: Callable[[Row], float | None]
    ) -> list[float]:
        rows = [row for case in self.cases(method, dataset) for row in self._rounds[method][case]]
        effects = [effect(row) for row in rows if number in (None, row.round)]
        return [value for value in effects if value is not None]

    def _table(self, method: str, dataset: str, value: Callable[[Row], float]) -> np.ndarray:
        cases = self._rounds[method]
        return np.array(
            [[value(row) for row in cases[case]] for case in self.cases(method, dataset)]
        )
