"""CRF-Nets are pretrained, trained together with their networks, and end in a bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from DeepIGeoSLib import InputError, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.crf.crfnet import NO_SCRIBBLE
from DeepIGeoSLib.crf.pairwise import ContrastSensitive
from DeepIGeoSLib.crf.pretraining import pretrain
from DeepIGeoSLib.crf.pretraining_settings import PretrainingSettings
from DeepIGeoSLib.crf.settings import CrfSettings

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

from DeepIGeoSLib.training.config import read_config
from DeepIGeoSLib.training.crf import scribble_classes
from DeepIGeoSLib.training.examples import config_template, example

CRF = {
    "model": {"window": [3, 3, 3], "hidden": [8], "sigma": 0.5, "training_iterations": 2},
    "pretraining": {"pairs": 2000, "passes": 2},
}


@pytest.fixture(scope="module")
def heads(
    tmp_path_factory: pytest.TempPathFactory, write_heads: Callable[[Path, int], None]
) -> Path:
    """Two phantoms to train on and one to validate with."""
    root = tmp_path_factory.mktemp("data")
    write_heads(root, 3)
    return root


def configuration(heads: Path, folder: Path, **changes: object) -> Path:
    source = {"dataset": "heads", "image": "{case}_image.nii.gz", "label": "{case}_label.nii.gz"}
    mapping = {
        "task": "pnet",
        "output": "run",
        "validate_every": 3,
        "checkpoint_every": 3,
        "workers": 0,
        "data": {"root": str(heads), "sources": [source]},
        "grid": {"minimum": [8, 3, 3], "maximum": [16, 4, 4]},
        "optimization": {"steps": 3, "crop": [4, 24, 24], "threads": 1},
        **changes,
    }
    path = folder / f"{mapping['output']}.json"
    path.write_text(json.dumps(mapping))
    return path


@pytest.mark.parametrize(("sigma", "omega"), [(0.2, 0.5), (0.5, 0.1)])
def test_pretraining_comes_near_the_contrast_sensitive_function(sigma: float, omega: float) -> None:
    settings = CrfSettings(sigma=sigma, omega=omega)
    fitted = pretrain(settings, settings=PretrainingSettings(passes=40))
    assert fitted.error < 0.04 * omega
    assert fitted.largest == pytest.approx(2 * omega, rel=0.2)  # at the smallest distance, 0.5 mm
    differences = torch.linspace(-3 * sigma, 3 * sigma, 31)[None, None]
    wanted = ContrastSensitive(1, sigma, omega)
    for distance in (1.0, 2.0, 5.0):
        place = torch.tensor([distance])
        wrong = fitted.pairwise(differences, place) - wanted(differences, place)
        assert wrong.abs().max() < (0.1 / distance + 0.06) * omega


def test_pretraining_is_repeatable_and_leaves_random_numbers_alone() -> None:
    short = PretrainingSettings(pairs=500, passes=2)
    torch.manual_seed(3)
    first = pretrain(CrfSettings(hidden=(4,)), settings=short).pairwise
    after = torch.rand(1)
    second = pretrain(CrfSettings(hidden=(4,)), settings=short).pairwise
    torch.manual_seed(3)
    assert torch.equal(torch.rand(1), after)
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_scribbles_become_classes() -> None:
    foreground = torch.tensor([[True, False, False]])
    background = torch.tensor([[False, True, False]])
    assert scribble_classes(foreground, background).tolist() == [[1, 0, NO_SCRIBBLE]]


def test_the_template_of_the_task_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "crf.yaml"
    path.write_text(config_template("crf"))
    assert read_config(path) == example("crf")
    assert "odd" in config_template("crf")


def test_pretraining_needs_a_function_that_learns(heads: Path, tmp_path: Path) -> None:
    crf = {"model": {"pairwise": "contrast"}}
    assert main(["train", str(configuration(heads, tmp_path, task="crf", crf=crf))]) == 2


def test_pretraining_needs_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", "crf-pretrain"]) == 0
    folder = tmp_path / "runs" / "my-crf"
    measured = json.loads((folder / "pretraining.json").read_text())
    assert measured["root_mean_square_error"] < 0.02 * measured["largest_potential"]
    assert (folder / "pretrained.ckpt").is_file()
    for option in (["--from", "flair-whole-tumor"], ["--check"], ["--bundle-only"]):
        assert main(["train", "crf-pretrain", *option]) == 2
        assert option[0] in capsys.readouterr().err


def test_wrong_settings_name_their_place(heads: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"crf: model: window is \[2, 3, 3\]"):
        read_config(configuration(heads, tmp_path, crf={"model": {"window": [2, 3, 3]}}))


def test_from_pretraining_to_a_bundle(
    heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Pretrain; train P-Net with CRF-Net(f), then R-Net with CRF-Net(fu); use what comes out."""
    assert (
        main(["train", str(configuration(heads, tmp_path, task="crf", output="c", crf=CRF))]) == 0
    )
    assert json.loads((tmp_path / "c" / "pretraining.json").read_text())["largest_potential"] > 0
    joint = {**CRF, "start": "c/pretrained.ckpt"}
    assert main(["train", str(configuration(heads, tmp_path, output="p", crf=joint))]) == 0
    before = torch.load(tmp_path / "c" / "pretrained.ckpt", weights_only=True)["state_dict"]
    after = torch.load(tmp_path / "p" / "last.ckpt", weights_only=True)["state_dict"]
    moved = [key for key, value in before.items() if not torch.equal(value, after[key])]
    assert "crf.compatibility" in moved
    assert "crf.pairwise.layers.0.weight" in moved
    changes = {
        "task": "rnet",
        "output": "r",
        "pnet": ["p/best.ckpt"],
        "crf": joint,
        "optimization": {"steps": 3, "crop": [4, 32, 32], "threads": 1},
        "bundle": {"name": "heads", "version": "1", "task": "lesions", "modality": "phantom"},
    }
    assert main(["train", str(configuration(heads, tmp_path, **changes))]) == 0
    bundle = load_bundle(tmp_path / "r" / "heads")
    assert bundle.manifest.crf.window == (3, 3, 3)
    assert set(bundle.manifest.weights) == {"pnet", "rnet", "pnet-crf", "rnet-crf"}
    rnet = torch.load(tmp_path / "r" / "best.ckpt", weights_only=True)["state_dict"]
    kept = bundle.crf("rnet").compatibility
    assert torch.allclose(kept, rnet["crf.compatibility"], atol=1e-3)
    image, out = str(heads / "heads" / "2_image.nii.gz"), str(tmp_path / "out.nii.gz")
    capsys.readouterr()
    arguments = ["segment", image, "-o", out, "--bundle", str(bundle.folder), "--device", "cpu"]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["output"] == out


def test_joint_training_starts_from_a_network(heads: Path, tmp_path: Path) -> None:
    assert main(["train", str(configuration(heads, tmp_path, output="alone"))]) == 0
    joint = {**CRF, "network": "alone/last.ckpt"}
    still = {"steps": 1, "crop": [4, 32, 32], "threads": 1, "learning_rate": 1e-9}
    changes = {"output": "joint", "crf": joint, "optimization": still, "checkpoint_every": 1}
    assert main(["train", str(configuration(heads, tmp_path, **changes))]) == 0
    alone, started = (
        torch.load(tmp_path / name / "last.ckpt", weights_only=True)["state_dict"]
        for name in ("alone", "joint")
    )
    weight = "network.stem.weight"
    assert torch.allclose(alone[weight], started[weight], atol=1e-6)
    missing = {**CRF, "network": "nowhere.ckpt"}
    assert main(["train", str(configuration(heads, tmp_path, output="no", crf=missing))]) == 2
