"""The targets that a configuration names, and the exclusive classes that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from DeepIGeoSLib.targets import Target


@dataclass(frozen=True)
class TargetSettings:
    """One of several targets of one network.

    Attributes:
        name: what users will read.
        labels: values of the labelmaps that belong to it.
        names: of what belongs to it where labels have names: segments (.seg.nrrd, .mrb), classes of
            VOC or of a Decathlon task. The target's own name when labels and names are empty.
        color: red, green and blue from 0 to 255; one that is chosen for it when null.
    """

    name: str
    labels: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    color: tuple[int, int, int] | None = None

    @property
    def marks(self) -> tuple[int | str, ...]:
        """Its labels and its names."""
        return (*self.labels, *self.names) or (self.name,)


@dataclass(frozen=True)
class ClassMarks:
    """What marks the voxels of one exclusive class.

    Attributes:
        labels: values of a labelmap.
        names: of segments or of a layout's classes.
    """

    labels: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


def exclusive_classes(
    settings: Sequence[TargetSettings],
) -> tuple[tuple[ClassMarks, ...], tuple[Target, ...]]:
    """Return the exclusive classes that a network tells apart, and the targets as unions of them.

    Labels and names that belong to the same targets are one class: whole tumor (1, 2, 4), tumor
    core (1, 4) and enhancing tumor (4) give the classes 1 (core alone), 2 (whole alone) and 3 (all
    three), in the order in which the labels are first named.
    """
    holders: dict[int | str, tuple[int, ...]] = {}
    for number, target in enumerate(settings):
        for mark in target.marks:
            holders[mark] = (*holders.get(mark, ()), number)
    sets = list(dict.fromkeys(holders.values()))
    classes = tuple(
        ClassMarks(
            labels=tuple(m for m, own in holders.items() if own == one and isinstance(m, int)),
            names=tuple(m for m, own in holders.items() if own == one and isinstance(m, str)),
        )
        for one in sets
    )
    targets = tuple(
        Target(
            target.name,
            tuple(place for place, one in enumerate(sets, 1) if number in one),
            target.color,
        )
        for number, target in enumerate(settings)
    )
    return classes, targets
