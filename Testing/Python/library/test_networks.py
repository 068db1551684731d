"""The networks are the paper's, to the parameter; and they see what they should see."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from DeepIGeoSLib import InputError
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.networks import ARCHITECTURES, build_network, multiscale_in_slices
from DeepIGeoSLib.networks.convolution import Conv3d
from DeepIGeoSLib.networks.dilated import DilatedNet2d, DilatedNet3d

PAPER_PARAMETERS = {
    ("pnet", 2): 485_122,
    ("rnet", 2): 486_850,
    ("pnet", 3): 48_262,
    ("rnet", 3): 49_558,
}
ALL = [
    (role, dimension, architecture)
    for role in ("pnet", "rnet")
    for dimension in (2, 3)
    for architecture in ARCHITECTURES
]


@pytest.mark.parametrize(("role", "dimension", "architecture"), ALL)
def test_a_part_gets_the_answer_of_the_whole(role: str, dimension: int, architecture: str) -> None:
    network = build_network(architecture, role, dimension=dimension).eval()
    channels = 1 if role == "pnet" else 4
    random = torch.Generator().manual_seed(0)
    size = (1, channels, 16, 64, 64) if dimension == 3 else (16, channels, 64, 64)
    x = torch.randn(size, generator=random)
    with torch.inference_mode():
        whole = network(x).softmax(dim=1)[:, 1]
        whole = whole[0] if dimension == 3 else whole
        for k, j, i in [
            (slice(0, 16), slice(0, 64), slice(0, 64)),
            (slice(4, 8), slice(16, 32), slice(16, 48)),
            (slice(8, 12), slice(0, 48), slice(48, 64)),
        ]:
            (answer,) = network.probabilities_of_part(x, (k, j, i))
            torch.testing.assert_close(answer, whole[k, j, i], atol=1e-5, rtol=1e-5)


def test_large_scales_are_computed_some_slices_at_a_time(monkeypatch) -> None:
    monkeypatch.setattr(multiscale_in_slices, "_FINEST_AT_ONCE", 5 * 32 * 48)
    monkeypatch.setattr(multiscale_in_slices, "_COARSE_AT_ONCE", 2 * 3 * 8 * 12)
    network = build_network("multi-scale", "pnet").eval()
    x = torch.randn(1, 1, 16, 32, 48, generator=torch.Generator().manual_seed(0))
    finest, second, third = [], [], []
    network.classifier.register_forward_hook(lambda *run: finest.append(len(run[1][0])))
    network.decoder[1].register_forward_hook(lambda *run: second.append(run[1][0].shape[2]))
    network.decoder[2].register_forward_hook(lambda *run: third.append(run[1][0].shape[2]))
    with torch.inference_mode():
        part = (slice(4, 12), slice(0, 32), slice(0, 48))
        (answer,) = network.probabilities_of_part(x, part)
        assert finest == [5, 3]
        assert second == [4, 5, 5, 5, 5, 2]  # groups of 3, and the slices beside them
        assert third == [7, 3]  # of 6
        wanted = network(x).softmax(dim=1)[0, 1, 4:12]
        torch.testing.assert_close(answer, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kernel", [(1, 3, 3), (3, 3, 3)])
def test_a_small_convolution_is_the_same_by_onednn(kernel: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    layer = Conv3d(6, 5, kernel, padding=tuple(size // 2 for size in kernel))
    x = torch.randn(1, 6, 4, 7, 9)
    with torch.inference_mode(), torch.profiler.profile() as profile:
        answer = layer(x)
    assert "aten::mkldnn_convolution" in {event.name for event in profile.events()}
    torch.testing.assert_close(answer, layer(x), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("role", "dimension"), PAPER_PARAMETERS)
def test_parameter_counts_of_the_paper(role: str, dimension: int) -> None:
    network = build_network("dilated", role, dimension=dimension)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == PAPER_PARAMETERS[role, dimension]


def test_recommended_networks_stay_below_a_million_parameters() -> None:
    for role in ("pnet", "rnet"):
        network = build_network("multi-scale", role)
        assert sum(parameter.numel() for parameter in network.parameters()) < 1_000_000


@pytest.mark.parametrize(("role", "dimension", "architecture"), ALL)
def test_logits_have_the_size_of_the_input(role: str, dimension: int, architecture: str) -> None:
    network = build_network(architecture, role, dimension=dimension, image_channels=2, classes=3)
    size = (8, 32, 64)[-dimension:]
    channels = 2 if role == "pnet" else 5
    assert network(torch.zeros(2, channels, *size)).shape == (2, 3, *size)


def receptive_field(network: torch.nn.Module, size: tuple[int, ...]) -> tuple[int, ...]:
    """Return the size of the box of inputs that the middle output depends on."""
    for parameter in network.parameters():
        # Positive weights: no contribution can cancel, and no rectifier can hide one.
        torch.nn.init.constant_(parameter, 0.01)
    x = torch.ones(1, 1, *size, dtype=torch.float64, requires_grad=True)
    middle = tuple(n // 2 for n in size)
    network.double().eval()(x)[(0, 1, *middle)].backward()
    seen = torch.nonzero(x.grad[0, 0])
    return tuple((seen.max(dim=0).values - seen.min(dim=0).values + 1).tolist())


def test_receptive_fields_of_the_paper() -> None:
    assert receptive_field(DilatedNet2d(1, features=2), (191, 191)) == (181, 181)
    assert receptive_field(DilatedNet3d(1, features=4), (37, 91, 91)) == (33, 87, 87)


def concatenated(network: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The paper's figure, drawn literally: concatenate, then convolve."""
    outputs, features = [], x
    for index, block in enumerate(network.blocks):
        features = block(features)
        three = isinstance(network, DilatedNet3d)
        outputs.append(
            functional.relu(network.compressions[index](features)) if three else features
        )
    return network.classifier(functional.relu(network.hidden(torch.cat(outputs, dim=1))))


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_sum_of_shares_is_the_concatenation(dimension: int) -> None:
    torch.manual_seed(0)
    network = build_network("dilated", "rnet", dimension=dimension).double().eval()
    x = torch.randn(1, 4, *(6, 20, 24)[-dimension:], dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(network(x), concatenated(network, x), rtol=1e-10, atol=1e-10)


def test_dropout_acts_in_training_only() -> None:
    torch.manual_seed(0)
    network = build_network("dilated", "pnet", dimension=2, options={"features": 8})
    x = torch.randn(1, 1, 16, 16)
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


def test_recommended_answers_do_not_depend_on_how_much_is_shown() -> None:
    """Batch normalization is local when used; a voxel deep inside a crop gets the same answer."""
    torch.manual_seed(0)
    network = build_network("multi-scale", "pnet")
    for _ in range(3):  # let the running statistics leave their start
        network(torch.randn(2, 1, 16, 32, 32))
    network.eval()
    x = torch.randn(1, 1, 64, 288, 288)
    with torch.inference_mode():
        whole = network(x)[..., 32, 144, 144]
        crop = network(x[..., 4:60, 16:272, 16:272])[..., 28, 128, 128]
    torch.testing.assert_close(whole, crop, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("role", "dimension", "architecture"),
    [one for one in ALL if one[2] != "mask-rcnn"],  # its heads learn from objects, not from logits
)
def test_every_weight_learns(role: str, dimension: int, architecture: str) -> None:
    torch.manual_seed(0)
    network = build_network(architecture, role, dimension=dimension)
    channels = 1 if role == "pnet" else 4
    network(torch.randn(2, channels, *(16, 64, 64)[-dimension:])).square().mean().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        assert parameter.grad.abs().sum() > 0, key


def test_unknown_choices_are_named() -> None:
    for architecture, role in (("dilated", "qnet"), ("best", "pnet")):
        with pytest.raises(InputError, match="choose one of"):
            build_network(architecture, role)
    with pytest.raises(InputError, match="2 or 3"):
        build_network("dilated", "pnet", dimension=4)
    with pytest.raises(InputError, match="options of multi-scale: features must have 4 entries"):
        build_network("multi-scale", "pnet", options={"features": [8]})
    with pytest.raises(InputError, match="options of dilated has an unknown key 'feature'; did"):
        build_network("dilated", "pnet", options={"feature": 8})


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("dimension", [2, 3])
def test_the_engine_takes_any_size(architecture: str, dimension: int) -> None:
    torch.manual_seed(0)
    engine = TorchEngine(build_network(architecture, "rnet", dimension=dimension), "cpu")
    channels = np.random.default_rng(0).normal(size=(4, 5, 19, 33)).astype(np.float32)
    probability = engine.foreground_probability(channels)
    assert probability.shape == (5, 19, 33)
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1


def test_the_engine_shows_slices_to_2d_networks_one_by_one() -> None:
    torch.manual_seed(0)
    engine = TorchEngine(
        build_network("dilated", "pnet", dimension=2, options={"features": 8}), "cpu"
    )
    channels = np.random.default_rng(0).normal(size=(1, 11, 20, 20)).astype(np.float32)
    whole = engine.foreground_probability(channels)
    single = engine.foreground_probability(channels[:, 7:8])
    np.testing.assert_allclose(whole[7:8], single, atol=1e-5)
