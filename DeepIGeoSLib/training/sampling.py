"""Training samples: which crop of which case comes at which step.

Sample number ``index`` depends on the seed and on ``index`` alone, so a run that was stopped goes
on with exactly the samples it would have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.grid.resampling import resample
from DeepIGeoSLib.inputs.distance_channels import distance_maps
from DeepIGeoSLib.targets import IGNORED, Target, class_count
from DeepIGeoSLib.tensors import to_tensor
from DeepIGeoSLib.training.augmentation import Augmentation
from DeepIGeoSLib.training.cases import TrainingCase
from DeepIGeoSLib.training.settings import TrainingSettings
from DeepIGeoSLib.users.corruption import corrupted
from DeepIGeoSLib.users.paper_user import paper_points
from DeepIGeoSLib.users.random_user import random_stroke


class StepSampler(Sampler[int]):
    """The sample numbers of the steps that are still to be done, in one of several processes.

    All processes together use the numbers that one process would use with all their crops.
    """

    def __init__(
        self,
        steps: int,
        first: Callable[[], int],
        *,
        batch: int,
        accumulate: int = 1,
        processes: int = 1,
        rank: int = 0,
    ) -> None:
        """Plan a run.

        Args:
            steps: of the optimizer, in all.
            first: tells how many of them were done before a resume.
            batch: samples that a process computes at once.
            accumulate: batches a step.
            processes: that train together.
            rank: number of this process.
        """
        self._steps = steps
        self._first = first
        self._batch = batch
        self._accumulate = accumulate
        self._processes = processes
        self._rank = rank

    def __iter__(self) -> Iterator[int]:
        for step in range(self._first(), self._steps):
            for part in range(self._accumulate):
                batches = (step * self._accumulate + part) * self._processes + self._rank
                yield from range(batches * self._batch, (batches + 1) * self._batch)

    def __len__(self) -> int:
        return self._steps * self._accumulate * self._batch


class CropSampler:
    """Draws a crop around a place in a case and changes it at random."""

    def __init__(self, cases: Sequence[TrainingCase], settings: TrainingSettings) -> None:
        """Take the cases and compute how often each is drawn."""
        self.cases = cases
        self.settings = settings
        self.air = settings.normalization.range[0]
        self._augment = Augmentation(settings.augmentation, self.air)
        weights = {source.dataset: source.weight for source in settings.data.sources}
        counts = {name: sum(c.dataset == name for c in cases) for name in weights}
        share = np.array([weights[c.dataset] / counts[c.dataset] for c in cases])
        self._share = share / share.sum()

    def generator(self, index: int) -> np.random.Generator:
        """Return the random numbers of a sample."""
        return np.random.default_rng([self.settings.seed, index])

    def case(self, random: np.random.Generator) -> int:
        """Draw the number of a case; data sets are drawn by weight, their cases evenly."""
        return int(random.choice(len(self.cases), p=self._share))

    def crop(
        self,
        case: TrainingCase,
        center: Sequence[float] | np.ndarray,
        maps: dict[str, np.ndarray],
        *,
        random: np.random.Generator,
    ) -> tuple[np.ndarray, dict[str, np.ndarray], tuple[float, float, float]]:
        """Return a changed crop of a case's image and of the maps on its grid.

        Args:
            case: the case.
            center: working voxel (k, j, i) that the crop is to hold; it is moved at random.
            maps: bool or float32 arrays on the case's grid.
            random: the sample's random numbers.

        Returns:
            The image crop (channel, k, j, i), the map crops (k, j, i), and their spacing.
        """
        shape = self.settings.optimization.crop
        beside = [0, *(round(self.settings.augmentation.surroundings * n) for n in shape[1:])]
        thickness = self._thickness(case, shape[0], random)
        source_shape = (round(shape[0] * thickness), *shape[1:])
        start = [
            _window_start(c, size, n, random) - more
            for c, size, n, more in zip(
                center, source_shape, case.classes.shape, beside, strict=True
            )
        ]
        source_shape = three(n + 2 * more for n, more in zip(source_shape, beside, strict=True))
        wide = (shape[0], *source_shape[1:])
        image = np.stack(
            [resample(_window(channel, start, source_shape), wide) for channel in case.image]
        )
        cut = {}
        for name, values in maps.items():
            window = resample(_window(values.astype(np.float32), start, source_shape), wide)
            cut[name] = window >= 0.5 if values.dtype == bool else window
        spacing = (case.spacing[0] * source_shape[0] / shape[0], *case.spacing[1:])
        seed = int(random.integers(2**31))
        image, cut = self._augment(image, cut, spacing, seed=seed)
        inside = tuple(slice(more, more + n) for n, more in zip(shape, beside, strict=True))
        return (
            np.ascontiguousarray(image[(slice(None), *inside)]),
            {name: np.ascontiguousarray(values[inside]) for name, values in cut.items()},
            spacing,
        )

    def _thickness(self, case: TrainingCase, slices: int, random: np.random.Generator) -> float:
        """Draw how many slices are averaged to one: thin-slice cases stand in for thick ones."""
        limit = min(
            self.settings.augmentation.thickest / case.spacing[0],
            case.classes.shape[0] / slices * 1.5,
        )
        if limit <= 1 or random.random() < 0.5:
            return 1.0
        return float(np.exp(random.uniform(0, np.log(limit))))


class PNetSamples(Dataset):
    """Crops for P-Net: (image (channel, k, j, i), classes (1, k, j, i), spacing (3,) in mm)."""

    def __init__(self, cases: Sequence[TrainingCase], settings: TrainingSettings) -> None:
        """Take the training cases."""
        self._sampler = CropSampler(cases, settings)
        self._classes = range(1, class_count(settings.data.network_targets))

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        random = self._sampler.generator(index)
        case = self._sampler.cases[self._sampler.case(random)]
        if random.random() < 0.7:
            center = _voxel_of(_shown_class(case, self._classes, random), case, random)
        else:
            center = _any_voxel(case, random)
        numbers = [*self._classes, *([] if case.ignored is None else [IGNORED])]
        masks = {f"class {number}": case.classes == number for number in numbers}
        image, masks, spacing = self._sampler.crop(case, center, masks, random=random)
        classes = np.zeros(image.shape[1:], dtype=np.uint8)
        for number, mask in zip(numbers, masks.values(), strict=True):
            classes[mask] = number
        target = to_tensor(classes[np.newaxis])
        return to_tensor(image), target, torch.tensor(spacing, dtype=torch.float64)


class RNetSamples(Dataset):
    """Crops for R-Net with the first strokes on them.

    A sample is a mapping of tensors: image (channel, k, j, i), target (1, k, j, i) uint8
    (``IGNORED`` where no label counts, so that nobody marks anything there), initial
    (k, j, i) float32, foreground and background (k, j, i) bool, maps (2, k, j, i), asked (2,) bool
    (whether the newest strokes add and whether they remove), spacing (3,) float64, seed () int64
    for the rounds that follow. Of several targets, a sample is about one that its case shows.
    """

    def __init__(
        self,
        cases: Sequence[TrainingCase],
        proposals: Sequence[Sequence[np.ndarray]],
        settings: TrainingSettings,
    ) -> None:
        """Take the training cases and P-Nets' proposals.

        Args:
            cases: to draw from.
            proposals: for each case, the answers of one or more P-Nets, see ``propose_all``.
            settings: the configuration.
        """
        self._sampler = CropSampler(cases, settings)
        self._proposals = proposals
        self._settings = settings

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        random = self._sampler.generator(index)
        number = self._sampler.case(random)
        case = self._sampler.cases[number]
        start = self._start(random)
        target = _shown_target(case, random)
        truth = case.mask_of(case.targets[target])
        maps = {"target": truth}
        if case.ignored is not None:
            maps["ignored"] = case.ignored
        if start == "pnet":
            proposals = self._proposals[number]
            chosen = proposals[int(random.integers(len(proposals)))]
            maps["initial"] = chosen[target].astype(np.float32) / 255
            center = _error_voxel(maps["initial"] >= 0.5, truth, case, random)
        else:
            center = _voxel_of(truth, case, random)
        image, maps, spacing = self._sampler.crop(case, center, maps, random=random)
        if start == "corrupted":
            maps["initial"] = corrupted(maps["target"], spacing, random)
        elif start == "empty":
            maps["initial"] = np.zeros(image.shape[1:], dtype=np.float32)
        elif random.random() < 0.25:  # masks from elsewhere are hard
            maps["initial"] = (maps["initial"] >= 0.5).astype(np.float32)
        target = maps["target"].astype(np.uint8)
        if "ignored" in maps:
            target[maps["ignored"]] = IGNORED
        return self._with_strokes(image, target, maps["initial"], spacing, random)

    def _start(self, random: np.random.Generator) -> str:
        initial = self._settings.simulation.completed().initial
        weights = np.array(list(initial.values()))
        return list(initial)[random.choice(len(weights), p=weights / weights.sum())]

    def _with_strokes(
        self,
        image: np.ndarray,
        target: np.ndarray,
        initial: np.ndarray,
        spacing: tuple[float, float, float],
        random: np.random.Generator,
    ) -> dict[str, torch.Tensor]:
        seeds = {name: np.zeros(target.shape, dtype=bool) for name in ("foreground", "background")}
        simulation = self._settings.simulation.completed()
        marks = random.geometric(0.6) if simulation.preset == "recommended" else 1
        given: set[str] = set()
        for _ in range(marks):
            given |= add_marks(
                seeds, initial >= 0.5, target, random=random, preset=simulation.preset
            )
        if random.random() < simulation.drop:
            dropped = ("foreground", "background")[random.integers(2)]
            seeds[dropped].fill(False)
            given.discard(dropped)
        maps = distance_maps(
            image,
            seeds["foreground"],
            seeds["background"],
            spacing=spacing,
            settings=self._settings.interactions,
        )
        impose(initial, seeds)
        return {
            "image": to_tensor(image),
            "target": to_tensor(target[np.newaxis]),
            "initial": to_tensor(initial),
            "foreground": to_tensor(seeds["foreground"]),
            "background": to_tensor(seeds["background"]),
            "maps": to_tensor(maps),
            "asked": torch.tensor([name in given for name in ("foreground", "background")]),
            "spacing": torch.tensor(spacing, dtype=torch.float64),
            "seed": torch.tensor(int(random.integers(2**31))),
        }


def add_marks(
    seeds: dict[str, np.ndarray],
    labels: np.ndarray,
    target: np.ndarray,
    *,
    random: np.random.Generator,
    preset: str,
) -> set[str]:
    """Add what a simulated user marks to correct ``labels`` to ``seeds``, in place.

    Args:
        seeds: bool masks of "foreground" and "background".
        labels: the segmentation, bool.
        target: the truth: 1, 0, or ``IGNORED`` where no label counts.
        random: source of every choice.
        preset: "recommended" adds one stroke, "paper" points in all wrong regions.

    Returns:
        The classes that were marked; empty when nothing is wrong.
    """
    obeyed = (labels & ~seeds["background"] | seeds["foreground"]) & (target != IGNORED)
    truth = target == 1
    if preset == "paper":
        points = paper_points(obeyed, truth, random)
        for name, mask in points.items():
            seeds[name] |= mask
        return {name for name, mask in points.items() if mask.any()}
    stroke = random_stroke(obeyed, truth, random)
    if stroke is None:
        return set()
    seeds[stroke.label] |= stroke.mask
    return {stroke.label}


def impose(probability: np.ndarray, seeds: dict[str, np.ndarray]) -> None:
    """Set scribbled voxels of ``probability`` to 1 and 0, in place."""
    probability[seeds["foreground"]] = 1
    probability[seeds["background"]] = 0


def _shown_class(
    case: TrainingCase, classes: Sequence[int], random: np.random.Generator
) -> np.ndarray:
    """Return where one class is, of those that the case shows: rare ones are drawn as often."""
    if len(classes) == 1:
        return case.target
    shown = [number for number in classes if (case.classes == number).any()] or list(classes)
    return case.classes == shown[int(random.integers(len(shown)))]


def _shown_target(case: TrainingCase, random: np.random.Generator) -> int:
    """Return the number of one of the targets that the case shows; of any when it shows none."""
    if len(case.targets) == 1:
        return 0
    shown = [number for number, target in enumerate(case.targets) if _is_shown(case, target)]
    choices = shown or list(range(len(case.targets)))
    return int(choices[random.integers(len(choices))])


def _is_shown(case: TrainingCase, target: Target) -> bool:
    return bool(case.mask_of(target).any())


def _voxel_of(mask: np.ndarray, case: TrainingCase, random: np.random.Generator) -> np.ndarray:
    """Return a voxel of a mask on the case's grid; any one when it is empty."""
    voxels = np.flatnonzero(mask)
    if voxels.size == 0:
        return _any_voxel(case, random)
    return np.array(np.unravel_index(voxels[random.integers(voxels.size)], mask.shape))


def _error_voxel(
    labels: np.ndarray, truth: np.ndarray, case: TrainingCase, random: np.random.Generator
) -> np.ndarray:
    """Return a voxel that is labeled wrongly; one of the target when all are right."""
    wrong = labels != truth
    voxels = np.flatnonzero(wrong if case.ignored is None else wrong & ~case.ignored)
    if voxels.size == 0:
        return _voxel_of(truth, case, random)
    return np.array(np.unravel_index(voxels[random.integers(voxels.size)], labels.shape))


def _any_voxel(case: TrainingCase, random: np.random.Generator) -> np.ndarray:
    return random.integers(0, case.classes.shape)


def _window_start(center: float, size: int, available: int, random: np.random.Generator) -> int:
    """Return where a window of ``size`` starts that holds ``center`` off its middle at random."""
    if size >= available:
        return -int(random.integers(0, size - available + 1))
    jitter = random.uniform(-0.35, 0.35) * size
    return int(np.clip(round(center - size / 2 + jitter), 0, available - size))


def _window(array: np.ndarray, start: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Cut a window that may reach beyond the array, where the border is repeated."""
    indices = [
        np.clip(np.arange(first, first + size), 0, n - 1)
        for first, size, n in zip(start, shape, array.shape, strict=True)
    ]
    return array[np.ix_(*indices)]
