"""Volumes and sessions that the tests of the library share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from DeepIGeoSLib import InteractiveSession, Volume, load_bundle

LESION = (slice(3, 6), slice(10, 20), slice(12, 24))


def head_with_lesion() -> Volume:
    """A noisy head in air with a bright lesion; thick slices."""
    array = np.zeros((9, 32, 36), dtype=np.float32)
    array[1:8, 3:29, 3:33] = np.random.default_rng(1).normal(100, 4, (7, 26, 30))
    array[LESION] = 160
    return Volume(array, spacing=(3.0, 1.0, 1.0), name="head")


@pytest.fixture
def head() -> Volume:
    return head_with_lesion()


@pytest.fixture
def lesion(head: Volume) -> np.ndarray:
    mask = np.zeros(head.shape, dtype=bool)
    mask[LESION] = True
    return mask


@pytest.fixture
def session(tiny_bundle: Path, head: Volume) -> InteractiveSession:
    opened = InteractiveSession(load_bundle(tiny_bundle), device="cpu")
    opened.set_volume(head)
    return opened


@pytest.fixture
def nothing(head: Volume) -> np.ndarray:
    return np.zeros(head.shape, dtype=bool)


@pytest.fixture
def stroke(nothing: np.ndarray):
    """Paint a small stroke at a place."""

    def paint(k: int, j: int, i: int) -> np.ndarray:
        mask = nothing.copy()
        mask[k, j : j + 2, i : i + 2] = True
        return mask

    return paint
