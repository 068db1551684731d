"""Which intensities a bundle has learned from, and whether an image has others.

Normalized intensities of the tissue (``inputs.normalization``) have their middle half at the same
place in every image; what tells images apart are the tails, and how much of the image is tissue. An
image of another modality, cut otherwise, or of inverted contrast lies outside of what training had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.bundles.bundle import Bundle
from DeepIGeoSLib.errors import BundleError, InputError
from DeepIGeoSLib.inputs.intensities import evenly_sampled
from DeepIGeoSLib.inputs.normalization import (
    Normalization,
    NormalizationSettings,
    tissue_mask,
)
from DeepIGeoSLib.settings import from_mapping
from DeepIGeoSLib.settings.files import read_mapping

# A file of its own beside the manifest, which older versions pass over.
INTENSITIES_NAME = "intensities.json"

_PERCENTILES = (1, 10, 90, 99)

# How far beyond the training data an image may be, as a share of the width of what that had, and at
# least: few images may be nearly the same.
_MARGIN, _LEAST_MARGIN = 0.1, 0.05


@dataclass(frozen=True)
class KnownIntensities:
    """The range of each number of ``signature_of`` over the training data.

    Attributes:
        cases: how many images.
        low: the lowest of each number.
        high: the highest of each.
    """

    cases: int
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the lengths."""
        expected = len(_PERCENTILES) + 1
        if len(self.low) != expected or len(self.high) != expected:
            raise InputError(f"low and high have to be {expected} numbers each.")

    @classmethod
    def of(cls, signatures: Sequence[Sequence[float]]) -> KnownIntensities:
        """Return the ranges of the signatures of the training images."""
        low, high = np.min(signatures, axis=0), np.max(signatures, axis=0)
        return cls(
            len(signatures),
            tuple(round(float(value), 3) for value in low),
            tuple(round(float(value), 3) for value in high),
        )

    def are_unlike(self, signature: Sequence[float]) -> bool:
        """Return whether an image lies outside of what training had, with a margin."""
        low, high, own = np.array(self.low), np.array(self.high), np.array(signature)
        margin = np.maximum(_MARGIN * (high - low), _LEAST_MARGIN)
        return bool(((own < low - margin) | (own > high + margin)).any())


def signature_of(array: np.ndarray, settings: NormalizationSettings) -> tuple[float, ...]:
    """Return percentiles 1, 10, 90 and 99 of the normalized tissue, and the share of tissue.

    Args:
        array: voxels of an image, any axes.
        settings: of the bundle.

    Raises:
        InputError: the image is constant.
    """
    tissue = tissue_mask(array, settings)
    values = Normalization.of(array, settings, tissue).apply(evenly_sampled(array, tissue))
    return (*map(float, np.percentile(values, _PERCENTILES)), float(tissue.mean()))


def known_intensities(bundle: Bundle) -> KnownIntensities | None:
    """Return what a bundle says of its training images; None where it says nothing.

    Raises:
        BundleError: the file is damaged.
    """
    path = bundle.folder / INTENSITIES_NAME
    if not bundle.has_networks or not path.is_file():
        return None
    try:
        return from_mapping(KnownIntensities, read_mapping(path), str(path))
    except InputError as error:
        raise BundleError(str(error)) from error


def intensities_are_unlike(array: np.ndarray, bundle: Bundle) -> bool:
    """Return whether an image's intensities are unlike those of a bundle's training images.

    Args:
        array: voxels of the first channel.
        bundle: one that says nothing of its training images finds every image like them.

    Raises:
        BundleError: what it says is damaged.
        InputError: the image is constant.
    """
    known = known_intensities(bundle)
    if known is None:
        return False
    return known.are_unlike(signature_of(array, bundle.manifest.normalization))
