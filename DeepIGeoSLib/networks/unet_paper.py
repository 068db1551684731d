"""U-Net as it was published: convolutions without padding, so that every answer has real context.

2D: Ronneberger et al., MICCAI 2015, Fig. 1. 3D: Cicek et al., MICCAI 2016, Fig. 2 (batch
normalization before each ReLU, the first convolution of a level half as wide, as many channels
after an up-convolution as before).

An answer of 388 x 388 pixels needs 572 x 572 of input. As in the paper, what lies beyond the image
is mirrored, and tiles see what really lies around them: ``SegmentationNetwork`` asks for answers of
the input's own size.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.mirroring import mirrored
from DeepIGeoSLib.networks.network import Part, SegmentationNetwork
from DeepIGeoSLib.networks.receptive_field import Scale, reach_of


class PaperUNet(SegmentationNetwork):
    """What the published networks of both dimensions have in common.

    Attributes:
        border: voxels at each side of an input that its answer lacks, see ``shrunk``.
    """

    classifier: nn.Module
    late_layers = ("widen", "decoder", "classifier")

    def __init__(self, dimension: int, classes: int, levels: int, *, dropout: float) -> None:
        super().__init__()
        self.dimension = dimension
        self.classes = classes
        self.dropout = dropout
        self.multiple_of = (2 ** (levels - 1),) * dimension
        scales = [Scale(1, 0, 1, 2, 2), *[Scale(2, 0, 2, 2, 2)] * (levels - 2), Scale(2, 0, 2, 2)]
        self.reach = (reach_of(scales),) * dimension
        self.border = self._border(levels)
        self.encoder = nn.ModuleList()
        self.widen = nn.ModuleList()
        self.decoder = nn.ModuleList()

    def shrunk(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits without the border: 572 to 388 pixels in 2D, 132 to 44 voxels in 3D.

        Args:
            x: (B, C, [D,] H, W); every pooling must see even sizes.
        """
        pool = functional.max_pool2d if self.dimension == 2 else functional.max_pool3d
        skips = []
        for level, block in enumerate(self.encoder):
            x = block(x if level == 0 else pool(x, 2))
            skips.append(x)
        x = functional.dropout(skips.pop(), self.dropout, self.training)
        for level in reversed(range(len(self.decoder))):
            x = self.widen[level](x)
            x = self.decoder[level](torch.cat([_middle(skips.pop(), x.shape[2:]), x], dim=1))
        return self.classifier(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sizes = x.shape[2:]
        seen = mirrored(x, [(self.border, self.border)] * self.dimension)
        return _middle(self.shrunk(seen), sizes)

    def probabilities_of_part(self, x: torch.Tensor, part: Part) -> torch.Tensor:
        own_voxels = part[-self.dimension :]
        seen, beyond = x[part[0]] if self.dimension == 2 else x, []
        for axis, own in enumerate(own_voxels, start=2):
            size = x.shape[axis]
            start, stop = own.start - self.border, own.stop + self.border
            seen = seen.narrow(axis, max(0, start), min(size, stop) - max(0, start))
            beyond.append((max(0, -start), max(0, stop - size)))
        sizes = [own.stop - own.start for own in own_voxels]
        logits = _middle(self.shrunk(mirrored(seen, beyond)), sizes)
        targets = logits.float().softmax(dim=1)[:, 1:]
        return targets.movedim(1, 0) if self.dimension == 2 else targets[0]

    @staticmethod
    def _border(levels: int) -> int:
        """Return by how much an input must be larger, at each side, than a multiple of the strides.

        The answer must not be smaller than that multiple, and every pooling must see even sizes.
        """
        wanted = 2 ** (levels - 1)
        size = wanted
        while True:
            size += 2
            answer = _answer_size(size, levels)
            if answer is not None and answer >= wanted:
                return (size - wanted) // 2


class PaperUNet2d(PaperUNet):
    """The network of 2015: 23 layers of convolutions, 31 million weights."""

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        *,
        features: Sequence[int] = (64, 128, 256, 512, 1024),
        dropout: float = 0.5,
    ) -> None:
        super().__init__(2, classes, len(features), dropout=dropout)
        self.bytes_per_voxel = 30 * features[0] + 100
        widths = [in_channels, *features]
        for level, width in enumerate(features):
            self.encoder.append(_plain(widths[level], width))
            if level + 1 < len(features):
                self.widen.append(nn.ConvTranspose2d(features[level + 1], width, 2, 2))
                self.decoder.append(_plain(2 * width, width))
        self.classifier = nn.Conv2d(features[0], classes, 1)
        self.apply(_initialize)


class PaperUNet3d(PaperUNet):
    """The network of 2016: 19 million weights."""

    def __init__(
        self,
        in_channels: int,
        classes: int = 2,
        *,
        features: Sequence[int] = (64, 128, 256, 512),
        dropout: float = 0.0,
    ) -> None:
        super().__init__(3, classes, len(features), dropout=dropout)
        self.bytes_per_voxel = 30 * features[0] + 100
        widths = [in_channels, *features]
        for level, width in enumerate(features):
            self.encoder.append(_normalized(widths[level], max(1, width // 2), width))
            if level + 1 < len(features):
                coarse = features[level + 1]
                self.widen.append(nn.ConvTranspose3d(coarse, coarse, 2, 2, bias=False))
                self.decoder.append(_normalized(width + coarse, width, width))
        self.classifier = Conv3d(features[0], classes, 1)
        self.apply(_initialize)


def _plain(in_channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, width, 3),
        nn.ReLU(inplace=True),
        nn.Conv2d(width, width, 3),
        nn.ReLU(inplace=True),
    )


def _normalized(in_channels: int, middle: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        Conv3d(in_channels, middle, 3),
        nn.BatchNorm3d(middle),
        nn.ReLU(inplace=True),
        Conv3d(middle, width, 3),
        nn.BatchNorm3d(width),
        nn.ReLU(inplace=True),
    )


def _middle(x: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Return the middle of an image, of these sizes ([D,] H, W)."""
    for axis, size in enumerate(sizes, start=2):
        x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
    return x


def _answer_size(size: int, levels: int) -> int | None:
    """Return how large the answer to an input is; None where a pooling sees an odd size."""
    for _ in range(levels - 1):
        size -= 4
        if size <= 0 or size % 2:
            return None
        size //= 2
    size -= 4
    for _ in range(levels - 1):
        size = 2 * size - 4
    return size if size > 0 else None


def _initialize(module: nn.Module) -> None:
    """Draw weights of deviation sqrt(2 / fan-in), as published."""
    if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
