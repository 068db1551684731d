"""How far the layers of a network see, computed along one axis from their kernels and strides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# The first and the last voxel that something depends on.
Span = tuple[int, int]


@dataclass(frozen=True)
class Scale:
    """What one scale of an encoder and decoder does along one axis.

    Attributes:
        stride: how many voxels of the finer scale become one; 1 for the finest scale.
        before: voxels on each side that the layer with the stride sees around the first of them;
            0 for pooling, 1 for a convolution of three.
        kernel: voxels that this layer takes together.
        encoder: voxels on each side that the other layers of the encoder see.
        decoder: voxels on each side that the layers of the decoder see; 0 for the coarsest scale.
    """

    stride: int
    before: int
    kernel: int
    encoder: int
    decoder: int = 0


def reach_of(scales: Sequence[Scale]) -> int:
    """Return how many voxels away the answer depends on the input, the most of all places.

    Args:
        scales: the finest first; each decoder scale takes the coarser one's answer without mixing
            neighbors (an up-convolution of kernel = stride, or the nearest voxel).
    """
    period = 1
    for scale in scales:
        period *= scale.stride
    spans = [(place, _seen(scales, 0, (place, place))) for place in range(period)]
    return max(max(place - low, high - place) for place, (low, high) in spans)


def _seen(scales: Sequence[Scale], level: int, asked: Span) -> Span:
    """Return what the answer of a scale depends on of what the scale is given."""
    scale = scales[level]
    low, high = asked[0] - scale.decoder, asked[1] + scale.decoder
    if level + 1 < len(scales):
        stride = scales[level + 1].stride
        below = _seen(scales, level + 1, (low // stride, high // stride))
        low, high = min(low, below[0]), max(high, below[1])
    low, high = low - scale.encoder, high + scale.encoder
    return low * scale.stride - scale.before, high * scale.stride - scale.before + scale.kernel - 1
