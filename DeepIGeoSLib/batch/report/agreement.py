"""How results agree with the truth over a cohort, and how two volumes of each case agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.batch.record import CaseRecord
from DeepIGeoSLib.evaluation.statistics import bootstrap_interval

# Bland and Altman: 95 % of differences from a normal distribution lie within so many deviations.
_DEVIATIONS = 1.96


@dataclass(frozen=True)
class Agreement:
    """The metrics of one target over all cases that have a truth.

    Attributes:
        target: its name.
        cases: how many.
        dice: mean.
        dice_interval: 95 % confidence interval of the mean; NaN for a single case.
        surface_dice: mean.
        assd_mm: median.
        hd95_mm: median.
        volume_difference_ml: median of the absolute difference.
    """

    target: str
    cases: int
    dice: float
    dice_interval: tuple[float, float]
    surface_dice: float
    assd_mm: float
    hd95_mm: float
    volume_difference_ml: float


@dataclass(frozen=True)
class Pair:
    """Two volumes of one case in ml.

    Attributes:
        name: of the case.
        result: the first, such as that of the result.
        reference: the second, such as the true one.
    """

    name: str
    result: float
    reference: float

    @property
    def mean(self) -> float:
        """Mean of both."""
        return (self.result + self.reference) / 2

    @property
    def difference(self) -> float:
        """The first less the second."""
        return self.result - self.reference


@dataclass(frozen=True)
class Limits:
    """Bland and Altman's numbers, in ml: 95 % of the differences lie between low and high."""

    bias: float
    low: float
    high: float


def agreements_of(records: Sequence[CaseRecord]) -> list[Agreement]:
    """Return how each target agrees with the truth; empty where no truth is known."""
    names = dict.fromkeys(target.name for record in records for target in record.targets)
    found = []
    for name in names:
        measured = [
            target.measured
            for record in records
            for target in record.targets
            if target.name == name and target.measured is not None
        ]
        if not measured:
            continue
        dice = np.array([one.dice for one in measured])
        low, high = bootstrap_interval(dice)
        found.append(
            Agreement(
                target=name,
                cases=len(measured),
                dice=float(dice.mean()),
                dice_interval=(float(low), float(high)),
                surface_dice=float(np.mean([one.surface_dice for one in measured])),
                assd_mm=float(np.median([one.assd_mm for one in measured])),
                hd95_mm=float(np.median([one.hd95_mm for one in measured])),
                volume_difference_ml=float(
                    np.median([abs(one.volume_difference_ml) for one in measured])
                ),
            )
        )
    return found


def pairs_with_truth(records: Sequence[CaseRecord]) -> dict[str, list[Pair]]:
    """Return for each target its volumes and the true ones, of cases that have a truth."""
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for record in records:
        for target in record.targets:
            if target.measured is not None:
                truth = target.milliliters - target.measured.volume_difference_ml
                pairs[target.name].append(Pair(record.name, target.milliliters, truth))
    return dict(pairs)


def limits_of(pairs: Sequence[Pair]) -> Limits | None:
    """Return the limits of agreement; None for fewer than three cases.

    Bland and Altman, "Statistical methods for assessing agreement between two methods of clinical
    measurement" (Lancet 1986).
    """
    if len(pairs) < 3:
        return None
    differences = np.array([pair.difference for pair in pairs])
    bias, spread = float(differences.mean()), _DEVIATIONS * float(differences.std(ddof=1))
    return Limits(bias, bias - spread, bias + spread)
