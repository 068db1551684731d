"""Results as plain numbers and texts, ready for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from DeepIGeoSLib.evaluation.markdown import GOALS
from DeepIGeoSLib.evaluation.results import EvaluationResults
from DeepIGeoSLib.evaluation.rows import METRICS
from DeepIGeoSLib.evaluation.statistics import bootstrap_interval, reached, strokes_to_reach


def summarize(results: EvaluationResults) -> dict[str, Any]:
    """Return everything that the command line reports.

    ``mean_dice``, ``share_of_worse_rounds``, ``fixed``, ``collateral`` and ``median_seconds`` are
    those of the first method. Numbers that are infinite or unknown are null.
    """
    seconds = results.seconds_per_round()
    return {
        "cases": len({(row.dataset, row.case) for row in results.rows}),
        "mean_dice": results.mean_curves(),
        "share_of_worse_rounds": results.share_of_worse_rounds(),
        "fixed": results.fixed(results.methods[0]),
        "collateral": _finite(results.collateral(results.methods[0])),
        "median_seconds": {name: seconds[name] for name in ("proposal", "stroke")},
        "table": results.table(),
        "report": results.report(),
        "protocol": _protocol(results),
        "methods": {method: _method(results, method) for method in results.methods},
        "not_measured": results.not_measured,
    }


def _protocol(results: EvaluationResults) -> dict[str, Any]:
    user = results.user
    unit = "mm" if user.mode == "disk" else "voxels"
    return {
        "mode": user.mode,
        "rounds": results.rounds,
        f"radius_{unit}": user.size,
        "seed": user.seed,
        "first": user.first,
        "tolerance_mm": results.tolerance,
        "from_empty": results.from_empty,
    }


def _method(results: EvaluationResults, method: str) -> dict[str, Any]:
    dice = results.values("dice", method)
    strokes = range(1, results.rounds + 1)
    difference = dict(zip(("mean", "low", "high"), results.difference(method), strict=True))
    return {
        "mean_dice": results.mean_curves(method),
        "interval_95": {
            dataset: _intervals(results.averaged("dice", method, dataset))
            for dataset in results.groups
            if results.cases(method, dataset)
        },
        "medians": {
            name: [_finite(value) for value in np.median(results.values(name, method), axis=0)]
            for name in METRICS
        },
        "strokes_to_reach": {
            f"{goal:.2f}": {
                "mean": float(strokes_to_reach(dice, goal).mean()),
                "cases_that_reach": int(reached(dice, goal).sum()),
            }
            for goal in GOALS
        },
        "share_of_worse_rounds": results.share_of_worse_rounds(method),
        "fixed": {
            "median": results.fixed(method),
            "median_of_each_stroke": [results.fixed(method, number=n) for n in strokes],
        },
        "collateral": {
            "mean": _finite(results.collateral(method)),
            "mean_of_each_stroke": [_finite(results.collateral(method, number=n)) for n in strokes],
        },
        "seconds": results.seconds_per_round(method),
        "difference": {name: _finite(value) for name, value in difference.items()},
    }


def _intervals(dice: np.ndarray) -> dict[str, list[float | None]]:
    low, high = bootstrap_interval(dice)
    return {"low": [_finite(value) for value in low], "high": [_finite(value) for value in high]}


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
