"""Voxels that were painted in both classes of seeds: the later stroke wins.

The Segment Editor lets strokes of both kinds overlap, and a saved scene can't tell which came
later. So the seeds are settled in the scene itself, as soon as a stroke is finished.
"""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.interactions import Interactions
from DeepIGeoSLib.preprocessing import whole_box


class Overlaps:
    """Follows the seeds of one target from stroke to stroke.

    All masks are bool, axes (k, j, i).
    """

    def __init__(self) -> None:
        """Begin without seeds."""
        self._known: Interactions | None = None

    def begin(self, foreground: np.ndarray, background: np.ndarray, target: np.ndarray) -> None:
        """Take what is painted already.

        Args:
            foreground: seeds.
            background: seeds.
            target: what the strokes were answered by. Every round obeys its strokes, so it tells
                which of two overlapping ones came later.
        """
        given = np.flatnonzero(foreground), np.flatnonzero(background)
        both = np.intersect1d(*given, assume_unique=True)
        later = np.take(target, both) > 0
        settled = np.setdiff1d(given[0], both[~later]), np.setdiff1d(given[1], both[later])
        self._known = Interactions(foreground.shape, *settled, *given)

    def settled(
        self, foreground: np.ndarray, background: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return both classes without the voxels that the other one got later.

        Raises:
            InputError: voxels got both classes at the same time.
        """
        known = self._known or Interactions(foreground.shape)
        self._known = known.updated(foreground, background)
        if not (foreground & background).any():
            return foreground, background
        masks = self._known.seeds(whole_box(foreground.shape))
        self.begin(*masks, masks[0])
        return masks
