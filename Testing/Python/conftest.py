"""Fixtures for every folder of tests."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, nothing of the code.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@pytest.fixture(scope="session")
def write_heads() -> Callable[[Path, int], None]:
    """Write phantoms as the data set "heads"; in its split file the last one is for validation."""
    from DeepIGeoSLib.samples.phantom import head_phantom

    def write(root: Path, count: int) -> None:
        (root / "heads").mkdir()
        with (root / "splits.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["dataset", "case", "use"])
            for seed in range(count):
                volume, lesion = head_phantom((12, 64, 56), (12.0, 3.0, 3.0), seed)
                volume.write_map(root / "heads" / f"{seed}_image.nii.gz", volume.array)
                volume.write_labels(root / "heads" / f"{seed}_label.nii.gz", lesion)
                writer.writerow(["heads", str(seed), "val" if seed == count - 1 else "train"])

    return write


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real volumes; tests that need it are skipped where it is absent."""
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("DEEPIGEOS_DATA", root / "../shared/data"))
    if not (folder / "splits.csv").is_file():
        pytest.skip("the real volumes are not here (../shared/data, or set DEEPIGEOS_DATA)")
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle folder whose networks were set by hand, so that their answers are known.

    P-Net marks what is brighter than four spreads above the tissue's median. R-Net keeps the
    initial segmentation except near seeds: where one class of seeds is clearly nearer than the
    other, their class wins.
    """
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("safetensors", reason="safetensors is not installed")
    from DeepIGeoSLib.bundles import FORMAT_VERSION, BundleManifest
    from DeepIGeoSLib.bundles.writer import write_bundle
    from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
    from DeepIGeoSLib.inputs.normalization import NormalizationSettings
    from DeepIGeoSLib.inputs.working_grid import GridSettings
    from DeepIGeoSLib.networks import NetworkSettings

    manifest = BundleManifest(
        format_version=FORMAT_VERSION,
        name="tiny",
        version="1.0.0",
        task="bright things",
        modality="phantom",
        channels=("image",),
        license="Apache-2.0",
        networks={role: NetworkSettings("dilated") for role in ("pnet", "rnet")},
        normalization=NormalizationSettings(),
        grid=GridSettings(),
        interactions=InteractionSettings(max_distance=10.0),
        region=(8, 24, 24),
        weights={},
    )
    brightness = _weighted_sum({0: 4.0}, bias=-16.0, shift=8.0)
    kept_but_near_seeds = _weighted_sum({1: 8.0, 2: 8.0, 3: -8.0}, bias=-4.0)
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    write_bundle(
        folder,
        manifest,
        {"pnet": brightness, "rnet": kept_but_near_seeds},
        card="# Tiny\n\nFor tests.\n",
    )
    return folder


@pytest.fixture(scope="session")
def bundle_of(
    tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[Any]], Path]:
    """Write a bundle for two targets, whose P-Net tells two brightnesses apart.

    Class 1 is brighter than four spreads of the tissue above its median, class 2 than eight; R-Net
    is that of ``tiny_bundle``.
    """
    import torch

    from DeepIGeoSLib.bundles import load_bundle
    from DeepIGeoSLib.bundles.writer import write_bundle
    from DeepIGeoSLib.networks import build_network
    from DeepIGeoSLib.targets import class_count

    folder = tmp_path_factory.mktemp("several")

    def write(targets: Sequence[Any]) -> Path:
        tiny = load_bundle(tiny_bundle)
        known = tiny.network("pnet")
        pnet = build_network("dilated", "pnet", classes=class_count(targets))
        state = known.state_dict()
        weight, bias = state["classifier.weight"], state["classifier.bias"]
        # The second class has twice the slope (4) of the first, so that it overtakes it 4 spreads
        # further on.
        state["classifier.weight"] = torch.stack([weight[0], weight[1], 2 * weight[1]])
        state["classifier.bias"] = torch.stack([bias[0], bias[1], 2 * bias[1] - 4.0 * 4])
        pnet.load_state_dict(state)
        path = folder / "-".join(target.name for target in targets)
        if not path.exists():
            manifest = dataclasses.replace(tiny.manifest, targets=tuple(targets))
            networks = {"pnet": pnet, "rnet": tiny.network("rnet")}
            write_bundle(path, manifest, networks, card="# For tests\n")
        return path

    return write


@pytest.fixture(scope="session")
def cells_bundle(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a network for two kinds of objects, which has learned nothing."""
    import torch

    from DeepIGeoSLib.bundles import load_bundle
    from DeepIGeoSLib.bundles.writer import write_bundle
    from DeepIGeoSLib.networks import INSTANCES, NetworkSettings

    torch.manual_seed(0)
    settings = NetworkSettings("mask-rcnn", 2, {"kinds": ["cell", "debris"]})
    manifest = dataclasses.replace(
        load_bundle(tiny_bundle).manifest,
        name="cells",
        networks={INSTANCES: settings},
        crf=None,
        region=None,
    )
    folder = tmp_path_factory.mktemp("objects") / "cells"
    write_bundle(folder, manifest, {INSTANCES: settings.build(INSTANCES)}, card="# For tests\n")
    return folder


@pytest.fixture(scope="session")
def running_slicer() -> Any:
    """Slicer's scene and logics, started once for all tests."""
    pytest.importorskip("slicer", reason="slicer-core is not installed")
    from DeepIGeoSLib.scene import startSlicer

    return startSlicer()


def _weighted_sum(weights: dict[int, float], bias: float, shift: float = 0.0):
    """Return a 3D network of the paper whose foreground logit is a weighted sum of its inputs.

    Args:
        weights: factor of each input channel; P-Net has only channel 0, R-Net four.
        bias: added to the sum.
        shift: added to the inputs inside, so that rectifiers let negative ones through.
    """
    import torch

    from DeepIGeoSLib.networks import build_network

    network = build_network("dilated", "pnet" if len(weights) == 1 else "rnet")
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        first, second = network.blocks[0][0], network.blocks[0][2]
        for slot, (channel, weight) in enumerate(weights.items()):
            first.weight[slot, channel, 1, 1, 1] = 1
            first.bias[slot] = shift
            second.weight[slot, slot, 0, 1, 1] = 1
            network.compressions[0].weight[slot, slot] = 1
            network.hidden.weight[slot, slot] = 1
            network.classifier.weight[1, slot, 1, 1, 1] = weight
        network.classifier.bias[1] = bias - shift * sum(weights.values())
    return network


@pytest.fixture(scope="session")
def bundle_with_overview(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle for FLAIR whose P-Net has two levels: ``flair-whole-tumor`` as it was in 0.2.2."""
    from safetensors.torch import load_file

    from DeepIGeoSLib.bundles import load_bundle
    from DeepIGeoSLib.bundles.writer import write_bundle

    shipped = load_bundle("flair-whole-tumor")
    settings = shipped.manifest.networks["rnet"]
    pnet = settings.build("pnet")
    weights = Path(__file__).parents[1] / "Data" / "multi-scale-pnet.safetensors"
    pnet.load_state_dict(load_file(weights))
    folder = tmp_path_factory.mktemp("bundles") / "two-levels"
    manifest = dataclasses.replace(shipped.manifest, networks={"pnet": settings, "rnet": settings})
    write_bundle(folder, manifest, {"pnet": pnet, "rnet": shipped.network("rnet")}, card="# Old\n")
    return folder
