"""Proposals have two levels: the finest scale is computed where the coarser ones leave doubt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from DeepIGeoSLib import Volume, load_bundle
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.inputs.prepared_image import PreparedImage
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.multiscale import MultiScaleNet
from DeepIGeoSLib.networks.overview import doubtful

SIZE = (16, 160, 192)
NARROW = {"features": (4, 6, 6, 6)}
WHOLE = tuple(slice(0, size) for size in SIZE)


@pytest.fixture
def image() -> torch.Tensor:
    """A ball of noise in an empty volume."""
    axes = [torch.arange(size) - 0.4 * size for size in SIZE]
    squares = [axis.square() for axis in torch.meshgrid(*axes, indexing="ij")]
    noise = torch.randn(SIZE, generator=torch.Generator().manual_seed(0))
    return (noise * (16 * squares[0] + squares[1] + squares[2] < 400))[None, None]


@pytest.fixture
def network(image: torch.Tensor) -> MultiScaleNet:
    """A P-Net of random weights, without doubt about what looks like most of the volume."""
    torch.manual_seed(0)
    network = build_network("multi-scale", "pnet", options=NARROW).eval()
    overview = network.add_overview()
    with torch.inference_mode():
        overview.hidden.weight.copy_(torch.eye(6)[:, :, None, None])
        overview.hidden.bias.zero_()
        overview.classifier.weight.zero_()
        overview.classifier.weight[0, 0] = 1
        overview.classifier.bias.zero_()
        feature = overview_of(network, image)[:, 0]
        usual, highest = feature.median(), feature.max()
        scale = 20 / (highest - usual)
        overview.classifier.weight *= scale
        overview.classifier.bias.copy_(torch.stack([-7 - usual * scale, torch.tensor(0.0)]))
    return network


def overview_of(network: MultiScaleNet, image: torch.Tensor) -> torch.Tensor:
    finest = network.encode_finest(network.slices_of(image))
    coarse = network.scales_from(1, network.stacked(network.shrink[0](finest), 1))
    return network.overview(network.slices_of(coarse))


def test_the_finest_scale_is_computed_only_around_doubt(network, image) -> None:
    pixels = []
    network.classifier.register_forward_hook(lambda *run: pixels.append(run[1][0][:, 0].numel()))
    with torch.inference_mode():
        doubt = doubtful(overview_of(network, image))
        assert 0.001 < doubt.float().mean() < 0.2
        (answer,) = network.probabilities_of_part(image, WHOLE)
        assert 0 < sum(pixels) < 0.8 * image.numel()
        wanted = network(image).softmax(dim=1)[0, 1]
        torch.testing.assert_close(answer, wanted, atol=1e-5, rtol=1e-5)


def test_a_part_has_the_same_two_levels(network, image) -> None:
    with torch.inference_mode():
        whole = network(image).softmax(dim=1)[0, 1]
        for part in [
            (slice(4, 12), slice(0, 96), slice(48, 192)),
            (slice(0, 16), slice(64, 80), slice(80, 96)),
        ]:
            (answer,) = network.probabilities_of_part(image, part)
            torch.testing.assert_close(answer, whole[part], atol=1e-5, rtol=1e-5)


def test_where_there_is_doubt_the_answer_is_the_finest_scales(network, image) -> None:
    with torch.inference_mode():
        overview = overview_of(network, image)
        doubt = functional.interpolate(doubtful(overview)[:, None].float(), scale_factor=4.0)
        doubt = doubt[:, 0] > 0
        probability = network(image).softmax(dim=1)[0, 1]
        network.overview = None
        alone = network(image).softmax(dim=1)[0, 1]
    torch.testing.assert_close(probability[doubt], alone[doubt])
    foreground = functional.interpolate(overview[:, :1], scale_factor=4.0)[:, 0]
    torch.testing.assert_close(probability[~doubt], torch.sigmoid(foreground[~doubt]))


def test_no_doubt_at_all_needs_no_finest_scale(network, image) -> None:
    with torch.no_grad():
        network.overview.classifier.weight.zero_()
        network.overview.classifier.bias.copy_(torch.tensor([-9.0, 9.0]))
    network.classifier.register_forward_hook(lambda *run: pytest.fail("it ran"))
    with torch.inference_mode():
        (answer,) = network.probabilities_of_part(image, WHOLE)
    np.testing.assert_allclose(answer, 1 / (1 + np.exp(9)), rtol=1e-4)


def test_training_sees_the_finest_scale_everywhere(network, image) -> None:
    network.train()
    torch.manual_seed(0)
    with_overview = network(image)
    network.overview = None
    torch.testing.assert_close(network(image), with_overview)


def test_weights_bring_their_overview(network) -> None:
    other = build_network("multi-scale", "pnet", options=NARROW)
    other.load_state_dict(network.state_dict())
    torch.testing.assert_close(other.overview.classifier.bias, network.overview.classifier.bias)


@pytest.mark.parametrize("case", ["TCGA_CS_4942_19970222", "TCGA_DU_7298_19910324"])
def test_two_levels_segment_as_one_does(case: str, data: Path, bundle_with_overview: Path) -> None:
    bundle = load_bundle(bundle_with_overview)
    volume = Volume.read(data / f"lgg_flair_kaggle3m/cases/{case}_flair.nii.gz")
    turned = Orientation.of(volume.ijk_to_ras)
    image = PreparedImage(
        [turned.apply(volume.array)],
        turned.spacing(volume.spacing),
        bundle.manifest.inputs,
        name=case,
    )
    channels = image.on(image.grid(image.tissue_box))
    network = bundle.network("pnet")
    runs = []
    network.classifier.register_forward_hook(lambda *run: runs.append(run[1][0][:, 0].numel()))
    two_levels = TorchEngine(network, "cpu").foreground_probability(channels)
    computed, runs[:] = sum(runs), []
    network.overview = None
    one_level = TorchEngine(network, "cpu").foreground_probability(channels)
    assert computed < 0.6 * sum(runs)
    assert dice(two_levels >= 0.5, one_level >= 0.5) > 0.999
