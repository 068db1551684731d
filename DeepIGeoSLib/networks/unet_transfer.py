"""U-Net around an encoder that may have been trained elsewhere ("U-Net transfer").

The encoder's features before each of its halvings are the skips; the decoder is new. Where the
encoder begins at half the resolution, the image itself is the finest skip.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.encoded import EncodedNetwork
from DeepIGeoSLib.networks.encoder import Encoder, by_slices
from DeepIGeoSLib.networks.unet import two_convolutions

# So many of the finest scales see each slice alone: clinical slices are thick.
_FLAT_SCALES = 2


class TransferUNet(EncodedNetwork):
    """Input (B, C, [D,] H, W), output logits (B, classes, [D,] H, W).

    H and W must be multiples of the encoder's coarsest stride.
    """

    late_layers = ("narrow", "decoder", "classifier")

    def __init__(
        self,
        in_channels: int,
        classes: int,
        dimension: int,
        *,
        encoder: Encoder,
        decoder: Sequence[int],
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.classes = classes
        self.dropout = dropout
        self.encoder = encoder
        strides, widths = [*encoder.strides], [*encoder.widths]
        self._shows_image = strides[0] > 1
        if self._shows_image:
            strides, widths = [1, *strides], [in_channels, *widths]
        # Scales of the same stride (where convolutions were dilated) join without being enlarged.
        self._factors = [b // a for a, b in pairwise(strides)]
        self.narrow = nn.ModuleList()
        self.decoder = nn.ModuleList()
        kind = nn.Conv2d if dimension == 2 else Conv3d
        below, deep = widths[-1], 0
        for scale in reversed(range(len(self._factors))):
            width = decoder[scale]
            flat = scale < _FLAT_SCALES
            deep += 0 if flat else 2
            kernel = (1 if flat else 3, 3, 3)[-dimension:]
            self.narrow.insert(0, kind(below, width, 1))
            self.decoder.insert(0, two_convolutions(width + widths[scale], width, kernel))
            below = width
        self.classifier = kind(below, classes, 1)
        # Each scale's two convolutions, and the pixels of the coarser one that are shared.
        in_plane = encoder.reach + sum(3 * stride for stride in strides[:-1]) + strides[-1]
        self.reach = (deep, in_plane, in_plane)[-dimension:]
        self.multiple_of = (1, strides[-1], strides[-1])[-dimension:]
        self.bytes_per_voxel = 24 * (decoder[0] + widths[0]) + 8 * sum(
            width // stride**2 for width, stride in zip(widths, strides, strict=True)
        )
        # Room for the wide layers inside of a bottleneck.
        self.bytes_per_voxel += 500

    @property
    def reads_input(self) -> dict[str, int]:
        """See ``SegmentationNetwork``; the image may be the finest skip, too."""
        if not self._shows_image:
            return super().reads_input
        enlarged = self.narrow[0].get_parameter("weight").shape[0]
        return {**super().reads_input, "decoder.0.0.weight": enlarged}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.encoded(x)
        if self._shows_image:
            features.insert(0, x)
        below = functional.dropout(features.pop(), self.dropout, self.training)
        for scale in reversed(range(_FLAT_SCALES, len(self._factors))):
            below = self._joined(scale, below, features.pop())
        if x.ndim == 4:
            return self._finest(below, *features)[0]
        (logits,) = by_slices(self._finest, [below, *features], training=self.training)
        return logits

    def _finest(self, below: torch.Tensor, *skips: torch.Tensor) -> list[torch.Tensor]:
        """Return the logits, from the scales that see each slice alone."""
        for scale, skip in reversed(list(enumerate(skips))):
            below = self._joined(scale, below, skip)
        return [self.classifier(below)]

    def _joined(self, scale: int, below: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return a scale's features, from the coarser ones and what the encoder saw."""
        enlarged = self.enlarged(self.narrow[scale](below), self._factors[scale], "nearest")
        return self.decoder[scale](torch.cat([enlarged, skip], dim=1))
