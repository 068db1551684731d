"""What batch normalizations know of the images: taken anew from whole ones, not from crops.

While a network learns, its normalizations average what they see of crops. Where crops show the
target far more often than images do, or less of what is around it, these averages do not fit whole
images, and a trained network answers them wrongly.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.tensors import to_tensor

# Slices that are seen together, so that a volume needs no more memory than a few of them.
_SLICES = 8


class WholeStatistics:
    """Statistics of whole training images, for two-dimensional networks."""

    def __init__(self, images: Sequence[np.ndarray]) -> None:
        """Take the training images: float32, axes (channel, k, j, i)."""
        self._images = images

    @contextmanager
    def in_place(self, network: SegmentationNetwork) -> Generator[None, None, None]:
        """Put them in the place of a network's own, and afterwards take them away.

        Each normalization gets the mean, over the images (or groups of slices), of the mean and of
        the variance of what comes to it, while the layers before it normalize each image by itself.
        Layers that are held still (see ``FrozenStage``) keep what they normalize by in training.
        """
        learning = [layer for layer in _normalizations(network) if layer.training]
        own = [_statistics(layer) for layer in learning]
        try:
            if learning:
                self._take(network, learning)
            yield
        finally:
            for layer, values in zip(learning, own, strict=True):
                layer.load_state_dict({**layer.state_dict(), **values})

    @torch.no_grad()
    def _take(self, network: SegmentationNetwork, learning: Sequence[_BatchNorm]) -> None:
        """Let a network's learning normalizations average over all images, and no others.

        ``torch.optim.swa_utils.update_bn`` would wake those that are held still.
        """
        momenta = [layer.momentum for layer in learning]
        for layer in learning:
            layer.reset_running_stats()
            layer.momentum = None  # each counts the same
        device = next(network.parameters()).device
        with torch.random.fork_rng():  # dropout must not take chance away from the training
            torch.manual_seed(0)
            for slices in self._slices(network):
                network(slices.to(device))
        for layer, momentum in zip(learning, momenta, strict=True):
            layer.momentum = momentum

    def _slices(self, network: SegmentationNetwork) -> Iterator[torch.Tensor]:
        """Yield the slices (B, C, H, W) of each image, mirrored up to what the network needs."""
        for image in self._images:
            padded = PaddedChannels(image, (1, *network.multiple_of)[-3:])
            count, height, width = padded.shape
            for first in range(0, count, _SLICES):
                part = slice(first, min(first + _SLICES, count))
                values = padded.read((part, slice(0, height), slice(0, width)))
                yield to_tensor(np.ascontiguousarray(values.swapaxes(0, 1)))


def _normalizations(network: nn.Module) -> list[_BatchNorm]:
    return [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]


def _statistics(layer: _BatchNorm) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in layer.named_buffers()}
