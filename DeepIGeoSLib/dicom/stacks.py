"""Which slices belong together: series, stacks of a series, and volumes at the same place."""

from __future__ import annotations

import filecmp
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.dicom.placement import TOLERANCE
from DeepIGeoSLib.dicom.slices import Slice
from DeepIGeoSLib.errors import InputError

# Directions are rounded when they are written; over 500 columns this is a twentieth of a voxel.
_SAME_DIRECTION = 1e-4

# Positions can be compared within one frame of reference only.
_IN_COMMON = ("SeriesInstanceUID", "FrameOfReferenceUID")

_MOST_LISTED = 20


@dataclass(frozen=True)
class Stack:
    """Slices of one series with the same size, spacing, orientation and frame of reference."""

    slices: list[Slice]

    @property
    def uid(self) -> str:
        """The series it belongs to."""
        return str(self.slices[0].header.get("SeriesInstanceUID") or "")

    @property
    def description(self) -> str:
        """What the scanner's staff call the series."""
        return str(self.slices[0].header.get("SeriesDescription") or "")

    def __str__(self) -> str:
        header, (rows, columns) = self.slices[0].header, self.slices[0].shape
        parts = [
            str(header.get("Modality") or ""),
            f"'{self.description}'" if self.description else "",
            f"{len(self.slices)} of {rows} x {columns},",
            f"{_view(self.slices[0])}, from {self.slices[0].path.name},",
            f"series {self.uid}",
        ]
        return " ".join(part for part in parts if part)

    def fits(self, one: Slice) -> bool:
        """Whether a slice belongs to it."""
        own = self.slices[0]
        return (
            all(own.header.get(keyword) == one.header.get(keyword) for keyword in _IN_COMMON)
            and _is_scout(own) == _is_scout(one)
            and own.stack == one.stack
            and own.shape == one.shape
            and np.allclose(own.spacing, one.spacing, rtol=_SAME_DIRECTION, atol=0)
            and _same_directions(own.directions, one.directions)
        )


def stacks_of(slices: Sequence[Slice]) -> list[Stack]:
    """Return the stacks, those of most slices first."""
    stacks: list[Stack] = []
    for one in slices:
        known = next((stack for stack in stacks if stack.fits(one)), None)
        if known is None:
            stacks.append(Stack([one]))
        else:
            known.slices.append(one)
    return sorted(stacks, key=lambda stack: -len(stack.slices))


def chosen_stack(stacks: Sequence[Stack], series: str | int | None, name: str) -> Stack:
    """Return the only stack, or the one that is asked for.

    Args:
        stacks: from ``stacks_of``.
        series: number in the list (from 1), series UID or description; None: there is only one.
        name: of the folder, for messages.

    Raises:
        InputError: there are several, or not exactly one is meant; all are listed.
    """
    if series is None:
        found = list(stacks)
    else:
        found = [
            stack
            for number, stack in enumerate(stacks, 1)
            if str(series) in (str(number), stack.uid, stack.description)
        ]
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{n}: {stack}" for n, stack in enumerate(stacks[:_MOST_LISTED], 1))
    if len(stacks) > _MOST_LISTED:
        listed += f"; and {len(stacks) - _MOST_LISTED} more"
    asked = "" if series is None else f", and {len(found) or 'none'} of them is meant by {series!r}"
    raise InputError(
        f"{name} holds {len(stacks)} DICOM series or sets of slices that fit together{asked}. "
        f"Choose one by its number or UID with --series (in Python: series=): {listed}."
    )


def chosen_volume(stack: Stack, frame: int | None, name: str) -> list[Slice]:
    """Return the slices of the only volume of a stack, or of the one that is asked for.

    Raises:
        InputError: slices repeat without anything that tells them apart, there are several
            volumes (time points, echoes, ...) and none is chosen, or there is no such one.
    """
    places = _by_place(_without_copies(stack.slices))
    count = len(places[0])
    if any(len(place) != count for place in places):
        _refuse_repeated(places, name)
    if count == 1:
        volumes, told = [[place[0] for place in places]], ""
    else:
        volumes, told = _told_apart(places, name)
    if frame is None and len(volumes) > 1:
        raise InputError(
            f"{name} holds {len(volumes)} volumes at the same place, told apart by {told}; choose "
            f"one with --frame 0 to {len(volumes) - 1} (in Python: frame=)."
        )
    if not 0 <= (frame or 0) < len(volumes):
        raise InputError(f"{name} has {len(volumes)} frame(s); there is no frame {frame}.")
    return volumes[frame or 0]


def _without_copies(slices: Sequence[Slice]) -> list[Slice]:
    """Drop files that are copies of another one, byte for byte."""
    kept: dict[tuple, Slice] = {}
    for one in slices:
        known = kept.setdefault((str(one.header.get("SOPInstanceUID")), one.frame), one)
        if known is not one and not filecmp.cmp(known.path, one.path, shallow=False):
            kept[one.path, one.frame] = one
    return list(kept.values())


def _by_place(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Return groups of slices that lie at the same place, in the order of the places."""
    if any(one.position is None or one.directions is None for one in slices):
        return [[one] for one in slices]
    normal = slices[0].normal
    tolerance = TOLERANCE * min(slices[0].spacing)
    places: list[list[Slice]] = []
    for one in sorted(slices, key=lambda s: float(s.known_position @ normal)):
        near = places[-1][0] if places else None
        if near is not None and np.abs(one.known_position - near.known_position).max() <= tolerance:
            places[-1].append(one)
        else:
            places.append([one])
    return places


def _told_apart(places: list[list[Slice]], name: str) -> tuple[list[list[Slice]], str]:
    """Split slices that repeat at every place by what repeats in the same way at every place."""
    keys = [
        key
        for key in places[0][0].marks
        if all(key in one.marks for place in places for one in place)
        and len({one.marks[key] for one in places[0]}) > 1
        and len({tuple(sorted(str(one.marks[key]) for one in p)) for p in places}) == 1
    ]
    volumes: dict[tuple, list[Slice]] = defaultdict(list)
    for place in places:
        for one in place:
            volumes[tuple(one.marks[key] for key in keys)].append(one)
    if any(len(volume) != len(places) for volume in volumes.values()) or len(volumes) < 2:
        _refuse_repeated(places, name)
    told = ", ".join(key for key in keys if not key.startswith("dimension")) or "their dimensions"
    return [volumes[key] for key in sorted(volumes, key=_numbers_first)], told


def _numbers_first(marks: tuple) -> list[tuple]:
    return [(isinstance(mark, str), mark) for mark in marks]


def _refuse_repeated(places: Sequence[Sequence[Slice]], name: str) -> None:
    repeated = max(places, key=len)
    x, y, z = repeated[0].known_position
    raise InputError(
        f"{name}: {repeated[0].name} and {repeated[1].name} lie at the same place, "
        f"({x:g}, {y:g}, {z:g}), and nothing says how they differ; remove the one that does not "
        "belong, or put each volume in a folder of its own."
    )


def _same_directions(first: np.ndarray | None, second: np.ndarray | None) -> bool:
    if first is None or second is None:
        return first is second
    return np.allclose(first, second, rtol=0, atol=_SAME_DIRECTION)


def _is_scout(one: Slice) -> bool:
    return "LOCALIZER" in (one.header.get("ImageType") or ())


def _view(one: Slice) -> str:
    if one.directions is None:
        return "no orientation"
    return ("sagittal", "coronal", "axial")[int(np.abs(one.normal).argmax())]
