"""What answers on top of the pyramid: proposals, classes and boxes, masks, the whole picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.mask_rcnn.layers import convolution, normalized


class ProposalHead(nn.Module):
    """Tells for each anchor whether it holds an object, and how its box lies.

    Input: a level (B, C, [D,] H, W). Output: logits (B, places * A) and offsets
    (B, places * A, 2 D), in the order of ``anchors_of_level``.
    """

    def __init__(self, dimension: int, width: int, anchors: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.hidden = convolution(dimension, width, width)
        self.objects = convolution(dimension, width, anchors, kernel=1)
        self.offsets = convolution(dimension, width, anchors * 2 * dimension, kernel=1)
        for layer in (self.objects, self.offsets):
            nn.init.normal_(layer.weight, std=0.01)

    def forward(self, level: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = functional.relu(self.hidden(level))
        objects = self.objects(hidden).movedim(1, -1).flatten(1)
        offsets = self.offsets(hidden).movedim(1, -1).flatten(1)
        return objects, offsets.unflatten(1, (-1, 2 * self.dimension))


class BoxHead(nn.Module):
    """Tells the class of a box and how it lies.

    Input: features (N, C, *size). Output: logits (N, 1 + kinds), the background first, and offsets
    (N, kinds, 2 D).
    """

    def __init__(self, inputs: int, hidden: int, kinds: int, *, dimension: int) -> None:
        super().__init__()
        self.dimension = dimension
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()
        )
        self.kinds = nn.Linear(hidden, 1 + kinds)
        self.offsets = nn.Linear(hidden, kinds * 2 * dimension)
        nn.init.normal_(self.kinds.weight, std=0.01)
        nn.init.normal_(self.offsets.weight, std=0.001)
        for layer in (self.kinds, self.offsets):
            nn.init.zeros_(layer.bias)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = self.layers(features.flatten(1))
        return self.kinds(hidden), self.offsets(hidden).unflatten(1, (-1, 2 * self.dimension))


class MaskHead(nn.Module):
    """Draws the object in a box, once for each class, on a grid twice as fine as its input.

    Input: features (N, C, *size). Output: logits (N, kinds, *2 size); with softmax masks
    (N, 1 + kinds, ...), the background first.
    """

    def __init__(self, dimension: int, width: int, channels: int, *, layers: int = 3) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(
                nn.Sequential(convolution(dimension, width, width), nn.ReLU(inplace=True))
                for _ in range(layers)
            )
        )
        finer = nn.ConvTranspose3d if dimension == 3 else nn.ConvTranspose2d
        self.finer = finer(width, width, 2, stride=2)
        self.drawn = convolution(dimension, width, channels, kernel=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.drawn(functional.relu(self.finer(self.layers(features))))


class PictureHead(nn.Module):
    """Tells the class of each voxel, whatever object it belongs to; the answer of a P-Net.

    Input: the finest level, the backbone's first scale, and the sizes of the image.
    """

    def __init__(
        self, dimension: int, pyramid: int, first: int, *, width: int, classes: int
    ) -> None:
        super().__init__()
        self.mode = "trilinear" if dimension == 3 else "bilinear"
        self.coarse = normalized(dimension, pyramid, width)
        self.fine = convolution(dimension, first, width, kernel=1)
        self.joined = normalized(dimension, width, width)
        self.classes = convolution(dimension, width, classes, kernel=1)

    def forward(
        self, level: torch.Tensor, first: torch.Tensor, shape: Sequence[int]
    ) -> torch.Tensor:
        coarse = functional.interpolate(self.coarse(level), size=first.shape[2:])
        classes = self.classes(self.joined(coarse + self.fine(first)))
        return functional.interpolate(classes, size=tuple(shape), mode=self.mode)
