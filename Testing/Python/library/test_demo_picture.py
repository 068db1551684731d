"""The demonstration's picture shows planes the way radiologists look at them."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.grid.planes import planes

# (left, right, top, bottom) of what is on paper.
RADIOLOGICAL = {
    "axial": ("R", "L", "A", "P"),
    "coronal": ("R", "L", "S", "I"),
    "sagittal": ("A", "P", "S", "I"),
}


def grid(axes: str, spacing: tuple[float, float, float]) -> np.ndarray:
    """Return ijk_to_ras of a grid whose k, j, i point to the letters given, with these mm."""
    matrix = np.eye(4)
    for column, (letter, mm) in enumerate(zip(axes[::-1], spacing[::-1], strict=True)):
        line = "RAS".find(letter) if letter in "RAS" else "LPI".find(letter)
        matrix[:3, column] = 0
        matrix[line, column] = mm if letter in "RAS" else -mm
    return matrix


@pytest.mark.parametrize("axes", ["SPL", "SAR", "IPR", "LSP", "RIA", "ASL", "PIR"])
def test_left_is_right_and_the_head_is_up_however_the_voxels_are_stored(axes: str) -> None:
    matrix = grid(axes, (1.0, 1.0, 1.0))
    # Every voxel holds how far right, to the front and up it lies.
    shape = (5, 6, 7)
    ijk = np.stack(np.indices(shape)[::-1], axis=-1)
    places = ijk @ matrix[:3, :3].T
    found = planes(matrix)
    assert {plane.name: plane.letters for plane in found} == RADIOLOGICAL
    for plane in found:
        right, front, up = (plane.of(places[..., line], 0) for line in range(3))
        across = {"axial": right, "coronal": right, "sagittal": front}[plane.name]
        down = {"axial": front, "coronal": up, "sagittal": up}[plane.name]
        assert (np.diff(across, axis=1) == -1).all()
        assert (np.diff(down, axis=0) == -1).all()


def test_thick_slices_are_shown_as_they_were_taken() -> None:
    assert [plane.name for plane in planes(grid("SPL", (5.0, 1.0, 1.0)))] == ["axial"]
    assert [plane.name for plane in planes(grid("LSP", (4.0, 0.9, 1.0)))] == ["sagittal"]
    assert [plane.name for plane in planes(grid("SPL", (9.0, 3.0, 1.0)))] == ["axial", "sagittal"]


def test_planes_tell_the_size_of_their_pixels() -> None:
    (plane,) = planes(grid("LSP", (4.0, 0.9, 1.1)))
    assert plane.pixel == pytest.approx((0.9, 1.1))
    assert plane.height((10, 40, 20)) == pytest.approx(40 * 0.9 / (20 * 1.1))
    assert plane.of(np.zeros((10, 40, 20)), 3).shape == (40, 20)
