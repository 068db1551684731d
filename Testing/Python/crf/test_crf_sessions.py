"""Bundles hold CRF-Nets; sessions and commands apply them, or don't."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import InputError, InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.bundles import Bundle, crf_key
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.cli import main
from DeepIGeoSLib.crf.crfnet import CRFNet
from DeepIGeoSLib.crf.settings import CrfSettings
from DeepIGeoSLib.errors import BundleError

LESION = (slice(3, 6), slice(10, 20), slice(12, 24))
SPECK = (7, 25, 6)
SMOOTHING = CrfSettings(pairwise="contrast", sigma=50.0, omega=1.0)


@pytest.fixture
def head() -> Volume:
    """A head with a lesion, and one bright voxel elsewhere, which P-Net takes for one."""
    array = np.zeros((9, 32, 36), dtype=np.float32)
    array[1:8, 3:29, 3:33] = np.random.default_rng(1).normal(100, 4, (7, 26, 30))
    array[LESION] = 160
    array[SPECK] = 125
    return Volume(array, spacing=(3.0, 1.0, 1.0), name="head")


@pytest.fixture
def nothing(head: Volume) -> np.ndarray:
    return np.zeros(head.shape, dtype=bool)


def with_crf(folder: Path, settings: CrfSettings) -> Bundle:
    bundle = load_bundle(folder)
    return dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, crf=settings))


def proposed(bundle: Bundle, head: Volume, crf: bool | None) -> np.ndarray:
    session = InteractiveSession(bundle, device="cpu", crf=crf)
    session.set_volume(head)
    return session.propose().labels


def test_the_crf_removes_a_speck_and_keeps_the_lesion(tiny_bundle: Path, head: Volume) -> None:
    bundle = with_crf(tiny_bundle, SMOOTHING)
    plain, smooth = (proposed(bundle, head, crf) for crf in (False, True))
    assert plain[SPECK] == 1
    assert smooth[SPECK] == 0
    assert smooth[LESION].mean() > 0.9
    assert plain[LESION].mean() > 0.9


def test_the_bundle_decides_unless_the_caller_does(tiny_bundle: Path, head: Volume) -> None:
    on = with_crf(tiny_bundle, SMOOTHING)
    off = with_crf(tiny_bundle, dataclasses.replace(SMOOTHING, enabled=False))
    assert proposed(on, head, None)[SPECK] == 0
    assert proposed(off, head, None)[SPECK] == 1
    assert proposed(off, head, True)[SPECK] == 0


def test_a_session_switches_between_rounds(tiny_bundle: Path, head: Volume) -> None:
    session = InteractiveSession(with_crf(tiny_bundle, SMOOTHING), device="cpu")
    session.set_volume(head)
    assert session.crf
    assert session.propose().labels[SPECK] == 0
    session.crf = False
    assert session.propose().labels[SPECK] == 1
    session.crf = None
    assert session.propose().labels[SPECK] == 0


def test_bundles_from_before_have_no_crf(tiny_bundle: Path, head: Volume, tmp_path: Path) -> None:
    folder = tmp_path / "older"
    shutil.copytree(tiny_bundle, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest.pop("crf")
    (folder / "bundle.json").write_text(json.dumps(manifest))
    bundle = load_bundle(folder)
    assert proposed(bundle, head, None)[LESION].all()
    with pytest.raises(InputError, match="has no CRF to switch on"):
        InteractiveSession(bundle, crf=True)


def test_scribbles_survive_any_strength(
    tiny_bundle: Path, head: Volume, nothing: np.ndarray
) -> None:
    bundle = with_crf(tiny_bundle, dataclasses.replace(SMOOTHING, strength=1e4))
    session = InteractiveSession(bundle, device="cpu")
    session.set_volume(head)
    session.propose()
    foreground, background = nothing.copy(), nothing.copy()
    foreground[4, 6, 6] = True
    background[4, 15, 18] = True
    labels = session.refine(foreground, background).labels
    assert labels[4, 6, 6] == 1
    assert labels[4, 15, 18] == 0


def test_a_round_with_the_crf_changes_only_what_its_strokes_ask_for(
    tiny_bundle: Path, head: Volume, nothing: np.ndarray
) -> None:
    session = InteractiveSession(with_crf(tiny_bundle, SMOOTHING), device="cpu")
    session.set_volume(head)
    before = session.propose().labels
    foreground = nothing.copy()
    foreground[4, 6, 6:9] = True
    after = session.refine(foreground).labels
    assert np.all(after >= before)


def test_trained_weights_travel_in_the_bundle(
    tiny_bundle: Path, head: Volume, tmp_path: Path
) -> None:
    settings = CrfSettings(window=(3, 3, 3), hidden=(6,))
    torch.manual_seed(0)
    crf = CRFNet.of(settings)
    original = load_bundle(tiny_bundle)
    networks = {role: original.network(role) for role in ("pnet", "rnet")}
    networks[crf_key("pnet")] = crf
    manifest = dataclasses.replace(original.manifest, crf=settings)
    write_bundle(tmp_path / "trained", manifest, networks, card="# Trained\n")
    bundle = load_bundle(tmp_path / "trained")
    loaded = bundle.crf("pnet").state_dict()
    for key, value in crf.state_dict().items():
        assert torch.allclose(loaded[key], value, rtol=1e-3), key
    with pytest.raises(BundleError, match=r"names no weights for 'rnet-crf'"):
        bundle.crf("rnet")
    (tmp_path / "trained" / "pnet-crf.safetensors").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"pnet-crf\.safetensors has the SHA-256"):
        load_bundle(tmp_path / "trained")


def test_weights_of_another_crf_are_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    original = load_bundle(tiny_bundle)
    networks = {role: original.network(role) for role in ("pnet", "rnet")}
    networks[crf_key("pnet")] = CRFNet.of(CrfSettings(hidden=(5,)))
    manifest = dataclasses.replace(original.manifest, crf=CrfSettings(hidden=(6,)))
    write_bundle(tmp_path / "wrong", manifest, networks, card="# Wrong\n")
    with pytest.raises(BundleError, match="does not hold the weights of the freeform CRF"):
        load_bundle(tmp_path / "wrong").crf("pnet")


def test_the_commands_switch_the_crf(
    tiny_bundle: Path, head: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "smooth"
    shutil.copytree(tiny_bundle, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["crf"] = dataclasses.asdict(SMOOTHING)
    (folder / "bundle.json").write_text(json.dumps(manifest))
    image, out = str(tmp_path / "head.nii.gz"), str(tmp_path / "out.nii.gz")
    head.write_map(image, head.array)
    voxels = {}
    for switch in ("--crf", "--no-crf"):
        arguments = ["segment", image, "-o", out, "--bundle", str(folder), "--device", "cpu"]
        assert main([*arguments, switch, "--json"]) == 0
        voxels[switch] = json.loads(capsys.readouterr().out)["voxels"]
    assert voxels["--crf"] < voxels["--no-crf"]
    plain = ["segment", image, "-o", out, "--bundle", str(tiny_bundle), "--crf"]
    assert main(plain) == 2
    assert "has no CRF to switch on" in capsys.readouterr().err


def test_evaluation_measures_with_and_without(
    tiny_bundle: Path, head: Volume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "smooth"
    shutil.copytree(tiny_bundle, folder)
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["crf"] = dataclasses.asdict(SMOOTHING)
    (folder / "bundle.json").write_text(json.dumps(manifest))
    image, truth = str(tmp_path / "head.nii.gz"), str(tmp_path / "truth.nii.gz")
    head.write_map(image, head.array)
    mask = np.zeros(head.shape, dtype=np.uint8)
    mask[LESION] = 1
    head.write_labels(truth, mask)
    arguments = ["evaluate", "--image", image, "--truth", truth, "--rounds", "1", "--json"]
    reports = {}
    for switch in ("--crf", "--no-crf"):
        assert main([*arguments, "--bundle", str(folder), "--device", "cpu", switch]) == 0
        reports[switch] = json.loads(capsys.readouterr().out)["report"]
    assert reports["--crf"] != reports["--no-crf"]
