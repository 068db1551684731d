"""A trained bundle's P-Net knows where its finest scale has to decide."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.data import LabeledCase
from DeepIGeoSLib.engines import TorchEngine
from DeepIGeoSLib.engines.padding import PaddedChannels
from DeepIGeoSLib.evaluation.metrics import dice
from DeepIGeoSLib.networks.network import SegmentationNetwork
from DeepIGeoSLib.networks.overview import doubtful
from DeepIGeoSLib.networks.overview_fitting import fit_overview
from DeepIGeoSLib.tensors import to_tensor
from DeepIGeoSLib.training.cases import prepare_case
from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.starting import starting_networks

ROOT = Path(__file__).parents[3]


def padded(image: np.ndarray, network: SegmentationNetwork) -> torch.Tensor:
    channels = PaddedChannels(image, network.multiple_of)
    return to_tensor(channels.read([slice(0, size) for size in channels.shape])[np.newaxis])


def test_an_overview_learns_where_the_answer_is_clear(
    data: Path, bundle_with_overview: Path
) -> None:
    settings = read_config(ROOT / "Configs" / "flair-rnet.json")

    def image(name: str) -> np.ndarray:
        folder = data / "lgg_flair_kaggle3m" / "cases"
        files = (folder / f"{name}_flair.nii.gz", folder / f"{name}_seg.nii.gz")
        case = LabeledCase("lgg", name, *files)
        return prepare_case(case, settings.normalization, settings.grid).image

    network = load_bundle(bundle_with_overview).network("pnet").eval()
    network.overview = None
    engine, unseen = TorchEngine(network, "cpu"), image("TCGA_HT_8018_19970411")
    alone = engine.foreground_probability(unseen) >= 0.5
    weights = {key: value.clone() for key, value in network.state_dict().items()}
    names = ("7692_19960724", "7884_19980913")
    fit_overview(network, [padded(image(f"TCGA_HT_{name}"), network) for name in names])
    for key, value in weights.items():
        assert torch.equal(network.state_dict()[key], value)
    shares = []
    network.overview.register_forward_hook(
        lambda *run: shares.append(doubtful(run[2]).float().mean().item())
    )
    assert dice(engine.foreground_probability(unseen) >= 0.5, alone) > 0.99
    assert np.mean(shares) < 0.2


@pytest.mark.slow
def test_a_trained_bundle_has_an_overview(configure, heads: Path, tmp_path: Path) -> None:
    path = configure(
        "new",
        task="both",
        network={"architecture": "multi-scale", "options": {"features": [4] * 4}},
        optimization={"steps": 2, "crop": [4, 32, 32]},
        bundle={
            "name": "heads",
            "version": "1",
            "task": "lesion",
            "modality": "phantom",
            "channels": ["image"],
            "license": "Apache-2.0",
            "limits": "A test.",
        },
    )
    assert main(["train", str(path)]) == 0
    bundle = load_bundle(tmp_path / "new" / "rnet" / "heads")
    assert bundle.network("pnet").overview is not None
    assert bundle.network("rnet").overview is None


def test_fine_tuning_starts_without_the_overview_of_before(bundle_with_overview: Path) -> None:
    path = ROOT / "Configs" / "flair-pnet.json"
    bundle = load_bundle(bundle_with_overview)
    assert bundle.network("pnet").overview is not None
    network, _ = starting_networks(
        read_config(path), base=path.parent, progress=None, bundle=bundle
    )
    assert network.overview is None
