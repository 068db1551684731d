"""Images on disk that the tests of the formats share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import SimpleITK


@pytest.fixture
def voxels() -> np.ndarray:
    """Air, a noisy head and a bright box; int16."""
    array = np.zeros((12, 20, 22), dtype=np.int16)
    array[1:-1, 3:-3, 3:-3] = np.random.default_rng(0).normal(100, 5, (10, 14, 16))
    array[4:8, 6:12, 7:13] = 180
    return array


@pytest.fixture
def write() -> Callable[..., Path]:
    """Write voxels by SimpleITK, on an anisotropic grid."""

    def written(
        path: Path,
        array: np.ndarray,
        *,
        compressed: bool = False,
        spacing: Sequence[float] = (1, 1, 3),
        direction: Sequence[float] = (1, 0, 0, 0, 1, 0, 0, 0, 1),
    ) -> Path:
        image = SimpleITK.GetImageFromArray(array)
        image.SetSpacing(spacing)
        image.SetOrigin((10, -20, 30))
        image.SetDirection(direction)
        SimpleITK.WriteImage(image, str(path), compressed)
        return path

    return written
