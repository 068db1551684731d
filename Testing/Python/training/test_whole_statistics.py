"""Batch normalizations that know whole images, while a network is measured and kept."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

import torch

from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import find_cases
from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.tensors import to_tensor
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.starting import prepared, trained_network
from DeepIGeoSLib.training.validation import PNetValidation
from DeepIGeoSLib.training.whole_statistics import WholeStatistics

OPTIONS = {"features": [4, 6, 8, 8, 8]}
NETWORK = {"architecture": "unet", "dimension": 2, "options": OPTIONS}


def first_of(network: torch.nn.Module) -> tuple[torch.nn.Module, torch.nn.BatchNorm2d]:
    """Return a network's first convolution and the normalization behind it."""
    layers = [
        layer
        for layer in network.modules()
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.BatchNorm2d))
    ]
    return layers[0], layers[1]


def measured(table: Path, step: int) -> dict[str, str]:
    """Return what was measured at a step, by measure."""
    with table.open(encoding="utf-8") as stream:
        return {row[2]: row[3] for row in csv.reader(stream) if row[0] == str(step)}


def assert_knows(network: torch.nn.Module, images: list[np.ndarray]) -> None:
    """Hold the first normalization to the mean and variance that each image gives, averaged."""
    convolution, normalization = first_of(network)
    means, variances = [], []
    for image in images:
        with torch.no_grad():
            seen = convolution(to_tensor(image).movedim(1, 0))
        seen = seen.movedim(1, 0).flatten(1)
        means.append(seen.mean(dim=1))
        variances.append(seen.var(dim=1))
    torch.testing.assert_close(normalization.running_mean, torch.stack(means).mean(dim=0))
    torch.testing.assert_close(normalization.running_var, torch.stack(variances).mean(dim=0))


def test_normalizations_know_whole_images_for_a_while_and_training_goes_on_as_before() -> None:
    torch.manual_seed(1)
    network = build_network("unet", "pnet", dimension=2, options=OPTIONS).train()
    random = np.random.default_rng(0)
    sizes = ((1, 32, 48), (3, 64, 32))
    images = [random.normal(3, 2, (1, *size)).astype(np.float32) for size in sizes]
    network(torch.zeros(2, 1, 32, 32))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    chance = torch.get_rng_state()
    with WholeStatistics(images).in_place(network):
        assert_knows(network, images)
        assert network.training
    assert torch.equal(torch.get_rng_state(), chance)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert first_of(network)[1].momentum == 0.1


def test_layers_that_are_held_still_keep_what_they_normalize_by() -> None:
    torch.manual_seed(1)
    network = build_network("unet", "pnet", dimension=2, options=OPTIONS).train()
    still = network.encoder[0].eval()
    kept = {name: value.clone() for name, value in still.state_dict().items()}
    image = np.random.default_rng(0).normal(3, 2, (1, 1, 32, 48)).astype(np.float32)
    with WholeStatistics([image]).in_place(network), torch.no_grad():
        for name, value in still.state_dict().items():
            assert torch.equal(value, kept[name]), name
        convolution, normalization = network.encoder[1][:2]
        seen = convolution(still(to_tensor(image[0][np.newaxis]))).movedim(1, 0).flatten(1)
        torch.testing.assert_close(normalization.running_mean, seen.mean(dim=1))
        torch.testing.assert_close(normalization.running_var, seen.var(dim=1))
        assert not any(layer.training for layer in still.modules())


def test_networks_without_normalizations_stay_as_they_are() -> None:
    network = build_network("dilated", "pnet", dimension=2).eval()
    x = torch.randn(1, 1, 16, 16)
    before = network(x)
    with WholeStatistics([np.zeros((1, 2, 16, 16), dtype=np.float32)]).in_place(network):
        assert torch.equal(network(x), before)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_what_is_kept_as_the_best_knows_whole_images(
    configure: Callable[..., Path], tmp_path: Path, average: float
) -> None:
    changes = {"crop": [1, 32, 32], "batch_size": 4, "average": average}
    runs = {
        statistics: configure(
            statistics,
            network=NETWORK,
            optimization={**changes, "statistics": statistics},
            validate_every=6,
        )
        for statistics in ("crops", "wholes")
    }
    for path in runs.values():
        assert main(["train", str(path)]) == 0
    settings = read_config(runs["wholes"])
    cases = prepared(find_cases(settings.data, tmp_path, "train"), settings)
    best = trained_network("pnet", tmp_path / "wholes" / "best.ckpt", settings)
    plain = trained_network("pnet", tmp_path / "crops" / "best.ckpt", settings)
    parts = []
    for case in cases:
        padded = PaddedChannels(case.image, (1, 16, 16))
        whole = padded.read(tuple(slice(0, size) for size in padded.shape))
        parts += [whole[:, k : k + 8] for k in range(0, whole.shape[1], 8)]
    assert_knows(best, parts)
    for (name, value), other in zip(best.named_parameters(), plain.parameters(), strict=True):
        assert torch.equal(value, other), name  # the training itself is the same
    last = [torch.load(tmp_path / run / "last.ckpt", weights_only=True) for run in runs]
    for name, value in last[0]["state_dict"].items():
        assert torch.equal(value, last[1]["state_dict"][name]), name


def test_a_resumed_run_keeps_the_same_best_weights_and_they_answer_as_measured(
    configure: Callable[..., Path], tmp_path: Path
) -> None:
    options = {"crop": [1, 32, 32], "schedule": "constant", "statistics": "wholes", "average": 0.5}

    def train(output: str, steps: int) -> None:
        options["steps"] = steps
        path = configure(output, network=NETWORK, optimization=options, validate_every=8)
        assert main(["train", str(path)]) == 0

    train("whole", 8)
    train("parts", 4)
    (tmp_path / "parts" / "best.ckpt").unlink()  # of the end of the first part
    train("parts", 8)
    last = [measured(tmp_path / run / "validation.csv", step=8) for run in ("whole", "parts")]
    assert last[0] == last[1]
    settings = read_config(tmp_path / "parts.json")
    network = trained_network("pnet", tmp_path / "whole" / "best.ckpt", settings)
    cases = prepared(find_cases(settings.data, tmp_path, "val"), settings)
    (result,) = PNetValidation(cases, tmp_path, settings).results(network, None)
    for name in ("dice", "loss"):
        assert f"{result.measures[name]:.5f}" == last[0][name]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"hardware": {"devices": 2}, "network": NETWORK},
        {"task": "rnet", "pnet": ["p/best.ckpt"], "network": NETWORK},
    ],
)
def test_volumes_several_processes_and_r_net_are_refused(
    configure: Callable[..., Path], changes: dict, capsys: pytest.CaptureFixture
) -> None:
    path = configure(optimization={"statistics": "wholes"}, **changes)
    assert main(["train", str(path)]) == 2
    assert "optimization.statistics is 'wholes', expected crops" in capsys.readouterr().err
