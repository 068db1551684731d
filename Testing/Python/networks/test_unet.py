"""U-Net, as it is built today and as it was published."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.mirroring import mirrored
from DeepIGeoSLib.networks.unet import UNet
from DeepIGeoSLib.networks.unet_paper import PaperUNet2d, PaperUNet3d


def count(network: torch.nn.Module, *, norms: bool = True) -> int:
    kinds = (torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)
    left_out = sum(
        p.numel() for m in network.modules() if isinstance(m, kinds) for p in m.parameters()
    )
    return sum(p.numel() for p in network.parameters()) - (0 if norms else left_out)


def test_the_network_of_2015_has_its_sizes_and_its_31_million_weights() -> None:
    network = PaperUNet2d(1, 2)
    widths = (64, 128, 256, 512, 1024)
    by_hand = 9 * 1 * 64 + 64 + 9 * 64 * 64 + 64
    for fine, coarse in pairwise(widths):
        by_hand += 9 * fine * coarse + coarse + 9 * coarse * coarse + coarse  # encoder
        by_hand += 4 * coarse * fine + fine  # up-convolution, which halves the channels
        by_hand += 9 * (2 * fine) * fine + fine + 9 * fine * fine + fine  # decoder
    by_hand += 64 * 2 + 2
    assert by_hand == 31_030_658  # 1 channel in, 2 classes out
    assert count(network) == by_hand
    layers = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    assert sum(isinstance(module, layers) for module in network.modules()) == 23
    small = PaperUNet2d(1, 2, features=(2, 2, 2, 2, 2)).eval()
    with torch.inference_mode():
        assert small.shrunk(torch.zeros(1, 1, 572, 572)).shape == (1, 2, 388, 388)


def test_the_network_of_2016_has_its_sizes_and_its_19_million_weights() -> None:
    # "In total 19069955 parameters" of 3 channels and 3 classes; its batch normalizations apart.
    assert count(PaperUNet3d(3, 3), norms=False) == 19_069_955
    small = PaperUNet3d(3, 3, features=(2, 2, 2, 2)).eval()
    with torch.inference_mode():
        assert small.shrunk(torch.zeros(1, 3, 132, 132, 116)).shape == (1, 3, 44, 44, 28)


@pytest.mark.parametrize("dimension", [2, 3])
def test_the_recommended_network_is_monais_dynunet(dimension: int) -> None:
    nets = pytest.importorskip("monai.networks.nets")
    features, classes = (4, 6, 8, 10), 3
    torch.manual_seed(0)
    own = UNet(2, classes, dimension, features=features, flat_levels=0).eval()
    strides = [(size,) * dimension for size in (1, 2, 2, 2)]
    peer = nets.DynUNet(
        dimension, 2, classes, [3] * 4, strides, strides[1:], filters=features, norm_name="batch"
    ).eval()
    assert count(peer) == count(own)
    _copy(own, peer)
    x = torch.randn(1, 2, *(16, 16, 24)[-dimension:])
    with torch.inference_mode():
        torch.testing.assert_close(own(x), peer(x))


def _copy(own: UNet, peer: torch.nn.Module) -> None:
    """Give MONAI's network the weights of ours: the same layers, in another order."""
    blocks = [peer.input_block, *peer.downsamples, peer.bottleneck]
    pairs = list(zip(own.encoder, blocks, strict=True))
    for level, up in enumerate(reversed(peer.upsamples)):
        up.transp_conv.conv.load_state_dict(own.widen[level].state_dict())
        pairs.append((own.decoder[level], up.conv_block))
    for mine, theirs in pairs:
        theirs.conv1.conv.load_state_dict(mine[0].state_dict())
        theirs.norm1.load_state_dict(mine[1].state_dict())
        theirs.conv2.conv.load_state_dict(mine[3].state_dict())
        theirs.norm2.load_state_dict(mine[4].state_dict())
    peer.output_block.conv.conv.load_state_dict(own.classifier.state_dict())


@pytest.mark.parametrize(
    ("options", "dimension", "shape"),
    [
        ({"features": [3, 3, 3, 3, 3]}, 2, (416, 16)),
        ({"features": [2, 2, 2], "flat_levels": 1}, 3, (64, 8, 8)),
        ({"features": [2, 2, 2], "flat_levels": 1}, 3, (4, 8, 96)),
        ({"features": [3, 3, 3, 3, 3], "variant": "paper"}, 2, (400, 16)),
        ({"features": [2, 2, 2], "variant": "paper"}, 3, (4, 4, 104)),
    ],
)
def test_no_answer_depends_on_more_than_the_reach_and_some_do_on_all_of_it(
    options: dict, dimension: int, shape: tuple[int, ...]
) -> None:
    network = build_network("unet", "pnet", dimension=dimension, options=options).eval()
    axis = int(np.argmax(shape))
    for module in network.modules():  # all weights positive: nothing cancels, no unit is off
        for parameter in module.parameters(recurse=False):
            torch.nn.init.constant_(parameter, 0.1 if parameter.ndim > 1 else 1.0)
    x = torch.full((1, 1, *shape), 1.0, requires_grad=True)
    logits = network(x)
    farthest = 0
    middle = shape[axis] // 2
    for phase in range(network.multiple_of[axis]):
        place = [size // 2 for size in shape]
        place[axis] = middle + phase
        (gradient,) = torch.autograd.grad(logits[(0, 1, *place)], x, retain_graph=True)
        others = tuple(a for a in range(dimension) if a != axis)
        seen = torch.nonzero(gradient[0, 0].abs().sum(others))[:, 0]
        if options.get("variant") == "paper":  # what is seen in the mirror is nearer
            assert seen.min() > 0
            assert seen.max() < shape[axis] - 1
        farthest = max(farthest, place[axis] - int(seen.min()), int(seen.max()) - place[axis])
    assert farthest == network.reach[axis]


@pytest.mark.parametrize("variant", ["recommended", "paper"])
@pytest.mark.parametrize("dimension", [2, 3])
def test_tiles_are_seamless(variant: str, dimension: int) -> None:
    torch.manual_seed(0)
    features = [3, 4, 5] if dimension == 3 else [4, 4, 4, 4]
    options = {"variant": variant, "features": features}
    network = build_network("unet", "pnet", dimension=dimension, options=options).eval()
    for module in network.modules():
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    shape = (2, 150, 131) if dimension == 2 else (9, 70, 117)
    image = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    whole = TorchEngine(network, "cpu").probabilities(image)
    budget = network.bytes_per_voxel * (128 * 128 if dimension == 2 else 30 * 72 * 80)
    tiled = TorchEngine(network, "cpu", memory_budget=budget).probabilities(image)
    assert whole.std() > 0.01
    np.testing.assert_allclose(tiled, whole, atol=2e-5)


def test_a_part_of_the_published_network_sees_its_real_surroundings() -> None:
    torch.manual_seed(0)
    network = PaperUNet2d(1, 2, features=(3, 3, 3)).eval()
    x = torch.randn(1, 1, 96, 96)
    part = (slice(0, 1), slice(48, 64), slice(40, 56))
    with torch.inference_mode():
        direct = network.probabilities_of_part(x, part)
        whole = network(x).softmax(1)[:, 1:].transpose(0, 1)
        cut = network(x[:, :, 48:64, 40:56]).softmax(1)[:, 1:].transpose(0, 1)
    torch.testing.assert_close(direct, whole[(slice(None), *part)])
    assert (direct - cut).abs().max() > 1e-3


def test_mirroring_goes_back_and_forth() -> None:
    x = torch.arange(3.0).reshape(1, 1, 3, 1)
    found = mirrored(x, [(5, 4), (2, 0)])
    assert found.shape == (1, 1, 12, 3)
    assert found[0, 0, :, 0].tolist() == np.pad(np.arange(3.0), (5, 4), "reflect").tolist()
    assert mirrored(x, [(-1, 0), (0, 0)])[0, 0, :, 0].tolist() == [1, 2]


@pytest.mark.parametrize(
    "options",
    [
        {"features": [8]},
        {"features": [8, 0]},
        {"features": [8, 100_000]},
        {"dropout": 1.0},
        {"flat_levels": -1},
        {"variant": "published"},
        {"widths": [8, 8]},
    ],
)
def test_options_that_make_no_network_are_refused_by_name(options: dict) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        build_network("unet", "pnet", options=options)
