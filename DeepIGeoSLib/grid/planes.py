"""How slices of a volume lie on paper and on screens, as radiologists look at them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_PLANES = {"S": "axial", "A": "coronal", "L": "sagittal"}
_OPPOSITE = dict(zip("RLAPSI", "LRPAIS", strict=True))

# A plane is drawn where its pixels are at most so many times as long as wide; thick slices cut the
# other way are a blur.
_LONGEST_PIXEL = 2.0


@dataclass(frozen=True)
class Plane:
    """How one plane of an array is laid on paper.

    Attributes:
        name: axial, coronal or sagittal, whichever is nearest.
        axes: of the array (0 to 2): across the plane, down the paper, and to its right.
        flips: whether the axes down the paper and to its right are reversed.
        letters: the patient's direction at the left, right, top and bottom edge.
        pixel: mm down the paper, and to its right.
    """

    name: str
    axes: tuple[int, int, int]
    flips: tuple[bool, bool]
    letters: tuple[str, str, str, str]
    pixel: tuple[float, float]

    @property
    def long(self) -> float:
        """How many times as long as wide its pixels are."""
        return max(self.pixel) / min(self.pixel)

    def height(self, shape: tuple[int, int, int]) -> float:
        """Return how many times as high as wide a slice of an array of a shape is."""
        _, down, right = self.axes
        return shape[down] * self.pixel[0] / (shape[right] * self.pixel[1])

    def of(self, array: np.ndarray, index: int) -> np.ndarray:
        """Return a slice of an array (k, j, i) as it lies on paper, as a view."""
        across, down, right = self.axes
        lying = array.transpose(across, down, right)[index]
        return lying[:: -1 if self.flips[0] else 1, :: -1 if self.flips[1] else 1]


def planes(ijk_to_ras: np.ndarray) -> list[Plane]:
    """Return the planes of a grid that are worth looking at: axial, coronal, sagittal.

    Head, or front, is up; the patient's left is at the right, as if seen from the feet or from the
    front; from the side, the face looks to the left.

    Args:
        ijk_to_ras: 4 x 4 matrix of the volume.
    """
    columns = np.asarray(ijk_to_ras, dtype=float)[:3, :3][:, ::-1]  # as (k, j, i)
    spacing = np.linalg.norm(columns, axis=0)
    letters = _letters(columns / spacing)
    found = [_plane(across, letters, spacing) for across in range(3)]
    shortest = min(plane.long for plane in found)
    kept = [plane for plane in found if plane.long <= max(_LONGEST_PIXEL, shortest)]
    return sorted(kept, key=lambda plane: plane.name)


def _letters(directions: np.ndarray) -> list[str]:
    """Return where each array axis points, each of the three lines of the body once."""
    from scipy.optimize import linear_sum_assignment

    lines, axes = linear_sum_assignment(-np.abs(directions))
    named = dict(zip(axes, lines, strict=True))
    return ["RAS"[named[n]] if directions[named[n], n] > 0 else "LPI"[named[n]] for n in range(3)]


def _plane(across: int, letters: list[str], spacing: np.ndarray) -> Plane:
    down, right = (axis for axis in range(3) if axis != across)
    # Head to foot goes down the paper; where a plane has no head, front to back does.
    order = "RLAPSI"
    if order.index(letters[down]) // 2 < order.index(letters[right]) // 2:
        down, right = right, down
    flips = (letters[down] in "SA", letters[right] in "RA")
    bottom = _OPPOSITE[letters[down]] if flips[0] else letters[down]
    end = _OPPOSITE[letters[right]] if flips[1] else letters[right]
    name = next(_PLANES[x] for x in (letters[across], _OPPOSITE[letters[across]]) if x in _PLANES)
    pixel = (float(spacing[down]), float(spacing[right]))
    edges = (_OPPOSITE[end], end, _OPPOSITE[bottom], bottom)
    return Plane(name, (across, down, right), flips, edges, pixel)
