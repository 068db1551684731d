"""Training samples for any structure: an image, a target in it, a mask that is wrong, strokes.

Sample number ``index`` depends on the seed and on ``index`` alone, so a run that was stopped goes
on with exactly the samples it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy import ndimage
from torch.utils.data import Dataset

from DeepIGeoSLib.any_structure.box_marks import PERHAPS, faces, in_box
from DeepIGeoSLib.any_structure.channels import input_channels
from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.votes import votes_on
from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.samples.synthesis import degraded, part_of, random_region
from DeepIGeoSLib.tensors import to_tensor
from DeepIGeoSLib.training.any_structure.drawn import random_box, random_outline
from DeepIGeoSLib.training.any_structure.images import RealImage
from DeepIGeoSLib.training.any_structure.made_up import made_up_structure
from DeepIGeoSLib.training.any_structure.settings import AnyStructureSettings
from DeepIGeoSLib.training.any_structure.windows import cut, turned
from DeepIGeoSLib.users.corruption import corrupted, nearly_right
from DeepIGeoSLib.users.random_user import random_stroke
from DeepIGeoSLib.users.robot_user import robot_stroke

# Fewer voxels than this are no target.
_SMALLEST = 12

# How often a session begins with a box, and with an outline in one slice, instead of a stroke.
_BOXES, _OUTLINES = 0.15, 0.06

# Zooms that regions are weighed for.
_ZOOMS = (1.0, 4.0)

# How rounds begin: nothing, a target with local mistakes, a distorted one, too much, too little, a
# neighbor.
_STARTS = ("empty", "nearly right", "corrupted", "more", "less", "other")
_CHANCES = (0.38, 0.28, 0.14, 0.07, 0.07, 0.06)


class AnyStructureSamples(Dataset):
    """Windows with a wrong mask and the first stroke on them.

    A sample is a mapping of tensors: image (k, j, i) float32, target (k, j, i) bool, mask
    (k, j, i) float32 before the round, foreground, background, new_foreground, new_background
    (k, j, i) bool, channels (channel, k, j, i) float32 for the first round, pointed_at (k, j, i)
    bool, the mistakes that the new strokes mark, boxed (k, j, i) bool, where a box lies,
    spacing (3,) float64, seed () int64 for the rounds that follow.
    """

    def __init__(
        self, sources: Sequence[Sequence[RealImage]], settings: AnyStructureSettings
    ) -> None:
        """Take the real images of each source; sources are drawn evenly, and images in them."""
        self._settings = settings
        self._sources = {
            (flat, masks): _suitable(sources, flat, masks)
            for flat in (False, True)
            for masks in (False, True)
        }

    def __getitem__(self, place: tuple[int, int]) -> dict[str, torch.Tensor]:
        """Return the sample of a place: its number, and the number of its window's size."""
        index, size = place
        random = np.random.default_rng([self._settings.seed, index])
        shape = self._settings.windows[size].shape
        for _ in range(20):
            image, target, others, spacing = self._window(shape, random)
            if _SMALLEST <= np.count_nonzero(target) <= 0.95 * target.size:
                break
        mask = self._start(target, others, spacing, random)
        none = np.zeros(target.shape, dtype=bool)
        new, boxed = {"foreground": none.copy(), "background": none.copy()}, none
        way = random.random()
        box = random_box(target, random) if way < _BOXES else None
        if box is not None:
            boxed = in_box(target.shape, box)
            new["background"] = faces(target.shape, box)
            mask = np.where(boxed, np.float32(PERHAPS), np.float32(0))
        elif way < _BOXES + _OUTLINES:
            mask = np.zeros(target.shape, dtype=np.float32)
            new["foreground"] = random_outline(target, random)
        else:
            for _ in range(1 if random.random() < 0.85 else 2):
                add_stroke(new, mask >= 0.5, target, random=random)
        strokes = Strokes(new["foreground"], new["background"], **_renamed(new))
        mask[strokes.foreground], mask[strokes.background] = 1, 0
        return {
            "image": to_tensor(image),
            "target": to_tensor(target),
            "mask": to_tensor(mask),
            **{name: to_tensor(value.copy()) for name, value in vars(strokes).items()},
            "channels": to_tensor(
                training_channels(image, mask, strokes, spacing=spacing, random=random)
            ),
            "boxed": to_tensor(boxed),
            "pointed_at": to_tensor(pointed_at(mask, target, strokes)),
            "spacing": torch.tensor(spacing, dtype=torch.float64),
            "seed": torch.tensor(int(random.integers(2**31))),
        }

    def _window(
        self, shape: Sequence[int], random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], tuple[float, float, float]]:
        """Return an image, a target, other structures beside it, and the spacing."""
        chance, flat = random.random(), shape[0] == 1
        if chance < self._settings.synthetic:
            return made_up_structure(shape, random)
        masks = chance >= self._settings.synthetic + self._settings.regions
        sources = self._sources[flat, masks]
        if not sources:  # such as pictures alone, where the window has several slices
            return made_up_structure(shape, random)
        images = sources[random.integers(len(sources))]
        real = images[random.integers(len(images))]
        if flat and not real.flat:
            real = _slice_of(real, masks, random)
        if masks and real.values:
            return _with_mask(real, shape, random)
        return _with_region(real, shape, random)

    def _start(
        self,
        target: np.ndarray,
        others: list[np.ndarray],
        spacing: Sequence[float],
        random: np.random.Generator,
    ) -> np.ndarray:
        """Return the mask that the first round starts from: float32 in [0, 1]."""
        kind = random.choice(_STARTS, p=_CHANCES)
        if kind == "corrupted":
            wrong = corrupted(target, three(spacing), random)
            if not np.array_equal(wrong >= 0.5, target):
                return wrong
        mask = np.zeros(target.shape, dtype=bool)
        if kind == "nearly right" and target.any():
            mask = nearly_right(target, three(spacing), random)
        if kind == "less":
            voxels = np.argwhere(target)
            mask = part_of(target, spacing, voxels[random.integers(len(voxels))], random=random)
            if np.array_equal(mask, target):
                mask &= ~_half(target, random)
        elif kind in ("more", "other") and others:
            other = others[random.integers(len(others))]
            mask = (target | other) if kind == "more" else other
        if np.array_equal(mask, target):  # nothing would be wrong with it
            mask = np.zeros(target.shape, dtype=bool)
        return mask.astype(np.float32)


class WindowSampler(torch.utils.data.Sampler[list[tuple[int, int]]]):
    """The samples of each step that is still to be done: all of one window size."""

    def __init__(self, settings: AnyStructureSettings, first: int) -> None:
        """Begin at a step."""
        self._settings = settings
        self._first = first

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        windows = self._settings.windows
        shares = np.array([window.share for window in windows])
        largest = max(window.batch for window in windows)
        for step in range(self._first, self._settings.optimization.steps):
            random = np.random.default_rng([self._settings.seed, step, 1])
            size = int(random.choice(len(windows), p=shares / shares.sum()))
            yield [(step * largest + n, size) for n in range(windows[size].batch)]

    def __len__(self) -> int:
        return self._settings.optimization.steps - self._first


def add_stroke(
    strokes: dict[str, np.ndarray],
    labels: np.ndarray,
    target: np.ndarray,
    *,
    random: np.random.Generator,
) -> None:
    """Add a simulated user's answer to a mask to the strokes, in place.

    Half of the users mark the middle of the largest mistake with a disk, half draw as people do.
    """
    obeyed = labels & ~strokes["background"] | strokes["foreground"]
    if random.random() < 0.5:
        radius = float(np.exp(random.uniform(np.log(0.6), np.log(5))))
        stroke = robot_stroke(obeyed, target, radius)
    else:
        stroke = random_stroke(obeyed, target, random)
    if stroke is not None:
        strokes[stroke.label] |= stroke.mask


def training_channels(
    image: np.ndarray,
    mask: np.ndarray,
    strokes: Strokes,
    *,
    spacing: Sequence[float],
    random: np.random.Generator,
) -> np.ndarray:
    """Return the network's input in a training window, see ``input_channels``.

    The window is taken for one of any zoom that is a part of something larger.
    """
    zoom = float(np.exp(random.uniform(*np.log(_ZOOMS))))
    votes = votes_on(image, mask, strokes, spacing=spacing, zoom=zoom, cut_off=((True, True),) * 3)
    return input_channels(image, mask, strokes, spacing=spacing, votes=votes)


def pointed_at(mask: np.ndarray, target: np.ndarray, strokes: Strokes) -> np.ndarray:
    """Return the mistakes that the newest strokes mark: whole connected parts, bool (k, j, i)."""
    wrong = ((mask >= 0.5) != target) | strokes.new
    numbered, _ = ndimage.label(wrong)
    return np.isin(numbered, np.unique(numbered[strokes.new])) & wrong


def _suitable(
    sources: Sequence[Sequence[RealImage]], flat: bool, masks: bool
) -> list[list[RealImage]]:
    """Return the images of each source that windows can show, without sources that have none.

    Args:
        sources: all images.
        flat: whether the windows are single slices, which volumes have, too.
        masks: whether the images must have masks.
    """
    chosen = [
        [image for image in images if (flat or not image.flat) and (image.values or not masks)]
        for images in sources
    ]
    return [images for images in chosen if images]


def _renamed(new: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"new_{name}": mask for name, mask in new.items()}


def _with_mask(
    real: RealImage, shape: Sequence[int], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], tuple[float, float, float]]:
    """Return a window with a labeled structure, a part of one, or a few of them."""
    value = real.values[random.integers(len(real.values))]
    whole = real.labels == value
    if random.random() < 0.12 and len(real.values) > 1:
        whole |= real.labels == real.values[random.integers(len(real.values))]
    image, inside, spacing = cut(real, whole, shape, random=random)
    image, (inside,) = turned(image, [inside], random)
    if random.random() < 0.6:
        image = degraded(image, spacing, random)
    voxels = np.argwhere(inside)
    if len(voxels) == 0:
        return image, inside, [], spacing
    anchor = voxels[random.integers(len(voxels))]
    target = part_of(inside, spacing, anchor, random=random) if random.random() < 0.7 else inside
    region = random_region(image, spacing, random) if random.random() < 0.3 else None
    others = [mask for mask in (region,) if mask is not None]
    return image, target, others, spacing


def _with_region(
    real: RealImage, shape: Sequence[int], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], tuple[float, float, float]]:
    """Return a window in which a region of the image itself is the target."""
    image, _, spacing = cut(real, None, shape, random=random)
    image, _ = turned(image, [], random)
    region = random_region(image, spacing, random)
    other = random_region(image, spacing, random) if random.random() < 0.3 else None
    if random.random() < 0.5:
        image = degraded(image, spacing, random)
    target = np.zeros(image.shape, dtype=bool) if region is None else region
    return image, target, [mask for mask in (other,) if mask is not None], spacing


def _slice_of(real: RealImage, with_mask: bool, random: np.random.Generator) -> RealImage:
    """Return one slice of a volume, mostly across its coarsest axis, as an image of its own."""
    axis = 0
    if max(real.spacing) < 1.5:
        axis = int(random.integers(3))
    number = int(random.integers(real.image.shape[axis]))
    if with_mask and real.values:
        value = real.values[random.integers(len(real.values))]
        others = tuple(a for a in range(3) if a != axis)
        hits = np.flatnonzero((real.labels == value).any(axis=others))
        number = int(hits[random.integers(hits.size)])
    image = np.moveaxis(np.take(real.image, [number], axis=axis), axis, 0)
    labels, values = None, ()
    if real.labels is not None:
        labels = np.moveaxis(np.take(real.labels, [number], axis=axis), axis, 0)
        values = tuple(int(v) for v in np.unique(labels) if v > 0)
    return RealImage(image, labels, (1.0, 1.0, 1.0), values)


def _half(target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return the voxels on one side of a voxel of the target, along a random axis."""
    voxels = np.argwhere(target)
    place = voxels[random.integers(len(voxels))]
    axis = int(random.integers(1, 3))
    index = np.arange(target.shape[axis]).reshape([-1 if a == axis else 1 for a in range(3)])
    side = index > place[axis] if random.random() < 0.5 else index < place[axis]
    return np.broadcast_to(side, target.shape)
