"""The finest scale of a ``MultiScaleNet``, computed where its overview leaves doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from DeepIGeoSLib.networks.overview import CELL, doubtful, with_overview

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.multiscale_layers import FourScales

# How many pixels around an answer the finest scale looks at, rounded up to a multiple of 4.
REACH = 8

# Pixels along the side of a block that is computed as soon as one of its cells is in doubt.
_BLOCK = 32

# From this share of the pixels on, blocks and their surroundings cost as much as everything.
_MOST = 0.7


def decoded(
    network: FourScales, slices: torch.Tensor, *, finest: torch.Tensor, coarse: torch.Tensor
) -> torch.Tensor:
    """Return the logits (N, classes, H, W) of slices, see ``FourScales.decode_finest``."""
    if network.overview is None:
        return network.decode_finest(slices, finest, coarse)
    overview = network.overview(coarse)
    blocks = [_Block.at(*place, slices.shape[2:]) for place in _places(doubtful(overview))]
    if sum(block.pixels for block in blocks) >= _MOST * slices[:, 0].numel():
        return with_overview(network.decode_finest(slices, finest, coarse), overview)
    logits = slices.new_zeros(len(slices), 2, *slices.shape[2:])
    if blocks:
        seen = (
            torch.stack([block.seen(features, scale) for block in blocks])
            for features, scale in ((slices, 1), (finest, 2), (coarse, CELL))
        )
        for block, answer in zip(blocks, network.decode_finest(*seen), strict=True):
            block.put(logits, answer)
    return with_overview(logits, overview)


@dataclass(frozen=True)
class _Block:
    """A block of a slice, and the window around it that the finest scale has to see.

    Attributes:
        number: of the slice.
        rows: of the block, in pixels.
        columns: the same.
        window: rows and columns; as large for each block of a slice, and inside the slice, so that
            the slice's border is a border there, too.
    """

    number: int
    rows: slice
    columns: slice
    window: tuple[slice, slice]

    @classmethod
    def at(cls, number: int, top: int, left: int, size: Sequence[int]) -> _Block:
        window = []
        for start, available in zip((top, left), size, strict=True):
            length = min(_BLOCK + 2 * REACH, available)
            first = min(max(0, start - REACH), available - length)
            window.append(slice(first, first + length))
        rows, columns = (
            slice(start, min(start + _BLOCK, n)) for start, n in zip((top, left), size, strict=True)
        )
        return cls(number, rows, columns, (window[0], window[1]))

    @property
    def pixels(self) -> int:
        """How many the window has."""
        return prod(part.stop - part.start for part in self.window)

    def seen(self, features: torch.Tensor, scale: int) -> torch.Tensor:
        """Return the window in features (N, F, H/scale, W/scale)."""
        rows, columns = (slice(part.start // scale, part.stop // scale) for part in self.window)
        return features[self.number, :, rows, columns]

    def put(self, logits: torch.Tensor, answer: torch.Tensor) -> None:
        """Write the block's part of the window's answer to the slices' logits."""
        rows, columns = (
            slice(own.start - part.start, own.stop - part.start)
            for own, part in zip((self.rows, self.columns), self.window, strict=True)
        )
        logits[self.number, :, self.rows, self.columns] = answer[:, rows, columns]


def _places(doubt: torch.Tensor) -> list[tuple[int, int, int]]:
    """Return slice, first row and first column (in pixels) of the blocks with cells in doubt."""
    cells = _BLOCK // CELL
    any_doubt = functional.max_pool2d(doubt[:, None].float(), cells, ceil_mode=True)[:, 0] > 0
    return [(n, j * _BLOCK, i * _BLOCK) for n, j, i in any_doubt.nonzero().tolist()]
