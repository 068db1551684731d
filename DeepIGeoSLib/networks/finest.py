"""The finest scale of a ``MultiScaleNet``, computed where its overview leaves doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from DeepIGeoSLib.networks.overview import CELL, doubtful, with_overview

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.multiscale import MultiScaleNet

# How many pixels around an answer the finest scale looks at, rounded up to a multiple of 4.
REACH = 8

# Pixels along the side of a block that is computed as soon as one of its cells is in doubt.
_BLOCK = 32

# From this share of the pixels on, blocks and their surroundings cost as much as everything.
_MOST = 0.7


def decoded(
    network: MultiScaleNet, slices: torch.Tensor, finest: torch.Tensor, coarse: torch.Tensor
) -> torch.Tensor:
    """Return the logits (N, classes, H, W) of slices, see ``MultiScaleNet.decode_finest``."""
    if network.overview is None:
        return network.decode_finest(slices, finest, coarse)
    overview = network.overview(coarse)
    blocks = _blocks(doubtful(overview))
    height, width = (min(_BLOCK + 2 * REACH, size) for size in slices.shape[2:])
    if len(blocks) * height * width >= _MOST * slices[:, 0].numel():
        return with_overview(network.decode_finest(slices, finest, coarse), overview)
    logits = slices.new_zeros(len(slices), 2, *slices.shape[2:])
    if blocks:
        corners = [
            (number, _start(top, height, slices.shape[2]), _start(left, width, slices.shape[3]))
            for number, top, left in blocks
        ]
        answers = network.decode_finest(
            *(
                torch.stack(
                    [
                        features[n, :, j // scale :, i // scale :][
                            :, : height // scale, : width // scale
                        ]
                        for n, j, i in corners
                    ]
                )
                for features, scale in ((slices, 1), (finest, 2), (coarse, 4))
            )
        )
        for answer, (number, top, left), (_, j, i) in zip(answers, blocks, corners, strict=True):
            block = answer[:, top - j : top - j + _BLOCK, left - i : left - i + _BLOCK]
            down, right = top + block.shape[1], left + block.shape[2]
            logits[number, :, top:down, left:right] = block
    return with_overview(logits, overview)


def _blocks(doubt: torch.Tensor) -> list[tuple[int, int, int]]:
    """Return slice, first row and first column (in pixels) of the blocks with cells in doubt."""
    cells = _BLOCK // CELL
    any_doubt = functional.max_pool2d(doubt[:, None].float(), cells, ceil_mode=True)[:, 0] > 0
    return [(n, j * _BLOCK, i * _BLOCK) for n, j, i in any_doubt.nonzero().tolist()]


def _start(block: int, length: int, size: int) -> int:
    """Return where a window around a block begins: inside the slice, whose border is a border."""
    return min(max(0, block - REACH), size - length)
