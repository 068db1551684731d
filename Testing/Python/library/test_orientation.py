"""Arrays are turned to one direction for the networks, and back exactly."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from DeepIGeoSLib.grid.orientation import Orientation

ALL_48 = [
    np.eye(3)[list(order)] * np.array(signs)
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


def matrix_of(axes: np.ndarray, ijk_spacing: tuple[float, ...] = (1, 1, 1)) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array(ijk_spacing)
    return matrix


@pytest.mark.parametrize("axes", ALL_48)
def test_every_axis_order_becomes_superior_posterior_left(axes: np.ndarray) -> None:
    matrix = matrix_of(axes)
    k, j, i = np.indices((4, 5, 6))
    ras = np.einsum("rc,ckji->rkji", matrix[:3, :3], np.stack([i, j, k]))
    turned = [Orientation.of(matrix).apply(component) for component in ras]
    right, anterior, superior = turned
    assert (np.diff(superior, axis=0) > 0).all()
    assert (np.diff(anterior, axis=1) < 0).all()
    assert (np.diff(right, axis=2) < 0).all()


@pytest.mark.parametrize("axes", ALL_48)
def test_turning_back_is_exact(axes: np.ndarray) -> None:
    array = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    orientation = Orientation.of(matrix_of(axes))
    assert np.array_equal(orientation.invert(orientation.apply(array)), array)


@pytest.mark.parametrize("axes", ALL_48)
def test_voxel_numbers_turn_with_the_array(axes: np.ndarray) -> None:
    mask = np.random.default_rng(0).random((4, 5, 6)) < 0.2
    orientation = Orientation.of(matrix_of(axes))
    turned = orientation.apply_to_voxels(np.flatnonzero(mask), mask.shape)
    assert np.array_equal(turned, np.flatnonzero(orientation.apply(mask)))


@pytest.mark.parametrize("axes", ALL_48)
def test_boxes_turn_back_with_their_content(axes: np.ndarray) -> None:
    array = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    orientation = Orientation.of(matrix_of(axes))
    turned = orientation.apply(array)
    box = (slice(1, 3), slice(0, 2), slice(2, 4))
    inside = array[orientation.invert_box(box, turned.shape)]
    assert sorted(inside.ravel()) == sorted(turned[box].ravel())


def test_thick_slices_stay_slices() -> None:
    sagittal = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    orientation = Orientation.of(matrix_of(sagittal, (0.9, 0.9, 5.0)))
    assert orientation.axes[0] == 0
    assert orientation.spacing((5.0, 0.9, 0.9))[0] == 5.0
    thin = Orientation.of(matrix_of(sagittal))
    assert thin.axes[0] != 0


def test_a_slightly_oblique_volume_is_not_turned() -> None:
    angle = np.deg2rad(20)
    tilt = np.array(
        [[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]
    )
    orientation = Orientation.of(matrix_of(tilt @ np.diag([-1.0, -1.0, 1.0])))
    assert orientation == Orientation((0, 1, 2), (False, False, False))
