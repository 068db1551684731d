"""What the network begins its answer with: the mask before the round, and what regions say of it.

Regions that grow from strokes answer well where intensities tell the object, whatever it is. The
network learns how the truth differs from that, so that it is as good from the first step on.
"""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.any_structure.channels import CHANNELS
from DeepIGeoSLib.any_structure.tries import Network

_MASK, _REGIONS = CHANNELS.index("mask"), CHANNELS.index("regions from the newest strokes")

# How sure the prior is at most, so that the network can say otherwise.
_SUREST = 0.95


def prior_of(channels: np.ndarray) -> np.ndarray:
    """Return the probability that mask and regions give each voxel: float32 (k, j, i).

    Args:
        channels: float32 (channel, k, j, i), see ``input_channels``.
    """
    mask, regions = channels[_MASK], channels[_REGIONS]
    probability = np.minimum(np.maximum(mask, regions), 1 + np.minimum(regions, 0))
    return np.clip(probability, 1 - _SUREST, _SUREST)


def beginning_with_prior(network: Network) -> Network:
    """Return a network whose answer is that of another one, beginning with the prior.

    Log odds of both are added.

    Args:
        network: from channels (channel, k, j, i) to the probability (k, j, i).
    """

    def answer(channels: np.ndarray) -> np.ndarray:
        prior, own = prior_of(channels), network(channels)
        yes = prior * own
        return yes / (yes + (1 - prior) * (1 - own))

    return answer
