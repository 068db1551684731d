"""The robot user of the evaluation: it corrects the largest mistake, always in the same way.

Training has users of its own (see ``random_user``), who differ from stroke to stroke; that of
``any-structure`` meets this one, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import Box, bounding_box, grown_box
from DeepIGeoSLib.users.mistakes import Stroke, error_regions

Mode = Literal["stroke", "click", "disk"]
First = Literal["stroke", "outline", "box"]

# Radius of the brush, unless the caller chooses another: voxels, but mm for a disk.
RADII: dict[Mode, float] = {"stroke": 3.0, "click": 1.0, "disk": 3.0}

# A disk is never wider: where millimeters mean nothing, as in microscopy, it would be a whole
# slice.
_MOST_VOXELS = 10.0


@dataclass(frozen=True)
class RobotUser:
    """How a robot user marks what is wrong.

    Attributes:
        mode: "stroke" paints a disk of so many voxels in one slice, "click" a small ball, "disk" a
            disk of so many mm through the deepest place of the mistake.
        radius: of the stroke or click in voxels, of the disk in mm; that of ``RADII`` when None.
        seed: None marks the middle of the mistake, the place farthest from its border. A number
            makes another user of the same kind, who marks a place drawn at random, likelier deep
            inside than at the border; the same seed and turn always draw the same place.
        first: the first mark: one like all others; the "outline" of the largest missing part in
            the slice where that is largest; or a "box" around the whole target.
    """

    mode: Mode = "stroke"
    radius: float | None = None
    seed: int | None = None
    first: First = "stroke"

    @property
    def noun(self) -> str:
        """What one mark is called in tables: "stroke" or "click"."""
        return "click" if self.mode == "click" else "stroke"

    @property
    def size(self) -> float:
        """The radius: mm for a disk, else voxels."""
        return RADII[self.mode] if self.radius is None else self.radius

    def mark(
        self,
        labels: np.ndarray,
        truth: np.ndarray,
        spacing: Sequence[float],
        *,
        turn: Sequence[int] = (),
    ) -> Stroke | None:
        """Return what the user marks, or None when nothing is wrong.

        Args:
            labels: the segmentation, bool, axes (k, j, i).
            truth: the same.
            spacing: mm along (k, j, i); tells a click or a disk where the middle is.
            turn: numbers that tell this turn from others, such as case and round; they matter
                only with a seed.
        """
        radius = self.size
        random = None if self.seed is None else np.random.default_rng([self.seed, *turn])
        if self.mode == "click":
            return robot_click(labels, truth, spacing, radius=radius, random=random)
        if self.mode == "disk":
            return robot_disk(labels, truth, spacing, radius=radius, random=random)
        return robot_stroke(labels, truth, radius, random=random)


def robot_box(truth: np.ndarray) -> Box | None:
    """Return the robot user's box around a target, or None when there is none.

    It is larger than the target by a tenth of its length and a voxel on each side.

    Args:
        truth: bool, axes (k, j, i).
    """
    box = bounding_box(truth)
    if box is None:
        return None
    beside = [1 + (part.stop - part.start) // 10 for part in box]
    return grown_box(box, beside, truth.shape)


def robot_outline(labels: np.ndarray, truth: np.ndarray) -> Stroke | None:
    """Return the area that the robot user outlines, or None when nothing is missing.

    It takes the largest missing region, and of the slice (along k) in which that is largest its
    area, with corners rounded as a hand rounds them.

    Args:
        labels: the segmentation, bool, axes (k, j, i).
        truth: the same.
    """
    region = next((one for one in error_regions(labels, truth) if one.label == "foreground"), None)
    if region is None:
        return None
    k = int(region.mask.sum(axis=(1, 2)).argmax())
    area = region.mask[k]
    drawn = ndimage.gaussian_filter(np.pad(area, 2).astype(np.float32), 1.0)[2:-2, 2:-2] >= 0.5
    mask = np.zeros(labels.shape, dtype=bool)
    mask[region.box][k] = drawn if drawn.any() else area
    return Stroke("foreground", mask)


def robot_stroke(
    labels: np.ndarray,
    truth: np.ndarray,
    radius: float = RADII["stroke"],
    *,
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
    *,
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


def robot_disk(
    labels: np.ndarray,
    truth: np.ndarray,
    spacing: Sequence[float],
    *,
    radius: float = RADII["disk"],
    random: np.random.Generator | None = None,
) -> Stroke | None:
    """Return the flat stroke of the robot user, or None when nothing is wrong.

    It takes the largest wrong region and in it the place farthest, in mm, from the region's border;
    it marks the disk of ``radius`` mm around it in its slice (along k), as far as the disk lies in
    the region. The disk is at most 10 voxels of the finer axis in radius.

    Args:
        labels: the segmentation, bool, axes (k, j, i).
        truth: the same.
        spacing: mm along (k, j, i); a picture has 1 mm, so that millimeters are pixels in it.
        radius: of the brush, in mm.
        random: draws the place, when given.
    """
    regions = error_regions(labels, truth)
    if not regions:
        return None
    region = regions[0]
    k, *center = _place_in(region.mask, spacing, random)
    in_plane = spacing[1:]
    reach = min(radius, _MOST_VOXELS * min(in_plane))
    area = region.mask[k]
    mask = np.zeros(labels.shape, dtype=bool)
    mask[region.box][k] = area & _ball(area.shape, center, reach, in_plane)
    return Stroke(region.label, mask)


def _place_in(
    region: np.ndarray, spacing: Sequence[float], random: np.random.Generator | None
) -> tuple[int, ...]:
    """Return the voxel farthest from the region's border, or one drawn by its distance from it.

    In a thin region many voxels are as far from the nearest slice outside as any; of those the one
    farthest from the border inside its slice is taken. A region of one slice has only that border.
    """
    if region.ndim == 3 and len(region) == 1:
        return (0, *_place_in(region[0], spacing[1:], random))
    depth = _depth(region, spacing)
    if random is None:
        deepest = np.isclose(depth, depth.max())
        if region.ndim == 3:
            across = sum(n * s for n, s in zip(region.shape, spacing, strict=True))
            depth = _depth(region, (across, *spacing[1:]))
        number = int(np.where(deepest, depth, 0).argmax())
    else:
        weight = (depth**2).ravel()
        number = int(random.choice(weight.size, p=weight / weight.sum()))
    return tuple(int(index) for index in np.unravel_index(number, region.shape))


def _depth(region: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return the distance of every voxel of a region from the nearest one outside."""
    inner = (slice(1, -1),) * region.ndim
    return ndimage.distance_transform_edt(np.pad(region, 1), spacing)[inner]


def _ball(
    shape: Sequence[int],
    center: Sequence[int],
    radius: float,
    spacing: Sequence[float] = (1.0, 1.0, 1.0),
) -> np.ndarray:
    """Return the places within ``radius`` of the center, both in the unit of ``spacing``."""
    grid = np.ogrid[tuple(slice(0, size) for size in shape)]
    away = ((g - c) * s for g, c, s in zip(grid, center, spacing[: len(shape)], strict=True))
    return np.asarray(sum(along**2 for along in away) <= radius**2)
