"""A bundle of two targets beside each other, one of two in each other, and a head to try them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.targets import Target, class_count

pytest.importorskip("torch", reason="torch is not installed")

RIM = (slice(3, 6), slice(8, 24), slice(8, 28))
CORE = (slice(3, 6), slice(12, 20), slice(14, 22))

BESIDE = (Target("rim", (1,), (200, 10, 20)), Target("core", (2,)))
NESTED = (Target("whole", (1, 2)), Target("core", (2,)))


@pytest.fixture(scope="session")
def head() -> Volume:
    """A noisy head in air with a bright rim around a brighter core; thick slices."""
    array = np.zeros((9, 32, 36), dtype=np.float32)
    array[1:8, 3:29, 3:33] = np.random.default_rng(1).normal(100, 4, (7, 26, 30))
    array[RIM] = 126
    array[CORE] = 200
    return Volume(array, spacing=(3.0, 1.0, 1.0), name="head")


@pytest.fixture(scope="session")
def core(head: Volume) -> np.ndarray:
    mask = np.zeros(head.shape, dtype=bool)
    mask[CORE] = True
    return mask


@pytest.fixture(scope="session")
def rim(head: Volume, core: np.ndarray) -> np.ndarray:
    mask = np.zeros(head.shape, dtype=bool)
    mask[RIM] = True
    return mask & ~core


@pytest.fixture(scope="session")
def bundle_of(
    tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Sequence[Target]], Path]:
    """Write a bundle whose P-Net tells two brightnesses apart.

    Class 1 is brighter than four spreads of the tissue above its median, class 2 than eight; R-Net
    is that of ``tiny_bundle``.
    """
    import torch

    from DeepIGeoSLib.bundles.writer import write_bundle
    from DeepIGeoSLib.networks import build_network

    folder = tmp_path_factory.mktemp("several")

    def write(targets: Sequence[Target]) -> Path:
        tiny = load_bundle(tiny_bundle)
        known = tiny.network("pnet")
        pnet = build_network("dilated", "pnet", classes=class_count(targets))
        state = known.state_dict()
        weight, bias = state["classifier.weight"], state["classifier.bias"]
        # The second class has twice the slope (4) of the first, so that it overtakes it 4 spreads
        # further on.
        state["classifier.weight"] = torch.stack([weight[0], weight[1], 2 * weight[1]])
        state["classifier.bias"] = torch.stack([bias[0], bias[1], 2 * bias[1] - 4.0 * 4])
        pnet.load_state_dict(state)
        path = folder / "-".join(target.name for target in targets)
        if not path.exists():
            manifest = dataclasses.replace(tiny.manifest, targets=tuple(targets))
            networks = {"pnet": pnet, "rnet": tiny.network("rnet")}
            write_bundle(path, manifest, networks, card="# For tests\n")
        return path

    return write


@pytest.fixture
def beside(bundle_of, head: Volume) -> InteractiveSession:
    session = InteractiveSession(load_bundle(bundle_of(BESIDE)), device="cpu")
    session.set_volume(head)
    return session


@pytest.fixture
def nested(bundle_of, head: Volume) -> InteractiveSession:
    session = InteractiveSession(load_bundle(bundle_of(NESTED)), device="cpu")
    session.set_volume(head)
    return session
