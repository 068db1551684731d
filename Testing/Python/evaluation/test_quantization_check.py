"""Bundles get 8-bit networks only where these segment as well."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import BundleError, InputError, InteractiveSession, load_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.engines import Engines, TorchEngine
from DeepIGeoSLib.engines import openvino_runtime as openvino_module
from DeepIGeoSLib.engines.openvino_engine import OpenVinoEngine
from DeepIGeoSLib.engines.openvino_runtime import OpenVinoRuntime
from DeepIGeoSLib.evaluation.quantization_check import optimize
from DeepIGeoSLib.networks import build_network

INSTALLED = openvino_module.openvino_installed()
pytestmark = pytest.mark.skipif(not INSTALLED, reason="openvino is not installed")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("DeepIGeoSLib.engines.choice.openvino_installed", lambda: True)
    monkeypatch.setattr("DeepIGeoSLib.evaluation.quantization_check.find_spec", lambda name: name)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Put networks that are as good as before in the place of 8-bit ones; shapes of the inputs."""
    shapes = []

    def same(network: torch.nn.Module, inputs: list[np.ndarray]) -> tuple[bytes, bytes]:
        shapes.extend(batch.shape for batch in inputs)
        return converted(network, inputs)

    monkeypatch.setattr("DeepIGeoSLib.evaluation.quantization_check.quantize", same)
    return shapes


def converted(network: torch.nn.Module, inputs: list[np.ndarray]) -> tuple[bytes, bytes]:
    return OpenVinoRuntime().convert(network, inputs[0].shape[1]).of_any_size().saved()


def test_networks_that_lose_nothing_are_written(
    given, tiny_bundle: Path, write_case: Callable, tmp_path: Path
) -> None:
    cases = [write_case("one"), write_case("two")]
    done = optimize(load_bundle(tiny_bundle), cases, cases[:1], folder=tmp_path / "new")
    assert done.folder == tmp_path / "new"
    assert done.dice == pytest.approx(done.dice_int8, abs=1e-6)
    assert {shape[1] for shape in given} == {1, 4}
    bundle, own = load_bundle(done.folder), load_bundle(tiny_bundle)
    assert {key: bundle.manifest.weights[key] for key in own.manifest.weights} == (
        own.manifest.weights
    )
    assert "| 5 |" in (done.folder / "README.md").read_text()
    channels, _ = cases[0].load_channels()
    results = []
    for opened, engine in ((own, "torch"), (bundle, "openvino-int8"), (bundle, "torch")):
        session = InteractiveSession(opened, device="cpu", engine=engine)
        session.set_volume(channels)
        results.append(session.propose().probability)
    np.testing.assert_allclose(results[1], results[0], atol=1e-5)
    np.testing.assert_array_equal(results[2], results[0])


def test_networks_that_lose_much_are_not(
    tiny_bundle: Path, write_case: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worse(network: torch.nn.Module, inputs: list[np.ndarray]) -> tuple[bytes, bytes]:
        network.classifier.bias.data[1] -= 100  # finds nothing any more
        return converted(network, inputs)

    monkeypatch.setattr("DeepIGeoSLib.evaluation.quantization_check.quantize", worse)
    case = write_case("one")
    done = optimize(load_bundle(tiny_bundle), [case], [case], folder=tmp_path / "new")
    assert done.folder is None
    assert done.dice[0] - done.dice_int8[0] > 0.005
    assert not list(tmp_path.glob("*new*"))


def test_the_8_bit_file_is_checked_like_weights(
    given, tiny_bundle: Path, write_case: Callable, tmp_path: Path
) -> None:
    case = write_case("one")
    folder = optimize(load_bundle(tiny_bundle), [case], [case], folder=tmp_path / "new").folder
    path = folder / "rnet-int8.safetensors"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(BundleError, match=r"rnet-int8\.safetensors has the SHA-256"):
        load_bundle(folder)


def test_a_bundle_without_8_bit_networks_is_told(tiny_bundle: Path) -> None:
    with pytest.raises(BundleError, match=r"holds no int8 networks; 'deepigeos bundles optimize'"):
        Engines(load_bundle(tiny_bundle), "openvino-int8")


def test_weights_of_a_network_are_no_8_bit_network(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    weights = {**bundle.manifest.weights, "rnet-int8": bundle.manifest.weights["rnet"]}
    wrong = dataclasses.replace(
        bundle, manifest=dataclasses.replace(bundle.manifest, weights=weights)
    )
    with pytest.raises(BundleError, match="does not hold an int8 network"):
        wrong.quantized("rnet")


def test_where_it_fails_the_bundle_s_own_network_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network("multi-scale", "rnet").eval()
    image = np.random.default_rng(0).normal(size=(4, 4, 32, 32)).astype(np.float32)
    engine = OpenVinoEngine(network, runtime=OpenVinoRuntime(), quantized=(b"no xml", b""))
    expected = TorchEngine(network, "cpu").foreground_probability(image)
    np.testing.assert_array_equal(engine.foreground_probability(image), expected)


@pytest.mark.parametrize(
    ("package", "sentence"), [("nncf", "need the Python package nncf"), (None, "exists already")]
)
def test_what_cannot_work_is_told_before_the_work(
    package, sentence, tiny_bundle: Path, write_case: Callable, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(
        "DeepIGeoSLib.evaluation.quantization_check.find_spec", lambda name: name != package or None
    )
    folder = tmp_path if package is None else tmp_path / "new"
    with pytest.raises(InputError, match=sentence):
        optimize(load_bundle(tiny_bundle), [write_case("one")], [], folder=folder)


def test_the_command_optimizes(
    given, tiny_bundle: Path, write_case: Callable, tmp_path: Path, capsys, monkeypatch
) -> None:
    case = write_case("one")
    monkeypatch.setattr("DeepIGeoSLib.data.find_cases", lambda *_: [case])
    configuration = Path(__file__).parents[3] / "Configs" / "flair-rnet.json"
    out = str(tmp_path / "new")
    arguments = ["bundles", "optimize", str(tiny_bundle), "--data", str(configuration), "-o", out]
    assert main([*arguments, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["output"] == out
    assert len(result["dice"]) == len(result["dice_int8"]) == 6
    assert main(arguments[:3]) == 2
    assert "optimize needs one BUNDLE, --data CONFIG and -o OUT" in capsys.readouterr().err


def test_nncf_makes_a_network_of_8_bits_that_answers_alike() -> None:
    pytest.importorskip("nncf", reason="nncf is not installed")
    from DeepIGeoSLib.engines.quantization import quantize

    bundle = load_bundle("flair-whole-tumor")
    network = bundle.network("rnet").eval()
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(1, 4, 8, 64, 64)).astype(np.float32) for _ in range(3)]
    description, numbers = quantize(network, inputs)
    assert b"FakeQuantize" in description
    assert len(numbers) < 4 * sum(p.numel() for p in network.parameters())
    engine = OpenVinoEngine(network, runtime=OpenVinoRuntime(), quantized=(description, numbers))
    answer = engine.foreground_probability(inputs[0][0])
    expected = TorchEngine(network, "cpu").foreground_probability(inputs[0][0])
    assert 0 < np.abs(answer - expected).mean() < 0.05
