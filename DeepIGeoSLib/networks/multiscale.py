"""The network of four scales, the usual choice in every role.

The paper's networks keep the full resolution through all thirteen layers, which costs most of their
time on large, smooth structures. This one works at half the in-plane resolution and below, and ends
with two thin layers at full resolution, where the image itself sharpens the boundary. Its choices:

- The input is folded two by two in plane (space to depth) instead of being pooled: nothing is lost.
- Kernels and strides are flat at the fine levels and three-dimensional at the coarse ones, because
  clinical slices are several times thicker than their pixels.
- Residual blocks; batch normalization, because its answer for a voxel does not depend on how much
  of the volume is shown (instance normalization's does), and because it folds into convolutions.
"""

from __future__ import annotations

import torch

from DeepIGeoSLib.networks.multiscale_in_slices import probabilities_of_part
from DeepIGeoSLib.networks.multiscale_layers import FourScales
from DeepIGeoSLib.networks.network import Part, Volumes
from DeepIGeoSLib.networks.overview_fitting import fit_overview

# Of ``probabilities_of_part`` in 3D on a CPU, measured: in any case, and for each voxel.
_PART_BYTES = (100_000_000, 70)

# From how many training volumes an overview learns.
_OVERVIEW_VOLUMES = 24


class MultiScaleNet(FourScales):
    """The network of ``FourScales``, as engines and training use it.

    Its arguments and attributes are those of ``FourScales``.
    """

    @property
    def part_bytes(self) -> tuple[int, int]:
        """See ``SegmentationNetwork``."""
        return _PART_BYTES if self.dimension == 3 else super().part_bytes

    def probabilities_of_part(self, x: torch.Tensor, part: Part) -> torch.Tensor:
        if self.dimension == 3 and x.device.type == "cpu":
            return probabilities_of_part(self, x, part)
        return super().probabilities_of_part(x, part)

    def before_training(self) -> None:
        """Drop the overview: it would not know what the network is about to learn."""
        self.overview = None

    def after_training(self, role: str, volumes: Volumes) -> None:
        """Give a 3D P-Net that has none an overview, so that its proposals take less time."""
        proposes = role == "pnet" and self.dimension == 3 and self.classes == 2
        if proposes and self.overview is None:
            fit_overview(self, volumes(_OVERVIEW_VOLUMES))
