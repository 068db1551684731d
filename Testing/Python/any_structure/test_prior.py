"""What the network for any structure begins its answer with."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from DeepIGeoSLib.any_structure.channels import CHANNELS
from DeepIGeoSLib.any_structure.prior import beginning_with_prior, prior_of
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.training.any_structure.module import answers


def channels_of(mask: list[float], regions: list[float]) -> np.ndarray:
    channels = np.zeros((len(CHANNELS), 1, 1, len(mask)), dtype=np.float32)
    channels[CHANNELS.index("mask")] = mask
    channels[CHANNELS.index("regions from the newest strokes")] = regions
    return channels


def test_regions_of_foreground_strokes_add_and_those_of_background_strokes_remove() -> None:
    prior = prior_of(channels_of([0.2, 0.2, 0.8, 0.8, 0.8], [0.0, 0.7, 0.0, -0.6, 0.3]))
    np.testing.assert_allclose(prior.ravel(), [0.2, 0.7, 0.8, 0.4, 0.8], atol=1e-6)


def test_the_prior_is_never_certain() -> None:
    prior = prior_of(channels_of([0.0, 1.0, 1.0], [0.0, 0.0, -1.0]))
    np.testing.assert_allclose(prior.ravel(), [0.05, 0.95, 0.05], atol=1e-6)


@pytest.mark.parametrize(("own", "expected"), [(0.5, 0.7), (0.7, 0.49 / 0.58), (0.3, 0.5)])
def test_odds_are_multiplied(own: float, expected: float) -> None:
    network = beginning_with_prior(lambda x: np.full(x.shape[1:], own, dtype=np.float32))
    answer = network(channels_of([0.0], [0.7]))
    assert answer.item() == pytest.approx(expected, abs=1e-6)


def test_certain_networks_are_believed() -> None:
    network = beginning_with_prior(lambda x: np.array([[[0.0, 1.0]]], dtype=np.float32))
    answer = network(channels_of([1.0, 0.0], [0.0, -1.0]))
    np.testing.assert_array_equal(answer.ravel(), [0.0, 1.0])


def test_training_and_use_add_the_same() -> None:
    torch.manual_seed(0)
    network = build_network("multi-scale", "any-structure", image_channels=1).eval()
    shape = (1, len(CHANNELS), *network.multiple_of)
    channels = torch.rand(shape) * 2 - 1
    with torch.no_grad():
        trained = answers(network, channels).softmax(dim=1)[0, 1].numpy()
        own = network(channels).softmax(dim=1)[0, 1].numpy()
    used = beginning_with_prior(lambda _: own)(channels[0].numpy())
    np.testing.assert_allclose(used, trained, atol=1e-5)
