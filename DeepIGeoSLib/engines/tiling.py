"""Run a network on a volume that does not fit into memory, part by part.

Overlapping tiles (Ronneberger et al., U-Net, MICCAI 2015): each tile is computed with as much of
its surroundings as the network sees, and only its own voxels are kept. The borders of the volume
stay what they are for the network, so the tiles together equal the whole (to the rounding of sums).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True)
class Tile:
    """A part of an array.

    Attributes:
        outer: slices that the network is given.
        inner: slices that the tile answers for.
    """

    outer: tuple[slice, ...]
    inner: tuple[slice, ...]

    @property
    def kept(self) -> tuple[slice, ...]:
        """The slices of ``inner`` in the array of ``outer``."""
        return tuple(
            slice(own.start - seen.start, own.stop - seen.start)
            for own, seen in zip(self.inner, self.outer, strict=True)
        )


def tiles_of(
    shape: Sequence[int], *, reach: Sequence[int], multiple_of: Sequence[int], most: int
) -> list[Tile]:
    """Divide an array into tiles, with as little computed twice as possible.

    Args:
        shape: of the array; multiples of ``multiple_of``.
        reach: how many voxels away the network's answer depends on its input, for each axis.
        multiple_of: sizes the network can halve; tiles begin and end at multiples of it.
        most: voxels that the network may be given at once.

    Raises:
        InputError: the smallest tile has more voxels; it says how many.
    """
    axes = [
        _divisions(size, margin, step)
        for size, margin, step in zip(shape, reach, multiple_of, strict=True)
    ]
    fitting = [
        division for division in product(*axes) if prod(axis.largest for axis in division) <= most
    ]
    if not fitting:
        smallest = prod(min(axis.largest for axis in divisions) for divisions in axes)
        raise SmallestTileError(smallest)
    best = min(fitting, key=lambda division: prod(axis.total for axis in division))
    return [
        Tile(outer=tuple(part[0] for part in parts), inner=tuple(part[1] for part in parts))
        for parts in product(*(axis.parts for axis in best))
    ]


class SmallestTileError(InputError):
    """Not even the smallest tile fits.

    Attributes:
        voxels: of the smallest tile.
    """

    def __init__(self, voxels: int) -> None:
        super().__init__(f"The smallest tile has {voxels} voxels, more than are allowed.")
        self.voxels = voxels


@dataclass(frozen=True)
class _Division:
    """An axis in parts of one size: (outer, inner) slices of each, and what they cost."""

    parts: list[tuple[slice, slice]]

    @property
    def largest(self) -> int:
        return max(outer.stop - outer.start for outer, _ in self.parts)

    @property
    def total(self) -> int:
        return sum(outer.stop - outer.start for outer, _ in self.parts)


def _divisions(size: int, reach: int, step: int) -> list[_Division]:
    """Return every useful division of an axis."""
    margin = -(-reach // step) * step
    lengths = {-(-size // (count * step)) * step for count in range(1, size // step + 1)}
    return [
        _Division(
            [
                (
                    slice(max(0, start - margin), min(size, start + length + margin)),
                    slice(start, min(size, start + length)),
                )
                for start in range(0, size, length)
            ]
        )
        for length in sorted(lengths)
    ]
