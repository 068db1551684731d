"""Random changes of training crops, by TorchIO.

TorchIO names its axes (x, y, z); crops go in as (k, j, i), so its first axis is through-plane here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torchio

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.tensors import to_array, to_tensor
from DeepIGeoSLib.training.bending import bent
from DeepIGeoSLib.training.settings import AugmentationSettings

# Of the elastic deformation, along each axis.
_CONTROL_POINTS = 7


class Augmentation:
    """Spatial changes of an image and its masks together, then intensity changes of the image."""

    def __init__(self, settings: AugmentationSettings, air: float) -> None:
        """Make the transforms; ``air`` is the image value that fills what comes in from outside."""
        turn, tilt = settings.degrees, settings.tilt_degrees
        spatial = [
            torchio.RandomFlip(axes=settings.flip_axes),
            torchio.RandomAffine(
                scales=settings.scales,
                isotropic=True,
                degrees=(-turn, turn, -tilt, tilt, -tilt, tilt),
                default_pad_value=air,
                p=0.8,
            ),
        ]
        self._spatial = torchio.Compose(spatial)
        self._bend, self._bend_sigma = settings.bend, settings.bend_sigma
        self._elastic = settings.elastic
        self._elastic_mm = settings.elastic_mm
        self._intensity = torchio.Compose(_intensity_changes(settings))
        self._contrast_probability = settings.intensity

    def __call__(
        self,
        image: np.ndarray,
        maps: dict[str, np.ndarray],
        spacing: tuple[float, float, float],
        *,
        seed: int,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return a changed copy of an image and of the maps that belong to it.

        Args:
            image: normalized float32, axes (channel, k, j, i).
            maps: bool arrays (moved by nearest neighbor) and float32 ones (moved linearly).
            spacing: mm along (k, j, i).
            seed: decides every random choice.
        """
        if self._bend > 0:
            random = np.random.default_rng(seed)
            if random.random() < self._bend:
                image, maps = bent(image, maps, self._bend_sigma, random=random)
        affine = np.diag([*spacing, 1.0])
        subject = torchio.Subject(image=torchio.ScalarImage(tensor=to_tensor(image), affine=affine))
        for name, values in maps.items():
            kind = torchio.LabelMap if values.dtype == bool else torchio.ScalarImage
            tensor = _tensor(values.astype(np.uint8) if values.dtype == bool else values)
            subject.add_image(kind(tensor=tensor, affine=affine), name)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            moved: Any = self._deformed(self._spatial(subject))
            filtered: Any = self._intensity(torchio.Subject(image=moved["image"]))
            changed = filtered["image"].data
            changed = self._scale_and_shift(changed)
        moved_maps = {name: _array(moved[name].data, values.dtype) for name, values in maps.items()}
        return to_array(changed).astype(np.float32), moved_maps

    def _deformed(self, subject: Any) -> torchio.Subject:
        """Bend image and masks smoothly; a single slice only in its plane."""
        if self._elastic == 0:
            return subject
        # More than 0.4 of the way between control points would fold space; through a handful of
        # slices nothing moves.
        limits = three(
            0.0 if size < 8 else min(self._elastic_mm, 0.4 * size * mm / (_CONTROL_POINTS - 3))
            for size, mm in zip(subject.spatial_shape, subject["image"].spacing, strict=True)
        )
        deform = torchio.RandomElasticDeformation(
            num_control_points=_CONTROL_POINTS, max_displacement=limits, p=self._elastic
        )
        return deform(subject)

    def _scale_and_shift(self, tensor: torch.Tensor) -> torch.Tensor:
        """Undo some of the normalization: on a new scanner median and spread are a little off."""
        if torch.rand(1).item() >= self._contrast_probability * 2:
            return tensor
        scale = 1 + 0.25 * (2 * torch.rand(1).item() - 1)
        shift = 0.4 * (2 * torch.rand(1).item() - 1)
        return tensor * scale + shift


def _intensity_changes(settings: AugmentationSettings) -> list[torchio.Transform]:
    """Return the changes of the image that have a chance, in the order in which scans suffer."""
    p = settings.intensity

    def chance(own: float | None, usual: float) -> float:
        return usual if own is None else own

    changes = [
        torchio.RandomMotion(degrees=5, translation=5, num_transforms=2, p=settings.motion),
        torchio.RandomAnisotropy(axes=(0, 1, 2), downsampling=(1.5, 4), p=settings.anisotropy),
    ]
    always = [
        torchio.RandomBiasField(coefficients=0.3, order=2, p=chance(settings.bias_field, p / 2)),
        torchio.RandomGamma(log_gamma=0.25, p=chance(settings.gamma, p)),
        torchio.RandomBlur(std=(0, 1), p=chance(settings.blur, p / 2)),
        torchio.RandomNoise(std=(0, 0.25), p=chance(settings.noise, p)),
    ]
    # Those that are off by default are left out, so that they don't draw random numbers.
    return [change for change in changes if change.probability > 0] + always


def _tensor(array: np.ndarray) -> torch.Tensor:
    return to_tensor(array[np.newaxis])


def _array(tensor: torch.Tensor, dtype: np.dtype) -> np.ndarray:
    return to_array(tensor[0]).astype(dtype)
