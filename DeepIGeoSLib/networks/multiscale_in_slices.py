"""The answer of a three-dimensional ``MultiScaleNet`` for a part of its input, on a CPU.

Much of a large run's time is not spent on sums: results that don't fit into the processor's cache
travel to memory and back, and memory that was never used before is slow to get. So large scales are
computed some slices at a time, and what is not needed any more is overwritten. The sums are those
of ``FourScales.forward``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from DeepIGeoSLib.networks.finest import REACH, decoded

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.multiscale_layers import FourScales
    from DeepIGeoSLib.networks.network import Part

# How many voxels of the finest scale go through layers together, by whole slices; and of coarser
# ones, halved with each scale because layers become wider.
_FINEST_AT_ONCE = 100_000
_COARSE_AT_ONCE = 200_000


def probabilities_of_part(network: FourScales, x: torch.Tensor, part: Part) -> torch.Tensor:
    """Return what ``SegmentationNetwork.probabilities_of_part`` does, for (1, C, D, H, W)."""
    slices, (rows, *plane) = network.slices_of(x), part
    groups = _groups(len(slices), rows, _at_once(slices, _FINEST_AT_ONCE))
    seen = tuple(_around(own, size) for own, size in zip(plane, x.shape[-2:], strict=True))

    finest: list[torch.Tensor] = []
    coarse = slices.new_empty(0)
    for group in groups:
        features = network.encode_finest(slices[group])
        if rows.start <= group.start < rows.stop:
            finest.append(features[_scaled(seen, 2)].contiguous())
        shrunk = network.shrink[0](features)
        if group.start == 0:
            coarse = shrunk.new_empty(len(slices), *shrunk.shape[1:])
        coarse[group] = shrunk
    _replace_by_scales_from(network, 1, coarse)

    own = (..., *(_within(own, around) for own, around in zip(plane, seen, strict=True)))
    answer = x.new_empty([network.classes - 1, *(own.stop - own.start for own in part)])
    for group in groups:
        if rows.start <= group.start < rows.stop:
            logits = decoded(
                network,
                slices[group][_scaled(seen, 1)],
                finest=finest.pop(0),
                coarse=coarse[group][_scaled(seen, 4)],
            )
            targets = logits[own].softmax(dim=1)[:, 1:]
            answer[:, group.start - rows.start : group.stop - rows.start] = targets.movedim(1, 0)
    return answer


def _replace_by_scales_from(network: FourScales, level: int, slices: torch.Tensor) -> None:
    """Replace the features of a scale by what they are after it and all coarser ones."""
    at_once = _at_once(slices, _COARSE_AT_ONCE // 2**level)
    if at_once >= len(slices) or level == len(network.shrink):
        slices[:] = network.slices_of(network.scales_from(level, network.stacked(slices, 1)))
        return

    def encode(seen: torch.Tensor, _first: int) -> torch.Tensor:
        return network.slices_of(network.encoder[level](network.stacked(seen, 1)))

    _replace(slices, encode, at_once)
    even = 2 * max(1, at_once // 2)
    shrink = network.shrink[level]
    coarser = [network.slices_of(shrink(network.stacked(s, 1))) for s in slices.split(even)]
    coarser = torch.cat(coarser)
    _replace_by_scales_from(network, level + 1, coarser)
    coarser = network.slices_of(network.widen[level](network.stacked(coarser, 1)))

    def decode(seen: torch.Tensor, first: int) -> torch.Tensor:
        below = coarser[torch.arange(first, first + len(seen)) // 2]
        joined = functional.interpolate(below, size=seen.shape[2:], mode="nearest").add_(seen)
        return network.slices_of(network.decoder[level](network.stacked(joined, 1)))

    _replace(slices, decode, at_once)


def _replace(
    slices: torch.Tensor, run: Callable[[torch.Tensor, int], torch.Tensor], at_once: int
) -> None:
    """Overwrite slices by what ``run`` makes of them and of the slices next to them.

    Args:
        slices: (D, C, H, W).
        run: from some slices and the number of the first one to as many.
        at_once: how many to replace together.
    """
    before = None
    for start in range(0, len(slices), at_once):
        stop = min(start + at_once, len(slices))
        seen = slices[start : stop + 1]
        seen = seen if before is None else torch.cat([before, seen])
        before, extra = slices[stop - 1 : stop].clone(), min(start, 1)
        slices[start:stop] = run(seen, start - extra)[extra : extra + stop - start]


def _at_once(slices: torch.Tensor, voxels: int) -> int:
    return max(1, voxels // (slices.shape[2] * slices.shape[3]))


def _groups(count: int, rows: slice, at_once: int) -> list[slice]:
    """Divide ``count`` slices into groups, each of which lies inside or outside of ``rows``."""
    return [
        slice(start, min(start + at_once, stop))
        for first, stop in pairwise((0, rows.start, rows.stop, count))
        for start in range(first, stop, at_once)
    ]


def _around(own: slice, size: int) -> slice:
    """Return the pixels whose coarser features the finest scale needs for its own."""
    return slice(max(0, own.start - REACH), min(size, own.stop + REACH))


def _scaled(plane: Sequence[slice], factor: int) -> tuple:
    return (..., *(slice(part.start // factor, part.stop // factor) for part in plane))


def _within(own: slice, around: slice) -> slice:
    return slice(own.start - around.start, own.stop - around.start)
