"""Bland and Altman's plot as numbers for a drawing of vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from DeepIGeoSLib.batch.report.agreement import Limits, Pair, limits_of
from DeepIGeoSLib.batch.report.tables import number

WIDTH, HEIGHT = 680, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 120, 14, 44
_TICKS = 8


@dataclass(frozen=True)
class Mark:
    """A place on an axis: where, and what stands there."""

    place: float
    text: str


@dataclass(frozen=True)
class Plot:
    """A drawing of points in pixels, from the upper left corner.

    Attributes:
        points: x, y and the words of each.
        across: marks below.
        down: marks at the left.
        lines: heights of the horizontal lines, and their words: bias and limits.
        area: left, top, right and bottom edge of where points lie.
    """

    points: tuple[tuple[float, float, str], ...]
    across: tuple[Mark, ...]
    down: tuple[Mark, ...]
    lines: tuple[Mark, ...]
    area: tuple[float, float, float, float] = (_LEFT, _TOP, WIDTH - _RIGHT, HEIGHT - _BOTTOM)
    width: int = WIDTH
    height: int = HEIGHT


def bland_altman(pairs: Sequence[Pair]) -> Plot | None:
    """Return the difference of two volumes over their mean; None for fewer than three cases."""
    limits = limits_of(pairs)
    if limits is None:
        return None
    left, top, right, bottom = Plot((), (), (), ()).area
    most = 1.05 * max(pair.mean for pair in pairs) or 1.0
    reach = _reach(pairs, limits)
    across, down = _steps(0.0, most), _steps(-reach, reach)

    def x(value: float) -> float:
        return round(left + (right - left) * value / most, 1)

    def y(value: float) -> float:
        return round(top + (bottom - top) * (reach - value) / (2 * reach), 1)

    said = (("+1.96 SD", limits.high), ("mean", limits.bias), ("-1.96 SD", limits.low))
    return Plot(
        points=tuple(
            (x(p.mean), y(p.difference), f"{p.name}: {p.difference:+.2f} ml of {p.mean:.2f} ml")
            for p in pairs
        ),
        across=tuple(Mark(x(value), _short(value)) for value in across),
        down=tuple(Mark(y(value), _short(value)) for value in down),
        lines=tuple(Mark(y(value), f"{name} {number(value, 2)}") for name, value in said),
    )


def _reach(pairs: Sequence[Pair], limits: Limits) -> float:
    """Return how far from 0 the drawing goes."""
    values = [limits.low, limits.high, *(pair.difference for pair in pairs)]
    return 1.1 * max(abs(value) for value in values) or 1.0


def _steps(low: float, high: float) -> list[float]:
    """Return round numbers between two."""
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _short(value: float) -> str:
    return f"{value:.6g}"
