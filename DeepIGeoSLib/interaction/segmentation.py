"""What a session answers: labels, probabilities and where to look next."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, whole_box
from DeepIGeoSLib.grid.orientation import Orientation
from DeepIGeoSLib.interaction.history import Snapshot


@dataclass(frozen=True)
class Segmentation:
    """A result on the volume's grid, which stays what it is whatever rounds follow.

    Its arrays are made when they are first asked for, and belong to the caller.

    Attributes:
        changed_box: slices (k, j, i) of the smallest box whose labels differ from the round before
            (for a first result: from nothing); empty slices when none differ.
        region: slices of the box that the round was free to change: the region of influence of its
            strokes.
        target: name of one of a bundle's several targets; empty for a single one.
    """

    changed_box: Box
    region: Box
    _snapshot: Snapshot = field(repr=False)
    _orientation: Orientation = field(repr=False)
    target: str = ""

    @cached_property
    def probability(self) -> np.ndarray:
        """float32 in [0, 1], axes (k, j, i)."""
        whole = whole_box(self._snapshot.shape)
        return np.ascontiguousarray(self._orientation.invert(self._snapshot.read(whole)))

    def labels_in(self, box: Box) -> np.ndarray:
        """Return the labels of a box (slices k, j, i) alone: bool, an array of its own."""
        turned = self._orientation.apply_to_box(box, self._volume_shape)
        return self._orientation.invert(self._snapshot.read(turned)) >= 0.5

    @property
    def _volume_shape(self) -> tuple[int, int, int]:
        shape = self._snapshot.shape
        return tuple(shape[position] for position in np.argsort(self._orientation.axes))

    @cached_property
    def labels(self) -> np.ndarray:
        """uint8, axes (k, j, i): 1 = target."""
        return np.ascontiguousarray(self._orientation.invert(self._snapshot.read_labels()))

    @cached_property
    def uncertainty(self) -> np.ndarray:
        """float32 in [0, 1], axes (k, j, i): entropy of the probability in bits; where to look."""
        p = np.clip(self.probability, 1e-6, 1 - 1e-6)
        return -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
