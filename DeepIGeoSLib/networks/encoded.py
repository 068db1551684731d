"""What networks with an encoder of their own, perhaps trained elsewhere, have in common."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.encoder import Encoder, seen_in_slices
from DeepIGeoSLib.networks.network import SegmentationNetwork


class EncodedNetwork(SegmentationNetwork):
    """A network whose encoder sees pictures; volumes are shown to it slice by slice.

    Attributes:
        encoder: see ``networks.encoder``.
    """

    encoder: Encoder

    @property
    def known_encoder(self) -> Encoder:
        return self.encoder

    def early_stages(self) -> list[list[nn.Module]]:
        return self.encoder.stages()

    def encoded(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return the encoder's features, see ``seen_in_slices``."""
        return seen_in_slices(self.encoder, x)

    def enlarged(self, x: torch.Tensor, factor: int, mode: str) -> torch.Tensor:
        """Return features enlarged in plane; "nearest" or "linear"."""
        if factor == 1:
            return x
        if mode == "linear":
            mode = "bilinear" if self.dimension == 2 else "trilinear"
        scale = (1.0, *(float(factor),) * 2)[-self.dimension :]
        corners = None if mode == "nearest" else False
        return functional.interpolate(x, scale_factor=scale, mode=mode, align_corners=corners)
