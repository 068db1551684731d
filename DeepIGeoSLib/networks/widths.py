"""Widths of layers, checked before anything is built: options of bundles may come from anywhere."""

from __future__ import annotations

from collections.abc import Iterable

from DeepIGeoSLib.errors import InputError

# They decide how much memory is asked for.
_WIDEST = 4096


def check_widths(name: str, widths: Iterable[int]) -> None:
    """Refuse widths of layers that make no network, or more than any memory holds.

    Raises:
        InputError: one is below 1 or above 4096.
    """
    widths = list(widths)
    if not all(1 <= width <= _WIDEST for width in widths):
        raise InputError(f"{name} is {widths}; 1 to {_WIDEST} are expected.")


def check_levels(name: str, widths: Iterable[int], *, fewest: int = 2, most: int = 7) -> None:
    """Refuse widths of levels that make no network, or a number of levels that makes none.

    Raises:
        InputError: as ``check_widths``, or there are too few levels or too many.
    """
    widths = list(widths)
    if not fewest <= len(widths) <= most:
        raise InputError(f"{name} names {len(widths)} level(s); {fewest} to {most} are expected.")
    check_widths(name, widths)


def check_share(name: str, share: float) -> None:
    """Refuse a share of what is dropped that leaves nothing.

    Raises:
        InputError: it is below 0, or 1 or above.
    """
    if not 0 <= share < 1:
        raise InputError(f"{name} is {share:g}; a share from 0 to below 1 is expected.")
