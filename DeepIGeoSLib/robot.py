"""The robot user of the evaluation: it corrects the largest mistake, always in the same way.

Training has users of its own (see ``simulation``), who differ from stroke to stroke.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.simulation import Stroke, error_regions

Mode = Literal["stroke", "click"]

# Radius of the brush in voxels, unless the caller chooses another.
RADII: dict[Mode, float] = {"stroke": 3.0, "click": 1.0}


@dataclass(frozen=True)
class RobotUser:
    """How a robot user marks what is wrong.

    Attributes:
        mode: "stroke" paints a disk in one slice, "click" a small ball.
        radius: of the disk or ball, in voxels; that of ``RADII`` when None.
        seed: None marks the middle of the mistake, the place farthest from its border. A number
            makes another user of the same kind, who marks a place drawn at random, likelier deep
            inside than at the border; the same seed and turn always draw the same place.
    """

    mode: Mode = "stroke"
    radius: float | None = None
    seed: int | None = None

    def mark(
        self,
        labels: np.ndarray,
        truth: np.ndarray,
        spacing: Sequence[float],
        turn: Sequence[int] = (),
    ) -> Stroke | None:
        """Return what the user marks, or None when nothing is wrong.

        Args:
            labels: the segmentation, bool, axes (k, j, i).
            truth: the same.
            spacing: mm along (k, j, i); tells a click where the middle is.
            turn: numbers that tell this turn from others, such as case and round; they matter
                only with a seed.
        """
        radius = RADII[self.mode] if self.radius is None else self.radius
        random = None if self.seed is None else np.random.default_rng([self.seed, *turn])
        if self.mode == "click":
            return robot_click(labels, truth, spacing, radius, random)
        return robot_stroke(labels, truth, radius, random)


def robot_stroke(
    labels: np.ndarray,
    truth: np.ndarray,
    radius: float = RADII["stroke"],
    random: np.random.Generator | None = None,
) -> Stroke | None:
    """Return the stroke of the robot user, or None when nothing is wrong.

    It takes the largest wrong region, the slice (along k) in which that region is largest, and
    there the place farthest from the region's border; it marks the disk of ``radius`` voxels around
    it, as far as the disk lies in the region.

    Args:
        labels: the segmentation, bool, axes (k, j, i).
        truth: the same.
        radius: of the brush, in voxels.
        random: draws the place in the slice, when given.
    """
    regions = error_regions(labels, truth)
    if not regions:
        return None
    region = regions[0]
    k = int(region.mask.sum(axis=(1, 2)).argmax())
    area = region.mask[k]
    mask = np.zeros(labels.shape, dtype=bool)
    mask[region.box][k] = area & _ball(area.shape, _place_in(area, (1, 1), random), radius)
    return Stroke(region.label, mask)


def robot_click(
    labels: np.ndarray,
    truth: np.ndarray,
    spacing: Sequence[float],
    radius: float = RADII["click"],
    random: np.random.Generator | None = None,
) -> Stroke | None:
    """Return the click of the robot user, or None when nothing is wrong.

    It takes the largest wrong region and in it the place farthest, in mm, from the region's border;
    it marks the ball of ``radius`` voxels around it, as far as the ball lies in the region.

    Args:
        labels: the segmentation, bool, axes (k, j, i).
        truth: the same.
        spacing: mm along (k, j, i).
        radius: of the ball, in voxels; 0 marks a single voxel.
        random: draws the place, when given.
    """
    regions = error_regions(labels, truth)
    if not regions:
        return None
    region = regions[0]
    place = _place_in(region.mask, spacing, random)
    mask = np.zeros(labels.shape, dtype=bool)
    mask[region.box] = region.mask & _ball(region.mask.shape, place, radius)
    return Stroke(region.label, mask)


def _place_in(
    region: np.ndarray, spacing: Sequence[float], random: np.random.Generator | None
) -> tuple[int, ...]:
    """Return the voxel farthest from the region's border, or one drawn by its distance from it."""
    inner = (slice(1, -1),) * region.ndim
    depth = ndimage.distance_transform_edt(np.pad(region, 1), spacing)[inner]
    if random is None:
        number = int(depth.argmax())
    else:
        weight = (depth**2).ravel()
        number = int(random.choice(weight.size, p=weight / weight.sum()))
    return tuple(int(index) for index in np.unravel_index(number, region.shape))


def _ball(shape: Sequence[int], center: Sequence[int], radius: float) -> np.ndarray:
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    return sum((g - c) ** 2 for g, c in zip(grid, center, strict=True)) <= radius**2
