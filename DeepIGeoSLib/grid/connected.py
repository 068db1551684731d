"""Which parts of a mask hang together with marks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage


def touching(mask: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Return the connected parts of a mask that hold or touch a mark.

    Voxels hang together by their faces.

    Args:
        mask: bool, axes (k, j, i).
        marks: the same.
    """
    numbered, _ = ndimage.label(mask | marks)
    return np.isin(numbered, np.unique(numbered[marks])) & mask
