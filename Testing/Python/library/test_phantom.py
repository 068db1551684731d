"""The phantom is a head with one known lesion, always the same for the same number."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from DeepIGeoSLib.samples.phantom import head_phantom


@pytest.mark.parametrize("seed", range(4))
def test_the_lesion_is_one_bright_piece(seed: int) -> None:
    volume, lesion = head_phantom(seed=seed)
    assert lesion.shape == volume.shape
    assert ndimage.label(lesion)[1] == 1
    around = ndimage.binary_dilation(lesion, iterations=4) & ~ndimage.binary_dilation(lesion)
    assert np.median(volume.array[lesion]) > 1.25 * np.median(volume.array[around])
    assert 10 < lesion.sum() * np.prod(volume.spacing) / 1000 < 60  # ml


def test_it_lies_oblique_in_the_patient() -> None:
    volume, _ = head_phantom()
    assert volume.spacing == pytest.approx((4.5, 1.0, 1.0))
    axes = volume.ijk_to_ras[:3, :3] / volume.spacing[::-1]
    assert np.abs(axes @ axes.T - np.eye(3)).max() < 1e-12
    assert np.abs(axes).max(axis=0).min() < 0.99


def test_numbers_make_other_heads() -> None:
    first, again, other = (head_phantom(seed=seed)[0].array for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
