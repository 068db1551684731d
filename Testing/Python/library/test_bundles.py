"""Bundles are checked before anything in them is used."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import BundleError, InteractiveSession, list_bundles, load_bundle
from DeepIGeoSLib.bundles.checks import file_sha256
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import NetworkSettings, build_network

from .conftest import head_with_lesion


@pytest.fixture
def bundle_copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "copy"))


def change_manifest(folder: Path, **changes: object) -> None:
    path = folder / "bundle.json"
    manifest = json.loads(path.read_text())
    manifest.update(changes)
    path.write_text(json.dumps(manifest))


def test_networks_come_back_as_they_were_saved(tiny_bundle: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    networks = {role: build_network("multi-scale", role) for role in ("pnet", "rnet")}
    manifest = load_bundle(tiny_bundle).manifest
    described = {role: NetworkSettings("multi-scale") for role in networks}
    manifest = dataclasses.replace(manifest, networks=described)
    write_bundle(tmp_path / "new", manifest, networks, card="# New\n")
    for role, network in networks.items():
        again = load_bundle(tmp_path / "new").network(role)
        for key, value in network.state_dict().items():
            # Convolution weights are stored in half precision.
            expected = value.half().float() if value.ndim > 1 else value
            assert torch.equal(again.state_dict()[key], expected), key


def test_manifest_survives_writing(tiny_bundle: Path, tmp_path: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    networks = {role: bundle.network(role) for role in ("pnet", "rnet")}
    write_bundle(tmp_path / "again", bundle.manifest, networks, card="# Again\n")
    assert load_bundle(tmp_path / "again").manifest == bundle.manifest


def test_whoever_may_read_a_new_file_may_read_the_weights(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(tiny_bundle)
    networks = {role: bundle.network(role) for role in ("pnet", "rnet")}
    write_bundle(tmp_path / "shared", bundle.manifest, networks, card="# Shared\n")
    (tmp_path / "new").touch()
    modes = {path.stat().st_mode for path in (tmp_path / "shared").iterdir()}
    assert modes == {(tmp_path / "new").stat().st_mode}


def test_a_flipped_byte_is_noticed(bundle_copy: Path) -> None:
    path = bundle_copy / "rnet.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"rnet\.safetensors has the SHA-256 .* manifest says"):
        load_bundle(bundle_copy)


def test_weights_outside_the_folder_are_refused(bundle_copy: Path) -> None:
    weights = json.loads((bundle_copy / "bundle.json").read_text())["weights"]
    for name in ("../pnet.safetensors", "/etc/passwd", "pnet.pth"):
        weights["pnet"]["file"] = name
        change_manifest(bundle_copy, weights=weights)
        with pytest.raises(BundleError, match="in the bundle's own folder is expected"):
            load_bundle(bundle_copy)


def test_pickled_weights_are_never_opened(bundle_copy: Path, tmp_path: Path) -> None:
    """A pickle under a safetensors name passes the hash, and is still not executed."""
    witness = tmp_path / "executed"

    class Trap:
        def __reduce__(self):
            return (witness.touch, ())

    torch.save({"weight": Trap()}, bundle_copy / "pnet.safetensors")
    weights = json.loads((bundle_copy / "bundle.json").read_text())["weights"]
    weights["pnet"]["sha256"] = file_sha256(bundle_copy / "pnet.safetensors")
    change_manifest(bundle_copy, weights=weights)
    with pytest.raises(BundleError, match="does not hold the weights"):
        load_bundle(bundle_copy).network("pnet")
    assert not witness.exists()


def of_width(width: object) -> dict:
    network = {"architecture": "dilated", "options": {"features": width}}
    return {"pnet": network, "rnet": network}


IMPOSSIBLE = {
    "no region": ({"region": [0, 24, 24]}, r"region is \[0, 24, 24\]; 1 to 2048"),
    "negative region": ({"region": [8, -24, 24]}, "region is"),
    "absurd region": ({"region": [8, 24, 10**9]}, "region is"),
    "wide": ({"networks": of_width(10**9)}, "features is"),
    "name with a slash": ({"name": "a/b"}, "the name 'a/b' is none"),
    "name that climbs": ({"name": ".."}, "the name '..' is none"),
    "backslash": ({"name": "a\\b"}, "is none"),
    "no name": ({"name": " "}, "is none"),
    "long name": ({"name": "x" * 300}, "is none"),
    "control character": ({"name": "a\x1b[31mb"}, "name holds the character U.001B"),
    "turned direction": ({"name": "a\u202eb"}, "name holds the character U.202E"),
    "surrogate": ({"task": "a\ud800b"}, "task holds the character U.D800"),
    "surrogate in a table": ({"metrics": [{"a\ud800": 1}]}, "metrics holds the character U.D800"),
    "new line": ({"license": "free\ndeepigeos: all is well"}, "license holds the character U.000A"),
    "long text": ({"task": "x" * 20_000}, "task holds a text of 20000 characters"),
    "infinite metric": ({"metrics": [{"dice": float("inf")}]}, "holds the number Infinity"),
    "metric that is none": ({"metrics": [{"dice": float("nan")}]}, "holds the number NaN"),
    "no channels": ({"channels": []}, "names 0 channels"),
    "too many channels": ({"channels": ["c"] * 1000}, "names 1000 channels"),
    "digits": ({"region": [8, 24, 10**5000]}, "is not valid JSON"),
    "spacing": ({"grid": {"minimum": [0, 1, 1], "maximum": [1, 1, 1], "margin": 5}}, "minimum is"),
    "distance": ({"interactions": {"max_distance": 0}}, "max_distance is 0"),
    "share": ({"interactions": {"weight": 2}}, "weight is 2"),
    "clip": ({"normalization": {"clip": [3, -3]}}, r"clip is \[3.0, -3.0\]"),
}


@pytest.mark.parametrize(("changes", "sentence"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_what_can_not_be_true_is_refused(bundle_copy: Path, changes: dict, sentence: str) -> None:
    sys.set_int_max_str_digits(0)
    try:
        change_manifest(bundle_copy, **changes)
    finally:
        sys.set_int_max_str_digits(sys.int_info.default_max_str_digits)
    with pytest.raises(BundleError, match=sentence):
        load_bundle(bundle_copy)


def test_numbers_beyond_every_float_are_refused(bundle_copy: Path) -> None:
    path = bundle_copy / "bundle.json"
    path.write_text(path.read_text().replace('"max_distance": 10.0', '"max_distance": 1e999'))
    with pytest.raises(BundleError, match="holds the number 1e999; finite numbers"):
        load_bundle(bundle_copy)


def test_deep_nesting_is_refused(bundle_copy: Path) -> None:
    (bundle_copy / "bundle.json").write_text("[" * 100_000)
    with pytest.raises(BundleError, match="is not valid JSON"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("name", ["bundle.json", "pnet.safetensors"])
def test_files_of_gigabytes_are_not_read(bundle_copy: Path, name: str) -> None:
    """Sparse files of 3 GB; reading one would take seconds and all of the memory."""
    with (bundle_copy / name).open("r+b") as stream:
        stream.truncate(3 * 2**30)
    with pytest.raises(BundleError, match=f"{name} has 3221225472 bytes"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(bundle_copy: Path, value: float) -> None:
    from safetensors.torch import load_file, save_file

    path = bundle_copy / "rnet.safetensors"
    state = load_file(path)
    key = next(iter(state))
    state[key].view(-1)[0] = value
    save_file(state, path)
    weights = json.loads((bundle_copy / "bundle.json").read_text())["weights"]
    weights["rnet"]["sha256"] = file_sha256(path)
    change_manifest(bundle_copy, weights=weights)
    with pytest.raises(BundleError, match="NaN or infinite weights in"):
        load_bundle(bundle_copy).network("rnet")


BAD_MANIFESTS = {
    "future version": ({"format_version": 99}, "format version 99; this program knows 1"),
    "unknown key": ({"surprise": 1}, "unknown key 'surprise'"),
    "no networks": ({"weights": {}}, "names no weights for 'pnet'"),
    "unknown architecture": (
        {"networks": {"pnet": {"architecture": "best"}}},
        "There is no architecture 'best'; choose one of",
    ),
    "no architecture": ({"networks": {}}, "names no architecture for 'pnet'"),
    "newer program": ({"needs": "99.1"}, "it needs DeepIGeoS 99.1 or newer, and this is"),
}


@pytest.mark.parametrize(("changes", "sentence"), BAD_MANIFESTS.values(), ids=BAD_MANIFESTS.keys())
def test_unusable_manifests_are_refused(bundle_copy: Path, changes: dict, sentence: str) -> None:
    change_manifest(bundle_copy, **changes)
    with pytest.raises(BundleError, match=sentence):
        load_bundle(bundle_copy)


def test_damaged_folders_are_refused(bundle_copy: Path, tmp_path: Path) -> None:
    (bundle_copy / "pnet.safetensors").unlink()
    with pytest.raises(BundleError, match=r"pnet\.safetensors are missing"):
        load_bundle(bundle_copy)
    (bundle_copy / "bundle.json").write_text("{")
    with pytest.raises(BundleError, match="not valid JSON"):
        load_bundle(bundle_copy)
    (bundle_copy / "bundle.json").unlink()
    with pytest.raises(BundleError, match=r"has no bundle\.json"):
        load_bundle(bundle_copy)
    with pytest.raises(BundleError, match="There is no bundle 'nowhere'"):
        load_bundle("nowhere")


def test_weights_of_another_network_are_refused(bundle_copy: Path) -> None:
    other = {"architecture": "multi-scale"}
    change_manifest(bundle_copy, networks={"pnet": other, "rnet": other})
    with pytest.raises(BundleError, match="does not hold the weights of the multi-scale 3D pnet"):
        load_bundle(bundle_copy).network("pnet")


def test_an_existing_folder_is_not_overwritten(tiny_bundle: Path) -> None:
    bundle = load_bundle(tiny_bundle)
    before = (tiny_bundle / "bundle.json").read_bytes()
    with pytest.raises(InputError, match="exists already"):
        write_bundle(tiny_bundle, bundle.manifest, {}, card="")
    assert (tiny_bundle / "bundle.json").read_bytes() == before


@pytest.mark.parametrize("name", list_bundles())
def test_shipped_bundles_are_complete(name: str) -> None:
    bundle = load_bundle(name)
    assert bundle.manifest.name == name
    assert bundle.manifest.training_data
    assert bundle.manifest.metrics
    card = (bundle.folder / "README.md").read_text(encoding="utf-8")
    for data in bundle.manifest.training_data:
        assert data.license in card
    for role in ("any-structure",) if bundle.manifest.for_any_structure else ("pnet", "rnet"):
        for value in bundle.network(role).state_dict().values():
            assert np.isfinite(value.double().numpy()).all()


def test_networks_run_whatever_the_bundle_is_called(bundle_copy: Path) -> None:
    """The seed-only method is told apart by having no networks, not by its name."""
    volume = head_with_lesion()
    answers = []
    for name in ("tiny", "geodesic"):
        change_manifest(bundle_copy, name=name)
        session = InteractiveSession(load_bundle(bundle_copy), device="cpu")
        session.set_volume(volume)
        answers.append(session.propose().labels)
    assert answers[0].any()
    assert np.array_equal(*answers)


@pytest.mark.parametrize("name", ["geodesic", "flair-whole-tumor"])
def test_a_path_is_a_folder_whatever_it_is_called(
    bundle_copy: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(bundle_copy.parent)
    bundle_copy.rename(name)
    bundle = load_bundle(Path(name))
    assert bundle.has_networks
    assert bundle.manifest == load_bundle(f"./{name}").manifest


def test_the_seed_only_method_has_no_networks() -> None:
    bundle = load_bundle("geodesic")
    assert not bundle.has_networks
    with pytest.raises(BundleError, match="The bundle geodesic has no networks"):
        bundle.network("pnet")


def test_the_flair_bundle_is_shipped() -> None:
    assert "flair-whole-tumor" in list_bundles()


def test_narrower_networks_come_back_from_a_bundle(tiny_bundle: Path, tmp_path: Path) -> None:
    described = NetworkSettings("multi-scale", options={"features": [4, 6, 8, 8]})
    networks = {role: described.build(role) for role in ("pnet", "rnet")}
    narrow = dataclasses.replace(
        load_bundle(tiny_bundle).manifest, networks=dict.fromkeys(networks, described)
    )
    write_bundle(tmp_path / "narrow", narrow, networks, card="# Narrow\n")
    bundle = load_bundle(tmp_path / "narrow")
    assert bundle.manifest.networks["rnet"].options["features"] == [4, 6, 8, 8]
    assert bundle.network("rnet").stem.out_channels == 4
