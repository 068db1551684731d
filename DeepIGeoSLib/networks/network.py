"""What engines and training ask of a network, whatever its architecture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.encoder import Encoder

# Slices (k, j, i).
Part = tuple[slice, slice, slice]

# Gives so many training volumes, evenly chosen: float32 (1, C, k, j, i), mirrored at the border to
# multiples of what the network needs.
Volumes = Callable[[int], Iterable[torch.Tensor]]


class SegmentationNetwork(nn.Module):
    """A network that tells for each voxel which class it belongs to; class 0 is the background.

    ``forward`` takes float32 (B, C, [D,] H, W) to logits (B, classes, [D,] H, W) of the same size.
    A network of convolutions without padding mirrors its input's border there, and answers
    ``probabilities_of_part`` from the voxels that really lie around the part.

    Attributes:
        dimension: 2 or 3.
        classes: how many there are, the background among them.
        multiple_of: what the sizes of its input must be multiples of, for each axis ([D,] H, W).
        takes_any_size: whether it answers other sizes, too, a little worse at the far border.
        reach: how many voxels away ([D,] H, W) an answer depends on the input. What a network
            pools over all of its input does not count: it is pooled for each tile.
        bytes_per_voxel: of memory at work, measured on a CPU.
        late_layers: names of the parts nearest to the answer, which learn first in fine-tuning.
    """

    dimension: int
    classes: int
    multiple_of: tuple[int, ...]
    takes_any_size: bool = False
    reach: tuple[int, ...]
    bytes_per_voxel: int
    late_layers: tuple[str, ...]

    @property
    def part_bytes(self) -> tuple[int, int]:
        """Bytes at work in ``probabilities_of_part`` on a CPU: in any case, and for each voxel."""
        return 0, self.bytes_per_voxel

    @property
    def known_encoder(self) -> Encoder | None:
        """The encoder of ``networks.encoder`` that is a part of it; None where there is none."""
        return None

    @property
    def reads_input(self) -> dict[str, int]:
        """Weights of the convolutions that the input itself goes into, and at which channel."""
        first = next((name for name, value in self.state_dict().items() if value.ndim >= 4), None)
        return {} if first is None else {first: 0}

    def probabilities_of_part(self, x: torch.Tensor, part: Part) -> torch.Tensor:
        """Return the probability of each class but the background in a part of the input.

        Args:
            x: (B, C, [D,] H, W); in 3D a single one, B = 1.
            part: slices (k, j, i) of the input that begin and end at multiples of ``multiple_of``;
                in 2D, the first one is of B.

        Returns:
            float32 (classes - 1, k, j, i).
        """
        targets = self(x).float().softmax(dim=1)[:, 1:]
        targets = targets.movedim(1, 0) if self.dimension == 2 else targets[0]
        return targets[(slice(None), *part)]

    def logits_of_volumes(self, volumes: torch.Tensor) -> torch.Tensor:
        """Return float32 logits (B, classes, k, j, i) of volumes (B, C, k, j, i), for training.

        Two-dimensional networks see the slices as a batch.
        """
        if self.dimension == 3:
            return self(volumes).float()
        slices = volumes.movedim(2, 1)
        logits = self(slices.flatten(0, 1)).float()
        return logits.unflatten(0, slices.shape[:2]).movedim(1, 2)

    def early_layers(self) -> list[nn.Module]:
        """Return the parts that find general features: all but ``late_layers``."""
        return [child for name, child in self.named_children() if name not in self.late_layers]

    def early_stages(self) -> list[list[nn.Module]]:
        """Return ``early_layers`` by stage, the one nearest to the input first."""
        return [[layer] for layer in self.early_layers()]

    def before_training(self) -> None:
        """Drop what follows from the weights, which are about to change; nothing by default."""

    def after_training(self, role: str, volumes: Volumes) -> None:
        """Learn what follows from the trained weights, which stay as they are; nothing by default.

        Args:
            role: of ``ROLES``, in which the network will be used.
            volumes: of the training, see ``Volumes``.
        """
