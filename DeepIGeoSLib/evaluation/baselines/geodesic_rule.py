"""The geodesic two-class rule: each voxel joins the class whose seeds are nearer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.geodesic import geodesic_distances


def nearest_class(
    image: np.ndarray, foreground: np.ndarray, background: np.ndarray, *, spacing: Sequence[float]
) -> np.ndarray:
    """Return where the foreground seeds are nearer than the background ones; ties are background.

    The rule of Bai and Sapiro, "Geodesic matting" (IJCV 82(2), 2009). Arguments: see ``Solver``.
    """
    to_foreground, to_background = seed_distances(image, foreground, background, spacing=spacing)
    return to_foreground < to_background


def seed_distances(
    image: np.ndarray, foreground: np.ndarray, background: np.ndarray, *, spacing: Sequence[float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the paper's geodesic distances from both classes of seeds: of intensities alone.

    Millimeters don't count. Mixed with the distances of the shipped networks, of which half are
    millimeters, the rule did worse on training cases. Arguments: see ``Solver``.
    """
    seeds = {"foreground": foreground, "background": background}
    distances = geodesic_distances(image, seeds, spacing, weight=1.0)
    return distances["foreground"], distances["background"]
