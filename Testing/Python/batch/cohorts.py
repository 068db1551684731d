"""Small heads, and what is in a folder of results."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from DeepIGeoSLib import Volume

# In the cohort of ``by_one_process``.
CASES = 8

SHAPE, SPACING = (5, 20, 24), (3.0, 1.0, 1.0)


def a_head(seed: int, shape: tuple[int, int, int] = SHAPE) -> tuple[Volume, np.ndarray]:
    """Return noise in air with a bright lesion, and where that is."""
    rng = np.random.default_rng(seed)
    array = np.zeros(shape, dtype=np.float32)
    array[:, 2:-2, 2:-2] = rng.normal(100, 4, (shape[0], shape[1] - 4, shape[2] - 4))
    lesion = np.zeros(shape, dtype=bool)
    j, i = rng.integers(4, 8, 2)
    lesion[1:-1, j : j + 6, i : i + 6] = True
    array[lesion] = 170
    return Volume(array, spacing=SPACING), lesion


def files_of(folder: Path) -> dict[str, bytes]:
    """Return what is in the files of a folder, but not in those that a run keeps for itself."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "deepigeos-batch" not in path.parts
    }
