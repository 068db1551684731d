"""What R-Net begins with: its own weights, and the P-Nets whose proposals it corrects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

import torch
from safetensors.torch import save_file

from DeepIGeoSLib.bundles import load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.targets import IGNORED
from DeepIGeoSLib.training.losses import make_loss, near_strokes
from DeepIGeoSLib.training.run_settings import StartSettings
from DeepIGeoSLib.training.start import begin_with

WORDS = {"name": "behind", "version": "0.1", "task": "things", "modality": "phantom"}
RNET = {
    "task": "rnet",
    "bundle": WORDS,
    "interactions": {"max_distance": 10.0},
    "network": {"architecture": "multi-scale", "options": {"features": [4, 6, 8, 8]}},
    "optimization": {"steps": 2, "crop": [8, 32, 32], "near_strokes": 8.0},
}


def configured(configure: Callable[..., Path], *, grid: bool = True, **changes: object) -> Path:
    """Write a configuration on the working grid of ``tiny_bundle``."""
    usual = {"grid": {"minimum": [2.0, 0.8, 0.8], "maximum": [8.0, 1.3, 1.3]}} if grid else {}
    return configure(**{**RNET, **usual, **changes})


@pytest.mark.parametrize("encoder", ["resnet18", "plain"])
def test_r_net_first_answers_what_p_net_does_whatever_the_strokes(
    tmp_path: Path, encoder: str
) -> None:
    """Also where the image itself is a skip of the decoder, as with encoders of half resolution."""
    torch.manual_seed(3)
    options = {"encoder": encoder, "decoder": [4, 4, 4, 4, 4]}
    if encoder == "plain":
        options["features"] = [4, 6, 8]
    pnet, rnet = (
        build_network("unet-transfer", role, dimension=3, image_channels=1, options=options)
        for role in ("pnet", "rnet")
    )
    save_file(pnet.state_dict(), tmp_path / "pnet.safetensors")
    start = StartSettings(str(tmp_path / "pnet.safetensors"))
    report = begin_with(rnet, start, tmp_path, role="rnet", image_channels=1)
    assert not report.missing
    assert not report.misfits
    image = torch.randn(1, 1, 3, 32, 32)
    others = torch.rand(1, 3, 3, 32, 32)
    torch.testing.assert_close(
        rnet.eval()(torch.cat([image, others], dim=1)), pnet.eval()(image), atol=1e-5, rtol=1e-4
    )


def test_voxels_count_more_at_the_strokes_that_ask() -> None:
    background, foreground = torch.tensor([0.0, 0.25, 1.0]), torch.tensor([1.0, 0.5, 0.0])
    maps = torch.stack([background, foreground])[None]
    adds, removes = torch.tensor([[True, False]]), torch.tensor([[False, True]])
    torch.testing.assert_close(near_strokes(maps, adds), (1 - foreground)[None] ** 4)
    torch.testing.assert_close(near_strokes(maps, removes), (1 - background)[None] ** 4)
    both = near_strokes(maps, adds | removes)
    torch.testing.assert_close(both, torch.tensor([[1.0, 0.75**4, 1.0]]))
    assert not near_strokes(maps, adds & removes).any()


def test_weights_of_voxels_make_a_weighted_mean() -> None:
    logits = torch.tensor([[[0.0, 2.0, -1.0], [1.0, 0.0, 3.0]]])
    classes = torch.tensor([[[1, 1, IGNORED]]])
    entropy = [float(torch.log1p(torch.exp(-margin))) for margin in torch.tensor([1.0, -2.0])]
    weight = torch.tensor([[3.0, 1.0, 100.0]])
    loss = make_loss("ce")
    assert float(loss(logits, classes, weight)) == pytest.approx(
        (3 * entropy[0] + entropy[1]) / 4, rel=1e-5
    )
    assert float(loss(logits, classes)) == pytest.approx(sum(entropy) / 2, rel=1e-5)
    with_dice = make_loss("dice_ce")
    assert float(with_dice(logits, classes, weight) - with_dice(logits, classes)) == pytest.approx(
        float(loss(logits, classes, weight) - loss(logits, classes)), rel=1e-4
    )


def test_r_net_learns_behind_the_p_net_of_a_bundle_of_another_kind(
    configure: Callable[..., Path], tiny_bundle: Path, tmp_path: Path
) -> None:
    path = configured(configure, pnet=[str(tiny_bundle)])
    assert main(["train", str(path)]) == 0
    source, written = load_bundle(tiny_bundle), load_bundle(tmp_path / "run" / "behind")
    assert written.manifest.networks["pnet"] == source.manifest.networks["pnet"]
    assert written.manifest.networks["rnet"].architecture == "multi-scale"
    for name, value in source.network("pnet").state_dict().items():
        assert torch.equal(written.network("pnet").state_dict()[name], value), name
    card = (written.folder / "README.md").read_text()
    assert 'P-Net, architecture "dilated", 3D,\nand R-Net, architecture "multi-scale", 3D.' in card


def test_a_p_net_that_sees_another_grid_is_refused(
    configure: Callable[..., Path], tiny_bundle: Path, capsys: pytest.CaptureFixture
) -> None:
    path = configured(configure, grid=False, pnet=[str(tiny_bundle)])
    assert main(["train", str(path)]) == 2
    message = capsys.readouterr().err
    assert "the bundle tiny has another grid than the configuration" in message


def test_a_bundle_without_p_net_is_refused(
    configure: Callable[..., Path], capsys: pytest.CaptureFixture
) -> None:
    path = configured(configure, pnet=["any-structure"])
    assert main(["train", str(path)]) == 2
    assert "the bundle any-structure has no P-Net" in capsys.readouterr().err


def test_a_crop_with_too_little_at_the_coarsest_scale_is_refused(
    configure: Callable[..., Path], tiny_bundle: Path, capsys: pytest.CaptureFixture
) -> None:
    """24 pixels are no multiple of 16; the half that is left over makes no second value."""
    path = configured(configure, pnet=[str(tiny_bundle)], optimization={"crop": [4, 24, 24]})
    assert main(["train", str(path)]) == 2
    assert "optimization.crop is [4, 24, 24]; of a crop this small" in capsys.readouterr().err


def test_a_loss_without_voxels_to_weigh_is_refused(
    configure: Callable[..., Path], tiny_bundle: Path, capsys: pytest.CaptureFixture
) -> None:
    optimization = {**RNET["optimization"], "loss": "dice"}
    path = configured(configure, pnet=[str(tiny_bundle)], optimization=optimization)
    assert main(["train", str(path)]) == 2
    assert "whose voxels near_strokes can weigh" in capsys.readouterr().err
