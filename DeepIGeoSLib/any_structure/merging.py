"""Which part of the network's answer a round takes over.

A foreground stroke says that something is missing there, a background stroke that something is too
much there. So a round adds what hangs together with its foreground strokes, and removes what hangs
together with its background strokes; the rest stays as it was, whatever the network thinks of it.
A box says that the target lies in it, so the answer counts in all of it.
"""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.grid.connected import touching


def merged(
    before: np.ndarray, answer: np.ndarray, strokes: Strokes, *, boxed: np.ndarray | None = None
) -> np.ndarray:
    """Return the probability after a round.

    Args:
        before: float32 probability of the target, axes (k, j, i).
        answer: the network's, on the same grid.
        strokes: the same.
        boxed: bool, where a box of this round lies; None without one.

    Returns:
        A new float32 array: ``before`` with the answer where it adds voxels connected with new
        foreground strokes or removes voxels connected with new background strokes, and
        everywhere in the box; strokes are 1 and 0.
    """
    after = before.copy()
    inside, wanted = before >= 0.5, answer >= 0.5
    for new, change in (
        (strokes.new_foreground, wanted & ~inside & ~strokes.background),
        (strokes.new_background, inside & ~wanted & ~strokes.foreground),
    ):
        if new.any():
            taken = touching(change, new)
            after[taken] = answer[taken]
    if boxed is not None:
        after[boxed] = answer[boxed]
    after[strokes.foreground] = 1
    after[strokes.background] = 0
    return after
