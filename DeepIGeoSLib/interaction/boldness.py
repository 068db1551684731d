"""An answer that leans towards what the newest strokes say, near them.

R-Net has learned to change what it is nearly sure of. Who paints a stroke knows more: that the
place is wrong. So near the newest strokes the answer is shifted to their class.
"""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.inputs.distance_channels import InteractionSettings
from DeepIGeoSLib.interaction.requested_changes import Request

# Probabilities are kept this far from 0 and 1, where their log-odds would be infinite.
_LEAST = 1e-4


def emboldened(
    answer: np.ndarray, maps: np.ndarray, request: Request, *, settings: InteractionSettings
) -> np.ndarray:
    """Return an answer that leans to the classes of the newest strokes.

    A foreground stroke at the geodesic distance D mm raises the log-odds by
    ``boldness * exp(-(D / boldness_reach)^2)``, a background stroke lowers them.

    Args:
        answer: probability of the target, float32, axes (k, j, i).
        maps: distances from the newest background and foreground strokes (from ``distance_maps``),
            axes (2, k, j, i).
        request: what the newest strokes ask for.
        settings: how much, and how far.

    Returns:
        A new float32 array.
    """
    sure = np.clip(answer, _LEAST, 1 - _LEAST)
    odds = np.log(sure / (1 - sure))
    signs = (-1.0 if request.removes else 0.0, 1.0 if request.adds else 0.0)
    for sign, distance in zip(signs, maps, strict=True):
        if sign:
            share = distance * np.float32(settings.max_distance / settings.boldness_reach)
            odds += np.float32(sign * settings.boldness) * np.exp(-(share**2))
    return (1 / (1 + np.exp(-odds))).astype(np.float32, copy=False)
