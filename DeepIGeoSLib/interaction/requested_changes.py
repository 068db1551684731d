"""Which of R-Net's changes the user has asked for.

A foreground stroke says that something is missing, so a round of foreground strokes only adds; a
background stroke says that something is too much, so it only removes. What the other kind of change
would have destroyed was, more often than not, correct (measured in ``Docs/evaluation.md``). Where
the settings say so, a change hangs together with a stroke that asks for it, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.grid.connected import touching
from DeepIGeoSLib.interaction.scribbles import Interactions


@dataclass(frozen=True)
class Request:
    """What the strokes of a round ask for.

    Attributes:
        adds: there are new foreground scribbles.
        removes: there are new background scribbles.
        erases: scribbles are gone, so their effect may go too, in either direction.
    """

    adds: bool
    removes: bool
    erases: bool

    @classmethod
    def of_strokes(cls, changed: np.ndarray, interactions: Interactions) -> Request:
        """Return what is asked for by the changed voxels, given all scribbles after the change."""
        added = np.isin(changed, interactions.foreground, assume_unique=True)
        removed = np.isin(changed, interactions.background, assume_unique=True)
        return cls(bool(added.any()), bool(removed.any()), not bool((added | removed).all()))

    def granted(self, before: np.ndarray, answer: np.ndarray, maps: np.ndarray) -> np.ndarray:
        """Return ``answer`` where it changes what was asked for, and ``before`` elsewhere.

        Args:
            before: probability before the round.
            answer: probability after it, the same shape.
            maps: distances from the background and from the foreground scribbles (from
                ``distance_maps``), axes (2, ...). Where both kinds of strokes are new, each voxel
                follows the scribbles that are nearer; voxels that are as near to both don't change.

        Returns:
            A new array.
        """
        if self.erases:
            return answer.copy()
        added, removed = np.maximum(before, answer), np.minimum(before, answer)
        if not self.removes:
            return added
        if not self.adds:
            return removed
        to_background, to_foreground = maps
        kept = np.where(to_background < to_foreground, removed, before)
        return np.where(to_foreground < to_background, added, kept)


def connected_changes(
    before: np.ndarray, answer: np.ndarray, *, foreground: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Return ``answer`` where a change hangs together with a stroke, and ``before`` elsewhere.

    What is added hangs together with a foreground scribble, what is removed with a background
    scribble.

    Args:
        before: probability before the round, axes (k, j, i).
        answer: probability after it, the same shape.
        foreground: all foreground scribbles, bool, the same shape.
        background: all background scribbles, the same.

    Returns:
        A new array.
    """
    inside, wanted = before >= 0.5, answer >= 0.5
    more, less = wanted & ~inside, inside & ~wanted
    elsewhere = (more & ~touching(more, foreground)) | (less & ~touching(less, background))
    return np.where(elsewhere, before, answer)
