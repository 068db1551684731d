"""Networks of other kinds keep the contract of ``SegmentationNetwork`` without a special case."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.networks import ARCHITECTURES, build_network
from DeepIGeoSLib.networks.network import Part, SegmentationNetwork


class Valid2d(SegmentationNetwork):
    """Two convolutions without padding around a halving, as the first U-Net had them.

    The input is mirrored at its border by what the convolutions take away.
    """

    dimension = 2
    multiple_of = (2, 2)
    reach = (5, 5)
    bytes_per_voxel = 100
    late_layers = ("second",)
    border = 4

    def __init__(self, in_channels: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.first = nn.Conv2d(in_channels, 4, 3)
        self.second = nn.Conv2d(4, classes, 3)
        self.shown: list[tuple[int, ...]] = []

    def shrunk(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits that lack ``border`` pixels at each side of the input."""
        self.shown.append(tuple(x.shape[2:]))
        middle = functional.max_pool2d(functional.relu(self.first(x)), 2)
        logits = functional.interpolate(self.second(middle), scale_factor=2.0)
        return logits[..., 1:-1, 1:-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.shrunk(functional.pad(x, [self.border] * 4, mode="reflect"))

    def probabilities_of_part(self, x: torch.Tensor, part: Part) -> torch.Tensor:
        slices, *plane = part
        ends = []
        for own, size in zip(plane, x.shape[2:], strict=True):
            start, stop = own.start - self.border, own.stop + self.border
            ends.append((max(0, start), min(size, stop), max(0, -start), max(0, stop - size)))
        (top, bottom, above, below), (left, right, before, after) = ends
        seen = x[slices, :, top:bottom, left:right]
        seen = functional.pad(seen, [before, after, above, below], mode="reflect")
        return self.shrunk(seen).softmax(dim=1)[:, 1:].movedim(1, 0)


def valid_network(classes: int = 3) -> Valid2d:
    torch.manual_seed(0)
    return Valid2d(2, classes).eval()


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)


def test_tiles_of_valid_convolutions_are_seamless_and_show_no_more_than_they_need() -> None:
    network = valid_network()
    channels = image(3, 40, 56)
    whole = TorchEngine(network, "cpu").probabilities(channels)
    assert whole.shape == (2, 3, 40, 56)
    np.testing.assert_allclose(
        whole,
        network(torch.from_dlpack(channels.swapaxes(0, 1).copy()))
        .softmax(1)[:, 1:]
        .transpose(0, 1)
        .detach(),
        atol=1e-6,
    )
    network.shown.clear()
    tiled = TorchEngine(network, "cpu", memory_budget=900 * 100).probabilities(channels)
    np.testing.assert_allclose(tiled, whole, atol=1e-6)
    assert len(network.shown) > 3
    # Inner tiles see their surroundings, and nothing is mirrored that the image has.
    assert max(h * w for h, w in network.shown) < 40 * 56


def test_a_network_of_valid_convolutions_learns_on_whole_crops() -> None:
    network = valid_network().train()
    logits = network.logits_of_volumes(torch.randn(2, 2, 3, 16, 16))
    assert logits.shape == (2, 3, 3, 16, 16)
    logits.square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dimension", [2, 3])
def test_several_classes_are_answered_at_once(architecture: str, dimension: int) -> None:
    torch.manual_seed(0)
    network = build_network(
        architecture, "pnet", dimension=dimension, image_channels=2, classes=4
    ).eval()
    channels = image(5, 19, 33)
    engine = TorchEngine(network, "cpu")
    found = engine.probabilities(channels)
    assert found.shape == (3, 5, 19, 33)
    np.testing.assert_array_equal(engine.foreground_probability(channels), found[0])
    background = 1 - found.sum(axis=0)
    assert background.min() > -1e-6
    assert found.std(axis=0).max() > 0  # they are not all the same class


def test_hooks_do_nothing_unless_a_network_says_otherwise() -> None:
    network = valid_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    network.before_training()
    network.after_training("pnet", lambda count: pytest.fail("it needs no volumes"))
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())
    assert network.early_layers() == [network.first]


@pytest.mark.parametrize(
    ("role", "dimension", "classes"), [("rnet", 3, 2), ("pnet", 2, 2), ("pnet", 3, 3)]
)
def test_only_a_3d_p_net_of_two_classes_asks_for_volumes(
    role: str, dimension: int, classes: int
) -> None:
    network = build_network("multi-scale", role, dimension=dimension, classes=classes)
    network.after_training(role, lambda count: pytest.fail("it needs no volumes"))
    assert network.overview is None
