"""Fitting the rule by which a first stroke chooses its zoom, to structures with masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from DeepIGeoSLib.any_structure.channels import Strokes
from DeepIGeoSLib.any_structure.refining import taken_over, windows_tried
from DeepIGeoSLib.any_structure.signs import signs
from DeepIGeoSLib.any_structure.stroke_voxels import StrokeVoxels
from DeepIGeoSLib.any_structure.tries import Network
from DeepIGeoSLib.any_structure.zoom import Lattice
from DeepIGeoSLib.any_structure.zoom_choice import ZoomChoice
from DeepIGeoSLib.data.selection import evenly
from DeepIGeoSLib.errors import Progress
from DeepIGeoSLib.training.any_structure.images import RealImage
from DeepIGeoSLib.users.robot_user import RobotUser

# Structures of each source, and of each image, that a rule is fitted to; users who begin each.
_STRUCTURES, _OF_AN_IMAGE, _USERS = 8, 3, (None, 1, 2)

# Of the ridge regression; signs are scaled to a variance of 1.
_RIDGE = 10.0


def fitted_choice(
    sources: Sequence[Sequence[RealImage]], network: Network, progress: Progress | None = None
) -> ZoomChoice | None:
    """Return the rule that expects the Dice of first strokes best, or None without any structure.

    Every structure is begun by robot users; at each zoom the answer's signs and its Dice are noted.
    The rule is a ridge regression on the differences between the zooms of one stroke, in which all
    sources count alike.

    Args:
        sources: images with masks, of each source; those without masks are left out.
        network: from channels (channel, k, j, i) to the probability (k, j, i).
        progress: called with the share done and a text.
    """
    seen = []
    for number, images in enumerate(sources):
        if progress is not None:
            progress(number / len(sources), "Fitting the choice of zoom")
        strokes = [one for one in _first_strokes(images, network) if one[1].size > 1]
        seen += [(values, dice, 1 / len(strokes)) for values, dice in strokes]
    return _regression(seen) if seen else None


def _first_strokes(
    images: Sequence[RealImage], network: Network
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the signs (n, sign) and the Dice (n,) of every zoom, for first strokes of users."""
    structures = [
        (image, value) for image in images for value in evenly(image.values, _OF_AN_IMAGE)
    ]
    for number, (image, value) in enumerate(evenly(structures, _STRUCTURES)):
        truth = image.labels == value
        for seed in _USERS:
            mark = RobotUser("disk", seed=seed).mark(
                np.zeros_like(truth), truth, image.spacing, turn=(number,)
            )
            yield _stroke_answered(image, truth, mark.mask, network)


def _stroke_answered(
    image: RealImage, truth: np.ndarray, stroke: np.ndarray, network: Network
) -> tuple[np.ndarray, np.ndarray]:
    lattice = Lattice.of(image.image.shape, image.spacing)
    none, empty = np.zeros_like(stroke), np.zeros(stroke.shape, dtype=np.float32)
    strokes = StrokeVoxels.of_masks(Strokes(stroke, none, stroke, none)).turned(lattice.axes)
    grids = [lattice.grid(strokes.around, zoom) for zoom in lattice.zooms(strokes.around)]
    tries = windows_tried(image.image, lattice, grids, empty.__getitem__, strokes, network)
    dice = []
    for one in tries:
        box, values = taken_over(one, lattice, empty.__getitem__, strokes)
        found = values >= 0.5
        both = np.count_nonzero(found & truth[box])
        dice.append(2 * both / (np.count_nonzero(found) + np.count_nonzero(truth)))
    return signs(tries), np.array(dice)


def _regression(seen: Sequence[tuple[np.ndarray, np.ndarray, float]]) -> ZoomChoice:
    """Return the rule for signs, Dice and weights of strokes."""
    values = np.concatenate([values for values, _, _ in seen])
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale[scale == 0] = 1
    left, right = [], []
    share = np.sqrt(len(seen) / sum(weight for _, _, weight in seen))
    for values, dice, weight in seen:
        scaled = (values - mean) / scale
        factor = share * np.sqrt(weight)
        left.append(factor * (scaled - scaled.mean(axis=0)))
        right.append(factor * (dice - dice.mean()))
    design = np.concatenate(left)
    normal = design.T @ design + _RIDGE * np.eye(design.shape[1])
    weights = np.linalg.solve(normal, design.T @ np.concatenate(right))
    return ZoomChoice(*(tuple(float(n) for n in row) for row in (mean, scale, weights)))
