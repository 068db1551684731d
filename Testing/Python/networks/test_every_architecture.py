"""What holds for every architecture of the registry, in both dimensions."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.bundles.writer import write_bundle
from DeepIGeoSLib.networks import ARCHITECTURES, NetworkSettings, build_network

# Of networks that are small enough to be tested, and to see a small image.
SMALL: dict[str, dict] = {
    "multi-scale": {"features": [8, 12, 16, 16]},
    "dilated": {"features": 8},
    "unet": {"features": [8, 12, 16]},
    "unet-transfer": {"encoder": "plain", "features": [8, 16], "decoder": [8, 8, 8, 8, 8]},
    "deeplabv3plus": {"encoder": "plain", "features": [8, 16, 16, 16], "width": 24, "rates": [1]},
    "mask-rcnn": {"features": [8, 8, 12, 12, 16], "pyramid": 8, "hidden": 16, "flat": 3},
}
ANY_SIZE = ("dilated", "multi-scale")
EVERY = [(name, dimension) for name in ARCHITECTURES for dimension in (2, 3)]


def small(architecture: str, role: str, dimension: int, classes: int = 2) -> torch.nn.Module:
    torch.manual_seed(0)
    return build_network(
        architecture, role, dimension=dimension, classes=classes, options=SMALL[architecture]
    )


@pytest.mark.parametrize(("architecture", "dimension"), EVERY)
def test_one_sample_is_learned(architecture: str, dimension: int) -> None:
    network = small(architecture, "pnet", dimension).train()
    # Of 32, the coarsest scale of Mask R-CNN is one voxel; DeepLabV3+ rounds corners at stride 4.
    side = 64 if architecture in ("mask-rcnn", "deeplabv3plus") else 32
    shape = (4, side, side)[-dimension:]
    truth = torch.zeros(1, *shape, dtype=torch.long)
    truth[..., side // 4 : 3 * side // 4, side // 8 : 5 * side // 8] = 1
    noise = torch.Generator().manual_seed(1)
    image = truth[:, None] + 0.3 * torch.randn(1, 1, *shape, generator=noise)
    optimizer = torch.optim.Adam(network.parameters(), lr=8e-3)
    # The normalization of DeepLabV3+ needs small steps at the end to settle.
    rates = [8e-3] * 100 + [8e-4] * 100 if architecture == "deeplabv3plus" else [8e-3] * 60
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(image), truth).backward()
        optimizer.step()
    found = network.eval()(image).argmax(dim=1) == 1  # nothing is dropped any more
    overlap = 2 * int((found & (truth == 1)).sum()) / int(found.sum() + truth.sum())
    assert overlap > 0.98


@pytest.mark.parametrize(("architecture", "dimension"), EVERY)
def test_the_same_seed_gives_the_same_network_and_the_same_answer(
    architecture: str, dimension: int
) -> None:
    x = torch.randn(1, 1, *(8, 32, 32)[-dimension:])
    first, second = (small(architecture, "pnet", dimension).eval()(x) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(("architecture", "dimension"), EVERY)
def test_a_bundle_brings_networks_back_and_r_net_answers_strokes(
    architecture: str, dimension: int, tiny_bundle: Path, tmp_path: Path
) -> None:
    settings = NetworkSettings(architecture, dimension, dict(SMALL[architecture]))
    roles = ("pnet", "rnet")
    networks = {role: small(architecture, role, dimension).eval() for role in roles}
    manifest = dataclasses.replace(
        load_bundle(tiny_bundle).manifest,
        name="small",
        networks=dict.fromkeys(roles, settings),
        region=None,
    )
    write_bundle(tmp_path / "small", manifest, networks, card="# Small\n")
    written = json.loads((tmp_path / "small" / "bundle.json").read_text())["networks"]["pnet"]
    assert written["architecture"] == architecture
    assert SMALL[architecture].items() <= written["options"].items()
    bundle = load_bundle(tmp_path / "small")
    for role, network in networks.items():
        found = bundle.network(role).eval()
        assert type(found) is type(network)
        x = torch.randn(1, 1 if role == "pnet" else 4, *(8, 32, 32)[-dimension:])
        torch.testing.assert_close(found(x), network(x), atol=0.02, rtol=0.02)
    session = InteractiveSession(bundle, device="cpu")
    random = np.random.default_rng(0)
    session.set_volume(Volume(random.uniform(1, 100, (5, 40, 37)).astype(np.float32)))
    before = session.propose()
    assert before.probability.shape == (5, 40, 37)
    foreground = np.zeros((5, 40, 37), dtype=bool)
    foreground[2, 10:20, 10:13] = True
    after = session.refine(foreground=foreground, background=np.roll(foreground, 15, axis=2))
    assert after.labels[foreground].all()
    assert not after.labels[np.roll(foreground, 15, axis=2)].any()


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name not in ANY_SIZE])
def test_a_crop_that_the_strides_do_not_divide_is_refused_before_anything_is_trained(
    architecture: str, tmp_path: Path
) -> None:
    pytest.importorskip("lightning", reason="the extra 'train' is not installed")
    from DeepIGeoSLib.errors import InputError
    from DeepIGeoSLib.training.config import checked_config
    from DeepIGeoSLib.training.starting import starting_networks

    source = {"dataset": "heads", "image": "{case}_image.nii.gz", "label": "{case}_label.nii.gz"}
    mapping: dict = {
        "task": "pnet",
        "output": "run",
        "data": {"root": ".", "sources": [source]},
        "network": {
            "architecture": architecture,
            "dimension": 2,
            "options": SMALL[architecture],
        },
        "optimization": {"crop": [1, 40, 37]},
    }
    with pytest.raises(InputError, match=rf"crop is \[1, 40, 37\].*{architecture}.*multiples of"):
        starting_networks(
            checked_config(mapping, "test"), base=tmp_path, progress=None, bundle=None
        )
    steps = build_network(architecture, "pnet", dimension=2, options=SMALL[architecture])
    least = {"crop": [1, *steps.multiple_of], "batch_size": 1}
    mapping["optimization"] = least
    with pytest.raises(InputError, match=r"crop .*a single value is left"):
        starting_networks(
            checked_config(mapping, "test"), base=tmp_path, progress=None, bundle=None
        )
    mapping["optimization"] = {**least, "batch_size": 2}
    starting_networks(checked_config(mapping, "test"), base=tmp_path, progress=None, bundle=None)
