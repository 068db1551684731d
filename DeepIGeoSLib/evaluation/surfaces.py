"""Distances between the surfaces of two masks, in mm.

The surface of a mask are its voxels that have a face neighbor outside of it; beyond the volume's
border is outside. Each such voxel is one point, its center, and counts once: the definitions of
MONAI and of most published tables, with which the tests compare the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import bounding_box


@dataclass(frozen=True)
class SurfaceDistances:
    """How far the points of each surface are from the other surface.

    Where exactly one mask is empty, there is no surface to be near: every distance is infinite,
    and so are average and percentiles, and no share is within any tolerance. Two empty masks agree
    perfectly: distances are 0, and everything is within the tolerance.

    Attributes:
        forth: mm from each point of the first surface to the nearest of the second.
        back: mm from each point of the second surface to the nearest of the first.
    """

    forth: np.ndarray
    back: np.ndarray

    def average(self) -> float:
        """Return the average symmetric surface distance: the mean over both surfaces' points."""
        both = np.concatenate([self.forth, self.back])
        return float(both.mean()) if both.size else 0.0

    def percentile(self, percent: float) -> float:
        """Return the larger of both directions' percentiles; 100 gives the Hausdorff distance."""
        return max(_percentile(self.forth, percent), _percentile(self.back, percent))

    def share_within(self, tolerance: float) -> float:
        """Return the share of both surfaces' points that are at most ``tolerance`` mm away."""
        both = np.concatenate([self.forth, self.back])
        return float((both <= tolerance).mean()) if both.size else 1.0


def surface_distances(a: np.ndarray, b: np.ndarray, spacing: Sequence[float]) -> SurfaceDistances:
    """Return the distances between the surfaces of two masks.

    Args:
        a: bool, axes (k, j, i) or (j, i).
        b: the same.
        spacing: mm along each axis.

    Raises:
        InputError: the shapes differ, or the spacing has another number of axes.
    """
    if a.shape != b.shape or len(spacing) != a.ndim:
        raise InputError(
            f"Masks of one shape and a spacing for each axis are needed, but the shapes are "
            f"{a.shape} and {b.shape}, and the spacing is {tuple(spacing)}."
        )
    points = [_surface_points(mask, spacing) for mask in (a, b)]
    return SurfaceDistances(_nearest(*points), _nearest(*reversed(points)))


def _surface_points(mask: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the places of the surface voxels' centers in mm, axes (point, axis)."""
    box = bounding_box(mask)
    if box is None:
        return np.empty((0, mask.ndim))
    inside = mask[box]
    # Erosion takes what lies beyond the array for outside, so a mask's surface may be its border.
    surface = inside & ~ndimage.binary_erosion(inside)
    return (np.argwhere(surface) + [part.start for part in box]) * np.asarray(spacing, dtype=float)


def _nearest(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the distance of each point from the nearest of the others; infinite without any."""
    if len(points) == 0 or len(others) == 0:
        return np.full(len(points), np.inf)
    return KDTree(others).query(points)[0]


def _percentile(distances: np.ndarray, percent: float) -> float:
    if not distances.size:
        return 0.0
    # Interpolation would make NaN out of infinite distances; all are infinite, or none is.
    return float(np.percentile(distances, percent)) if np.isfinite(distances[0]) else np.inf
