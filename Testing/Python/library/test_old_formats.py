"""Bundles and configurations in older words mean what they meant."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from DeepIGeoSLib import BundleError, InputError, list_bundles, load_bundle
from DeepIGeoSLib.networks import NetworkSettings
from DeepIGeoSLib.training.config import read_config

# The manifest that t1-hippocampus 0.1.1 was first written with, in format 1.
MANIFEST = Path(__file__).parent / "old_formats" / "t1-hippocampus.json"


@pytest.fixture
def old_bundle(tmp_path: Path) -> Path:
    folder = Path(shutil.copytree(load_bundle("t1-hippocampus").folder, tmp_path / "old"))
    shutil.copyfile(MANIFEST, folder / "bundle.json")
    return folder


def change(folder: Path, **values: object) -> None:
    path = folder / "bundle.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_bundle_of_format_1_is_the_same_bundle(old_bundle: Path) -> None:
    old, new = load_bundle(old_bundle), load_bundle("t1-hippocampus")
    assert json.loads(MANIFEST.read_text())["format_version"] == 1
    # What volumes a bundle fits was not said then, and 0.1.2 asks that changes hang together with
    # strokes, with which it was measured again.
    assert old.manifest.interactions == dataclasses.replace(
        new.manifest.interactions, changes="asked"
    )
    later = {
        name: getattr(new.manifest, name) for name in ("fits", "version", "interactions", "metrics")
    }
    assert dataclasses.replace(old.manifest, **later) == new.manifest
    for role in ("pnet", "rnet"):
        kept, wanted = (bundle.network(role).state_dict() for bundle in (old, new))
        assert all(torch.equal(kept[key], wanted[key]) for key in wanted)


def test_the_paper_s_preset_of_format_1_is_the_dilated_network(old_bundle: Path) -> None:
    change(old_bundle, preset="paper", dimension=2, features=[8])
    wanted = NetworkSettings("dilated", 2, {"features": 8})
    assert load_bundle(old_bundle).manifest.networks == {"pnet": wanted, "rnet": wanted}
    change(old_bundle, features=None)
    wanted = NetworkSettings("dilated", 2)
    assert load_bundle(old_bundle).manifest.networks["rnet"] == wanted


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"preset": "best"}, r"bundle.json: preset is 'best', expected one of"),
        ({"preset": ["paper"]}, r"preset is \['paper'\], expected one of"),
        ({"features": [8]}, r"features is \[8\], expected 4 number"),
        ({"features": [10**9] * 4}, r"features is \[1000000000, .*; 1 to 4096 are expected"),
        ({"dimension": 4}, "dimension is 4"),
        ({"weights": []}, "weights must be a mapping"),
        ({"networks": {}, "surprise": 1}, "unknown key 'surprise'"),
    ],
)
def test_what_format_1_never_said_is_refused(old_bundle: Path, values: dict, sentence: str) -> None:
    change(old_bundle, **values)
    with pytest.raises(BundleError, match=sentence):
        load_bundle(old_bundle)


@pytest.mark.parametrize("key", ["preset", "dimension"])
def test_what_format_1_always_said_is_missed(old_bundle: Path, key: str) -> None:
    mapping = json.loads((old_bundle / "bundle.json").read_text())
    del mapping[key]
    (old_bundle / "bundle.json").write_text(json.dumps(mapping))
    with pytest.raises(BundleError, match=f"lacks the key '{key}'"):
        load_bundle(old_bundle)


@pytest.mark.parametrize(
    ("needs", "sentence"),
    [
        ("99.2", "knows 1 to 3; it needs DeepIGeoS 99.2 or newer, and this is"),
        (None, r"has the format version 4; this program knows 1 to 3\.$"),
        ("99\x1b[2J", r"has the format version 4; this program knows 1 to 3\.$"),
    ],
)
def test_a_bundle_of_a_later_format_says_what_it_needs(
    old_bundle: Path, needs: str | None, sentence: str
) -> None:
    change(old_bundle, format_version=4, needs=needs)
    with pytest.raises(BundleError, match=sentence):
        load_bundle(old_bundle)


@pytest.mark.parametrize("name", list_bundles())
def test_a_shipped_bundle_needs_a_version_that_knows_its_format(name: str) -> None:
    # 0.1.0 was released with format 1; formats 2 and 3 came after it.
    manifest = load_bundle(name).manifest
    assert (manifest.format_version, manifest.needs) == (3, "0.2.0")


@pytest.mark.parametrize(
    ("own", "needs", "reads"),
    [
        ("0.1.0", "0.2.0", True),  # on the way to 0.2.0
        ("0.2.0", "0.2.0", True),
        ("0.2.0", "0.2.1", False),
        ("0.10.0", "0.9.0", True),
    ],
)
def test_a_bundle_is_read_from_the_version_on_that_it_needs(
    old_bundle: Path, monkeypatch: pytest.MonkeyPatch, own: str, needs: str, reads: bool
) -> None:
    shutil.copy(load_bundle("t1-hippocampus").folder / "bundle.json", old_bundle)
    change(old_bundle, needs=needs)
    monkeypatch.setattr("DeepIGeoSLib.__version__", own)
    if reads:
        assert load_bundle(old_bundle).manifest.needs == needs
    else:
        with pytest.raises(BundleError, match=rf"needs DeepIGeoS {needs} or newer, and this is"):
            load_bundle(old_bundle)


@pytest.mark.parametrize(
    ("network", "wanted"),
    [
        ({"preset": "paper"}, NetworkSettings("dilated")),
        ({"preset": "paper", "features": [4], "dimension": 2}, {"features": 4}),
        ({"features": [16, 32, 48, 64]}, {"features": [16, 32, 48, 64]}),
    ],
)
def test_a_configuration_may_name_a_preset(
    tmp_path: Path, network: dict, wanted: NetworkSettings | dict
) -> None:
    path = tmp_path / "old.json"
    source = {"dataset": "heads", "image": "{case}.nii", "label": "{case}_label.nii"}
    data = {"root": ".", "sources": [source]}
    path.write_text(json.dumps({"task": "pnet", "output": "run", "data": data, "network": network}))
    read = read_config(path).network
    assert wanted in (read, read.options)
    assert read.dimension == network.get("dimension", 3)
    path.write_text(path.read_text().replace('"network": {', '"network": {"preset": "best", '))
    if "preset" not in network:
        with pytest.raises(InputError, match="network: preset is 'best'"):
            read_config(path)
