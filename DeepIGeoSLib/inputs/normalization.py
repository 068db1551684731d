"""Intensities as the networks want them: shifted and scaled by those of the tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.inputs.intensities import evenly_sampled, intensity_range, typical_values

# Half the interquartile range of a normal distribution, in standard deviations.
_HALF_IQR_OF_NORMAL = 0.6745


@dataclass(frozen=True)
class NormalizationSettings:
    """How intensities become network input.

    Attributes:
        threshold: voxels above ``low + threshold * (high - low)`` count as tissue, where low is
            the intensity of air and high the 99.5th percentile of what lies above it, both without
            padding and artifacts (see ``intensities``).
        clip: the normalized values are limited to this range.
        fixed: the intensity that becomes 0, and the difference that becomes 1, for images whose
            numbers mean the same everywhere, such as [127, 64] for photographs: their colors would
            be lost otherwise. Measured in the tissue of each image when null.
        compress: take the inverse hyperbolic sine of the limited values (a logarithm beyond 1), for
            images in which objects differ much in brightness, such as fluorescence.
    """

    threshold: float = 0.1
    clip: tuple[float, float] = (-4.0, 10.0)
    fixed: tuple[float, float] | None = None
    compress: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.threshold < 1:
            raise InputError(f"threshold is {self.threshold:g}, expected a share from 0 to 1.")
        if not self.clip[0] < self.clip[1]:
            raise InputError(f"clip is {list(self.clip)}, expected a lower and a higher number.")
        if self.fixed is not None and not self.fixed[1] > 0:
            raise InputError(f"fixed is {list(self.fixed)}; its second number must be above 0.")

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest value that an image can have."""
        low, high = np.arcsinh(self.clip) if self.compress else self.clip
        return float(low), float(high)


def tissue_mask(array: np.ndarray, settings: NormalizationSettings) -> np.ndarray:
    """Return where the volume holds tissue rather than air: bool, the shape of ``array``.

    Raises:
        InputError: the volume is constant.
    """
    low, high = intensity_range(array)
    if low == high:
        raise InputError(f"The volume is constant: every voxel is {low:g}.")
    return array > low + settings.threshold * (high - low)


@dataclass(frozen=True)
class Normalization:
    """Shifts and scales intensities by the median and the spread of the tissue.

    Median and interquartile range are used because a bright lesion or fat must not decide the
    scale of the brain around it.

    Attributes:
        median: intensity that becomes 0.
        spread: intensity difference that becomes 1.
        clip: the range of the results, before they are compressed.
        compress: see ``NormalizationSettings``.
    """

    median: float
    spread: float
    clip: tuple[float, float]
    compress: bool = False

    @classmethod
    def of(
        cls, array: np.ndarray, settings: NormalizationSettings, tissue: np.ndarray
    ) -> Normalization:
        """Measure a volume.

        Args:
            array: float32 voxels.
            settings: clipping range, and what is fixed.
            tissue: bool, the shape of ``array``; see ``tissue_mask``.
        """
        if settings.fixed is not None:
            return cls(*settings.fixed, settings.clip, settings.compress)
        values = typical_values(evenly_sampled(array, tissue), array)
        lower, median, upper = np.percentile(values, [25, 50, 75])
        spread = (upper - lower) / (2 * _HALF_IQR_OF_NORMAL)
        if spread <= 0:  # over half of the tissue has one value, as in a binary image
            limits = intensity_range(array)
            spread = float(values.clip(*limits).std()) or float(array.clip(*limits).std())
        return cls(float(median), float(spread), settings.clip, settings.compress)

    def apply(self, array: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return normalized float32 values of any part of the volume, in ``out`` if given."""
        out = np.subtract(array, np.float32(self.median), out=out)
        out *= np.float32(1 / self.spread)
        np.clip(out, *self.clip, out=out)
        return np.arcsinh(out, out=out) if self.compress else out


def normalize(array: np.ndarray, settings: NormalizationSettings) -> np.ndarray:
    """Return a whole volume normalized: float32, the shape of ``array``.

    Raises:
        InputError: the volume is constant.
    """
    return Normalization.of(array, settings, tissue_mask(array, settings)).apply(array)
