"""What all baselines share: intensities, a box to work in, and the marks as constraints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from DeepIGeoSLib import __version__
from DeepIGeoSLib.evaluation.methods import Method
from DeepIGeoSLib.grid.boxes import Box, box_around, grown_box
from DeepIGeoSLib.inputs.normalization import NormalizationSettings, normalize
from DeepIGeoSLib.volume import Volume


class Solver(Protocol):
    """Divides a box among foreground and background."""

    def __call__(
        self,
        image: np.ndarray,
        foreground: np.ndarray,
        background: np.ndarray,
        *,
        spacing: Sequence[float],
    ) -> np.ndarray:
        """Return the foreground of a box: bool, axes (k, j, i).

        Args:
            image: normalized intensities, float32.
            foreground: bool, the seeds; at least one.
            background: the same.
            spacing: mm along (k, j, i).
        """
        ...


# mm around the marks within which baselines work. Whole volumes would take some of them minutes.
MARGIN = 40.0


class SeededBaseline(Method):
    """A method that divides a box around the marks among foreground and background.

    It starts from nothing, and answers every round from all marks anew. What lies outside the box
    is background; therefore the faces at which the volume goes on beyond the box count as
    background seeds. While there is no background seed at all, because the box is the whole volume
    and the user has marked none, every face of the box counts.
    """

    def __init__(self, name: str, solve: Solver, margin: float = MARGIN) -> None:
        """Take the solver and the mm around the marks that it gets to see."""
        self.name = name
        self._solve = solve
        self._margin = margin
        self._image = np.empty(0, dtype=np.float32)
        self._spacing = (1.0, 1.0, 1.0)

    @property
    def identity(self) -> str:
        """Name, margin and the library's version."""
        return f"{self.name} {self._margin:g} mm, {__version__}"

    def set_volume(self, channels: Sequence[Volume]) -> None:
        """Take the first channel; see ``Method``.

        Raises:
            InputError: the volume is constant.
        """
        self._image = normalize(channels[0].array, NormalizationSettings())
        self._spacing = channels[0].spacing

    def propose(self) -> np.ndarray:
        """Return an empty mask."""
        return np.zeros(self._image.shape, dtype=bool)

    def refine(self, foreground: np.ndarray, background: np.ndarray) -> np.ndarray:
        """Divide the box around the marks; see ``Method``."""
        result = self.propose()
        if not foreground.any():
            return result
        margin = [int(np.ceil(self._margin / s)) for s in self._spacing]
        box = grown_box(box_around(foreground | background), margin, result.shape)
        outside = _outside_seeds(box, result.shape)
        if not (background.any() or outside.any()):
            outside = _faces([(True, True)] * 3, outside.shape)
        marked = background[box] | (outside & ~foreground[box])
        result[box] = self._solve(self._image[box], foreground[box], marked, spacing=self._spacing)
        result[foreground] = True
        result[background] = False
        return result


def _outside_seeds(box: Box, shape: Sequence[int]) -> np.ndarray:
    """Return the faces of the box beyond which the volume goes on: bool, the box's shape."""
    ends = [(part.start > 0, part.stop < size) for part, size in zip(box, shape, strict=True)]
    return _faces(ends, [part.stop - part.start for part in box])


def _faces(ends: Sequence[tuple[bool, bool]], shape: Sequence[int]) -> np.ndarray:
    """Return the wanted faces (first and last of each axis) of a box; none of a single slice."""
    faces = np.zeros(shape, dtype=bool)
    for axis, wanted in enumerate(ends):
        along = np.moveaxis(faces, axis, 0)
        for place, is_wanted in zip((0, -1), wanted, strict=True):
            if is_wanted and shape[axis] > 1:
                along[place] = True
    return faces
