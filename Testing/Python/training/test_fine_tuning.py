"""A bundle's networks learn new cases in stages, and become a bundle that says where it is from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import InputError, Volume, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.training.fine_tuning import FrozenStage, read_fine_tuning_config
from DeepIGeoSLib.training.modules import PNetModule
from DeepIGeoSLib.training.run_settings import FineTuningSettings


def written(path: Path, **changes: object) -> Path:
    """Keep only what a user has to say, and these changes."""
    mapping = json.loads(path.read_text())
    for key in ("network", "grid"):
        del mapping[key]
    del mapping["optimization"]["crop"]
    path.write_text(json.dumps({**mapping, **changes}))
    return path


@pytest.mark.parametrize(
    ("architecture", "dimension"),
    [("dilated", 2), ("dilated", 3), ("multi-scale", 2), ("multi-scale", 3)],
)
def test_late_layers_are_a_part_of_every_network(architecture: str, dimension: int) -> None:
    network = build_network(architecture, "pnet", dimension=dimension)
    early = network.early_layers()
    assert 0 < len(early) < len(list(network.children()))
    assert set(network.late_layers) <= {name for name, _ in network.named_children()}
    assert network.classifier not in early


def test_the_configurations_silence_means_as_in_the_bundle(configure, tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    settings = read_fine_tuning_config(written(configure()), bundle)
    assert settings.network.architecture == "dilated"
    assert settings.grid == bundle.manifest.grid
    assert settings.interactions == bundle.manifest.interactions
    assert settings.optimization.crop == (8, 24, 24)
    assert settings.bundle.name == "tiny-tuned"
    own = read_fine_tuning_config(written(configure(), grid={"minimum": [1, 1, 1]}), bundle)
    assert own.grid.minimum == (1, 1, 1)
    assert own.grid.maximum == bundle.manifest.grid.maximum


REFUSED = {
    "another network": (
        {"network": {"architecture": "multi-scale"}},
        "network.architecture is 'multi-scale'",
    ),
    "the CRF alone": ({"task": "crf"}, "the task crf starts from no bundle"),
    "processes": ({"hardware": {"devices": 2}}, "set hardware.devices to 1"),
}


@pytest.mark.parametrize(("changes", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_the_bundle_is_refused(
    configure, tiny_bundle: Path, changes: dict, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        read_fine_tuning_config(written(configure(), **changes), load_bundle(tiny_bundle))


def test_images_of_other_channels_are_refused(configure, tiny_bundle: Path) -> None:
    path = configure()
    data = json.loads(path.read_text())["data"]
    data["sources"][0]["other_channels"] = ["{case}_image.nii.gz"]
    with pytest.raises(InputError, match=r"the images have 2 channel\(s\), but the bundle tiny"):
        read_fine_tuning_config(written(path, data=data), load_bundle(tiny_bundle))


def test_early_layers_are_frozen_and_then_learn_slowly(configure, tiny_bundle: Path) -> None:
    settings = read_fine_tuning_config(written(configure()), load_bundle(tiny_bundle))
    network = build_network("multi-scale", "pnet")
    module = PNetModule(network, settings, fine_tuning=FineTuningSettings(0.5, 0.1))
    late, early = module.configure_optimizers()["optimizer"].param_groups
    assert early["initial_lr"] == pytest.approx(0.1 * late["initial_lr"])
    held = {id(p) for part in network.early_layers() for p in part.parameters()}
    assert {id(p) for p in early["params"]} == held
    assert len(held) + len(late["params"]) == len(list(network.parameters()))
    stage = FrozenStage(module.fine_tuning, steps=10)
    for step, frozen in ((0, True), (4, True), (5, False), (9, False)):
        trainer = type("Trainer", (), {"global_step": step})()
        stage.on_train_batch_start(trainer, module, None, 0)
        assert all(p.requires_grad != frozen for p in early["params"])
        assert all(p.requires_grad for p in late["params"])
        assert network.stem.training != frozen


def test_only_late_layers_change_while_the_others_are_frozen(
    configure, tiny_bundle: Path, tmp_path: Path
) -> None:
    """A run whose frozen share is 1 leaves the early layers bit for bit as they are."""
    path = written(configure("frozen"), fine_tuning={"frozen": 1.0})
    assert main(["train", "--from", str(tiny_bundle), str(path)]) == 0
    before = load_bundle(tiny_bundle).network("pnet").state_dict()
    after = torch.load(tmp_path / "frozen" / "last.ckpt", weights_only=True)["state_dict"]
    changed = {
        key.split(".")[0] for key in before if not torch.equal(before[key], after[f"network.{key}"])
    }
    assert changed
    assert changed <= {"compressions", "hidden", "classifier"}


@pytest.mark.slow
def test_both_networks_end_in_a_bundle_that_says_where_it_is_from(
    configure, heads: Path, tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = written(configure("tuned"), task="both", snapshots=[2])
    command = ["train", "--from", str(tiny_bundle), str(path)]
    assert main(command) == 0
    bundle = load_bundle(tmp_path / "tuned" / "rnet" / "tiny-tuned")
    assert bundle.manifest.derived_from == "tiny 1.0.0"
    assert bundle.manifest.license == "Apache-2.0"
    assert [(entry.name, entry.cases) for entry in bundle.manifest.training_data] == [("heads", 3)]
    card = (bundle.folder / "README.md").read_text()
    assert "Fine-tuned from the bundle tiny 1.0.0 (bright things in phantom)" in card
    assert "License of its weights, which binds these too: Apache-2.0" in card
    image = heads / "heads" / "3_image.nii.gz"
    out = tmp_path / "out.nii.gz"
    assert main(["segment", str(image), "--bundle", str(bundle.folder), "-o", str(out)]) == 0
    assert np.isin(Volume.read(image).read_labels(out), (0, 1)).all()
    capsys.readouterr()
    assert main([*command, "--json"]) == 0  # nothing is left to do but to write the bundle
    assert json.loads(capsys.readouterr().out)["bundle"] == str(bundle.folder)


def test_one_network_may_be_tuned_alone(configure, tiny_bundle: Path, tmp_path: Path) -> None:
    path = written(configure("alone"))
    assert main(["train", "--from", str(tiny_bundle), str(path)]) == 0
    bundle = load_bundle(tmp_path / "alone" / "tiny-tuned")
    kept, source = bundle.network("rnet"), load_bundle(tiny_bundle).network("rnet")
    for key, value in source.state_dict().items():
        assert torch.equal(kept.state_dict()[key], value)
