"""Crops with numbered objects, changed at random; sample N is the same whenever it is drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from torch.utils.data import Dataset

from DeepIGeoSLib.training.instances.cases import InstanceCase
from DeepIGeoSLib.training.settings import TrainingSettings

# Largest change of the scale and the shift of intensities, and of their exponent (as a logarithm).
_SCALE, _SHIFT, _GAMMA = 0.3, 0.3, 0.4

# Largest noise, in units of the normalized intensities.
_NOISE = 0.2


class InstanceSamples(Dataset):
    """Sample ``index``: image (C, k, j, i), labels (k, j, i) and the kind of the objects."""

    def __init__(self, cases: Sequence[InstanceCase], settings: TrainingSettings) -> None:
        """Take the cases; data sets are drawn by weight, their cases evenly."""
        self.cases = cases
        self.settings = settings
        weights = {source.dataset: source.weight for source in settings.data.sources}
        names = [case.source.dataset for case in cases]
        share = np.array([weights[name] / names.count(name) for name in names])
        self._share = share / share.sum()

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray, int]:
        random = np.random.default_rng([self.settings.seed, index])
        case = self.cases[int(random.choice(len(self.cases), p=self._share))]
        image, labels = self._crop(case, random)
        return self._recolored(image, random).astype(np.float32), labels, case.kind

    def _crop(
        self, case: InstanceCase, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cut out a turned, scaled and mirrored crop; beyond the image, it is mirrored."""
        shape = np.array(self.settings.optimization.crop)
        augmentation = self.settings.augmentation
        low, high = augmentation.scales
        scale = np.exp(random.uniform(np.log(low), np.log(high)))
        angle = np.radians(random.uniform(-augmentation.degrees, augmentation.degrees))
        matrix = np.eye(3)
        matrix[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        flips = [
            -1 if axis in augmentation.flip_axes and random.random() < 0.5 else 1
            for axis in range(3)
        ]
        size = np.array(case.labels.shape)
        # A single slice stays one, whatever the scale.
        matrix = matrix @ np.diag(flips) / np.where(size > 1, scale, 1.0)[:, None]
        center = self._center(case, shape / scale, random)
        offset = center - matrix @ ((shape - 1) / 2)
        image = np.stack(
            [
                ndimage.affine_transform(
                    channel, matrix, offset, tuple(shape), order=1, mode="mirror"
                )
                for channel in case.image
            ]
        )
        labels = ndimage.affine_transform(
            case.labels, matrix, offset, tuple(shape), order=0, mode="mirror"
        )
        return image, labels

    def _center(
        self, case: InstanceCase, extent: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """Draw the middle of a crop, such that as little as possible lies beyond the image."""
        size = np.array(case.labels.shape)
        middle = (size - 1) / 2
        room = np.maximum(size - extent, 0) / 2
        center = middle + random.uniform(-1, 1, size=3) * room
        if random.random() < self.settings.instances.around:
            inside = np.flatnonzero(case.labels)
            if inside.size:
                place = np.unravel_index(random.choice(inside), case.labels.shape)
                jitter = random.uniform(-0.3, 0.3, size=3) * extent
                center = np.clip(np.array(place) + jitter, middle - room, middle + room)
        return center

    def _recolored(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Change the intensities."""
        augmentation = self.settings.augmentation

        def happens(kind: float | None) -> bool:
            return random.random() < (augmentation.intensity if kind is None else kind)

        low, high = self.settings.normalization.range
        if random.random() < self.settings.instances.invert:
            image = -image
        if happens(augmentation.gamma):
            least, most = float(image.min()), float(image.max())
            spread = max(most - least, 1e-6)
            power = np.exp(random.uniform(-_GAMMA, _GAMMA))
            image = least + spread * ((image - least) / spread) ** power
        if random.random() < 2 * augmentation.intensity:
            image = image * (1 + random.uniform(-_SCALE, _SCALE))
            image = image + random.uniform(-_SHIFT, _SHIFT)
        if happens(augmentation.blur):
            width = random.uniform(0.3, 1.0)
            image = np.stack([ndimage.gaussian_filter(one, (0, width, width)) for one in image])
        if happens(augmentation.noise):
            image = image + random.normal(0, random.uniform(0, _NOISE), image.shape)
        return np.clip(image, low, high)
