"""Networks that can be asked for a part of their answer."""

from __future__ import annotations

import torch
from torch import nn

Part = tuple[slice, slice, slice]


class PartNetwork(nn.Module):
    """A network of the engines.

    Attributes:
        dimension: 2 or 3.
        multiple_of: what the sizes of its input must be multiples of, for each axis ([D,] H, W).
        reach: how many voxels away ([D,] H, W) an answer depends on the input.
        bytes_per_voxel: of memory at work, measured on a CPU.
        late_layers: names of the parts nearest to the answer, which learn first in fine-tuning.
    """

    dimension: int
    multiple_of: tuple[int, ...]
    reach: tuple[int, ...]
    bytes_per_voxel: int
    late_layers: tuple[str, ...]

    @property
    def part_bytes(self) -> tuple[int, int]:
        """Bytes at work in ``foreground_of_part`` on a CPU: in any case, and for each voxel."""
        return 0, self.bytes_per_voxel

    def foreground_of_part(self, x: torch.Tensor, part: Part) -> torch.Tensor:
        """Return the probability of class 1 in a part of the input, (D, H, W).

        Args:
            x: (B, C, [D,] H, W); in 3D a single one, B = 1.
            part: slices (D, H, W) that begin and end at multiples of ``multiple_of``; in 2D, the
                first one is of B.
        """
        foreground = self(x).float().softmax(dim=1)[:, 1]
        return (foreground if self.dimension == 2 else foreground[0])[part]
