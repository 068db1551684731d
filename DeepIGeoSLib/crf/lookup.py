"""Tabulated pairwise functions as a torch module, where numba is missing or on a graphics card."""

from __future__ import annotations

import torch
from torch import nn

from DeepIGeoSLib.crf.pairwise_tables import Tables
from DeepIGeoSLib.tensors import to_tensor


class TabulatedPairwise(nn.Module):
    """Takes the place of the pairwise function in a CRF-Net, for one channel and one spacing."""

    values: torch.Tensor
    distances: torch.Tensor

    def __init__(self, tables: Tables) -> None:
        """Take the tables; differences beyond their reach count as the reach."""
        super().__init__()
        self.register_buffer("values", to_tensor(tables.values))
        self.register_buffer("distances", to_tensor(tables.distances))
        self.scale = tables.steps_per_unit
        self.steps = tables.values.shape[1] - 2

    def forward(self, differences: torch.Tensor, distance: torch.Tensor) -> torch.Tensor:
        """Return the potentials (B, ...) of differences (B, 1, ...) at one distance (B,)."""
        table = self.values[torch.argmin(torch.abs(self.distances - distance[0]))]
        position = (differences[:, 0] * self.scale + self.steps / 2).clamp_(0, self.steps)
        entry = position.to(torch.int32)
        low = table[entry]
        return low + (position - entry) * (table[entry + 1] - low)
