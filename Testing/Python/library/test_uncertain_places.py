"""The next place to look is where uncertainty is gathered."""

from __future__ import annotations

import numpy as np

from DeepIGeoSLib.interaction.uncertain_places import uncertain_places


def ball_with_soft_surface(shape=(40, 40, 40), radius=12.0):
    """A probability that falls from 1 to 0 over two voxels at the surface of a ball."""
    grid = np.indices(shape).astype(np.float32)
    distance = np.sqrt(sum((axis - size / 2) ** 2 for axis, size in zip(grid, shape, strict=True)))
    return np.clip((radius - distance) / 2 + 0.5, 0, 1).astype(np.float32)


def test_a_sure_segmentation_has_no_place_to_look_at():
    assert uncertain_places(np.eye(8, dtype=np.float32)[None].repeat(8, 0), (1, 1, 1)) == []
    assert uncertain_places(np.zeros((4, 4, 4), np.float32), (1, 1, 1)) == []


def test_a_doubtful_piece_comes_before_the_surface_around_it():
    probability = ball_with_soft_surface()
    probability[32:38, 3:9, 30:36] = 0.5
    k, j, i = uncertain_places(probability, (1, 1, 1))[0]
    assert probability[k, j, i] == 0.5
    assert k >= 32


def test_places_are_uncertain_apart_and_in_order():
    probability = ball_with_soft_surface()
    probability[1:7, 1:7, 1:7] = 0.5
    probability[33:38, 33:38, 33:38] = 0.5
    places = uncertain_places(probability, (1, 1, 1), count=4, diameter=6)
    assert len(places) == 4
    assert max(places[0]) < 7
    assert min(places[1]) >= 33
    assert all(0 < probability[place] < 1 for place in places)
    for n, place in enumerate(places):
        for other in places[:n]:
            assert max(abs(a - b) for a, b in zip(place, other, strict=True)) > 6


def test_thick_slices_count_by_millimeters():
    probability = np.zeros((6, 40, 40), np.float32)
    probability[1, 5:8, 5:8] = 0.5  # 9 voxels of 10 mm thickness
    probability[4, 20:26, 20:26] = 0.5
    (first, *_) = uncertain_places(probability, (10.0, 1.0, 1.0))
    assert first[0] == 4
