"""Two targets beside each other, two in each other, and a head to try bundles of them."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle
from DeepIGeoSLib.targets import Target

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
