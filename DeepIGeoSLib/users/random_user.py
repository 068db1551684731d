"""The user of the training, who draws a stroke of human-like shape where something is wrong.

The paper's simulation (see ``paper_user``) is replaced by strokes of human-like shape; a stroke
never labels a voxel wrongly. How long, wide and winding lines are was measured on people's
scribbles (Docs/training.md has the table).
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import grown_box, three
from DeepIGeoSLib.users.mistakes import ErrorRegion, Stroke, error_regions

# Lines: share of random walks among them, standard deviation of the turn at each step (radians),
# steps of a pixel (median, spread of their logarithm, limits), and radius (mean, spread) in pixels.
_WALKS = 0.2
_LINE_TURN, _WALK_TURN = 0.12, 0.5
_LINE_STEPS, _LINE_SPREAD, _LINE_LIMITS = 45, 0.9, (4, 160)
_LINE_RADIUS = (1.9, 0.45)


def random_stroke(
    labels: np.ndarray, truth: np.ndarray, random: np.random.Generator
) -> Stroke | None:
    """Return a stroke as a person might draw it, or None when nothing is wrong.

    Large regions are preferred. In one of the region's slices the stroke is a click (a dab of the
    brush), a line, a random walk, or a click with a sphere brush, which reaches into the slices
    beside; most strokes stay inside the region, some go on into correct parts of the same class.

    Args:
        labels: the segmentation, bool, axes (k, j, i).
        truth: the same.
        random: source of every choice.
    """
    regions = error_regions(labels, truth)
    if not regions:
        return None
    region = regions[0]
    if random.random() < 0.4:
        sizes = np.array([r.voxels for r in regions], dtype=float)
        region = regions[random.choice(len(regions), p=sizes / sizes.sum())]
    allowed = np.zeros(labels.shape, dtype=bool)
    if random.random() < 0.75:
        allowed[region.box] = region.mask
    else:
        allowed = truth if region.label == "foreground" else ~truth
    center = _place_in(region, random)
    kind = random.choice(["disk", "line", "ball"], p=[0.4, 0.35, 0.25])
    if kind == "line":
        painted = _line(allowed, center, random)
    else:
        painted = _dab(labels.shape, center, random.uniform(1, 4), flat=kind == "disk")
    mask = painted & allowed
    mask[center] = True
    return Stroke(region.label, mask)


def _place_in(region: ErrorRegion, random: np.random.Generator) -> tuple[int, int, int]:
    """Return a voxel of the region; large cross sections and their middles are likelier."""
    areas = region.mask.sum(axis=(1, 2)).astype(float)
    k = int(random.choice(len(areas), p=areas / areas.sum()))
    depth = ndimage.distance_transform_edt(np.pad(region.mask[k], 1))[1:-1, 1:-1]
    weight = (depth**2).ravel()
    inside = np.unravel_index(int(random.choice(weight.size, p=weight / weight.sum())), depth.shape)
    place = (k, *inside)
    return tuple(int(p) + s.start for p, s in zip(place, region.box, strict=True))


def _dab(
    shape: tuple[int, ...], center: tuple[int, int, int], radius: float, flat: bool
) -> np.ndarray:
    """Paint a disk in the slice of ``center``, or a ball, of ``radius`` voxels."""
    reach = int(np.ceil(radius))
    box = grown_box(
        three(slice(c, c + 1) for c in center), (0 if flat else reach, reach, reach), shape
    )
    k, j, i = np.ogrid[box]
    painted = np.zeros(shape, dtype=bool)
    painted[box] = (k - center[0]) ** 2 + (j - center[1]) ** 2 + (i - center[2]) ** 2 <= radius**2
    return painted


def _line(
    allowed: np.ndarray, center: tuple[int, int, int], random: np.random.Generator
) -> np.ndarray:
    """Paint a nearly straight line, or a random walk, of random length in the slice of ``center``.

    The pen turns back where it would leave the allowed voxels.
    """
    k, j, i = center
    area = allowed[k]
    painted = np.zeros(allowed.shape, dtype=bool)
    place, angle = np.array([j, i], dtype=float), random.uniform(0, 2 * np.pi)
    turn = _WALK_TURN if random.random() < _WALKS else _LINE_TURN
    steps = np.clip(random.lognormal(np.log(_LINE_STEPS), _LINE_SPREAD), *_LINE_LIMITS)
    for _ in range(int(steps)):
        painted[k, int(place[0]), int(place[1])] = True
        angle += random.normal(0, turn)
        ahead = place + np.array([np.sin(angle), np.cos(angle)])
        row, column = (int(np.floor(x)) for x in ahead)
        inside = 0 <= row < area.shape[0] and 0 <= column < area.shape[1]
        if inside and area[row, column]:
            place = ahead
        else:
            angle += np.pi / 2 + random.uniform(0, np.pi)
    radius = max(0.0, random.normal(*_LINE_RADIUS))
    painted[k] = ndimage.distance_transform_edt(~painted[k]) <= radius
    return painted
