"""Scribbles: one class a voxel, and the channels that networks see of them."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib import InputError, geodesic_distance
from DeepIGeoSLib.grid.boxes import whole_box
from DeepIGeoSLib.inputs.distance_channels import InteractionSettings, distance_maps, network_input
from DeepIGeoSLib.interaction.scribbles import Interactions

SHAPE = (3, 4, 5)


def mask(*places: tuple[int, int, int]) -> np.ndarray:
    painted = np.zeros(SHAPE, dtype=bool)
    for place in places:
        painted[place] = True
    return painted


WHOLE = tuple(slice(0, n) for n in SHAPE)
A, B, C = (0, 1, 2), (1, 2, 3), (2, 3, 4)


def test_scribbles_come_back_as_they_were_given() -> None:
    given = Interactions(SHAPE).updated(mask(A, B), mask(C))
    foreground, background = given.seeds(WHOLE)
    assert np.array_equal(foreground, mask(A, B))
    assert np.array_equal(background, mask(C))
    assert not given.empty
    assert Interactions(SHAPE).updated(None, mask()).empty


def test_seeds_of_a_box_are_the_seeds_in_it() -> None:
    given = Interactions(SHAPE).updated(mask(A, B, C), None)
    box = (slice(1, 3), slice(2, 4), slice(0, 4))
    assert np.array_equal(given.seeds(box)[0], mask(A, B, C)[box])


@pytest.mark.parametrize("first", ["foreground", "background"])
def test_the_later_stroke_wins_and_keeps_winning(first: str) -> None:
    second = "background" if first == "foreground" else "foreground"
    one = Interactions(SHAPE).updated(**{first: mask(A, B), second: None})
    two = one.updated(**{first: mask(A, B), second: mask(B)})
    three = two.updated(**{first: mask(A, B, C), second: mask(B)})
    seeds = dict(zip(("foreground", "background"), three.seeds(WHOLE), strict=True))
    assert np.array_equal(seeds[second], mask(B))
    assert np.array_equal(seeds[first], mask(A, C))


def test_both_classes_at_once_are_refused_with_the_place() -> None:
    with pytest.raises(InputError, match=r"1 voxels are .* at \(k, j, i\) = \(1, 2, 3\)"):
        Interactions(SHAPE).updated(mask(A, B), mask(B))


def test_changes_are_the_new_and_the_erased_voxels() -> None:
    before = Interactions(SHAPE).updated(mask(A, B), None)
    after = before.updated(mask(B), mask(C))
    changed = np.zeros(SHAPE, dtype=bool)
    changed.flat[after.changed_from(before)] = True
    assert np.array_equal(changed, mask(A, C))


def test_imposing_sets_exactly_the_scribbled_voxels() -> None:
    probability = np.full(SHAPE, 0.3, dtype=np.float32)
    Interactions(SHAPE).updated(mask(A), mask(B)).impose_on(probability, whole_box(SHAPE))
    assert probability[A] == 1
    assert probability[B] == 0
    assert (probability == np.float32(0.3)).sum() == probability.size - 2


def test_imposing_on_a_box_sets_the_scribbles_inside_it() -> None:
    box = tuple(slice(place, place + 1) for place in A)
    inside = np.full((1, 1, 1), 0.3, dtype=np.float32)
    Interactions(SHAPE).updated(mask(A), mask(B)).impose_on(inside, box)
    assert inside == 1


def test_disobeyed_scribbles_are_found() -> None:
    interactions = Interactions(SHAPE).updated(mask(A, C), mask(B))
    probability = np.zeros(SHAPE, dtype=np.float32)
    probability[A] = 1
    assert np.array_equal(interactions.disobeyed(probability), np.flatnonzero(mask(C)))
    probability[B] = 0.2
    assert np.array_equal(interactions.disobeyed(probability), np.flatnonzero(mask(B, C)))


def test_bad_scribbles_are_refused() -> None:
    nothing = Interactions(SHAPE)
    with pytest.raises(InputError, match=r"foreground scribbles have the shape \(1, 4, 5\)"):
        nothing.updated(np.zeros((1, 4, 5), dtype=bool), None)
    with pytest.raises(InputError, match="mask of 0 and 1"):
        nothing.updated(None, np.full(SHAPE, 2))
    as_numbers = nothing.updated(mask(A).astype(np.uint8), None)
    assert as_numbers.foreground.size == 1


def test_maps_are_cut_and_scaled_geodesic_distances() -> None:
    random = np.random.default_rng(0)
    image = random.normal(size=(1, 6, 20, 20)).astype(np.float32)
    foreground = np.zeros(image.shape[1:], dtype=bool)
    foreground[3, 5, 5] = True
    background = np.zeros_like(foreground)
    background[2, 15, 12] = True
    settings = InteractionSettings(weight=0.4, intensity_scale=5.0, max_distance=12.0)
    maps = distance_maps(image, foreground, background, spacing=(3.0, 1.0, 1.0), settings=settings)
    for channel, seeds in zip(maps, (background, foreground), strict=True):
        exact = geodesic_distance(image[0] * 5, seeds, (3.0, 1.0, 1.0), weight=0.4)
        np.testing.assert_allclose(channel, np.minimum(exact, 12) / 12, atol=1e-5)
        assert (channel[seeds] == 0).all()
        assert channel.max() == 1


def test_an_absent_class_is_far_everywhere() -> None:
    image = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    background, foreground = distance_maps(
        image, mask(), mask(A), spacing=(1.0, 1.0, 1.0), settings=InteractionSettings()
    )
    assert (foreground == 1).all()
    assert background[A] == 0


def test_the_papers_absent_class_is_random_but_repeatable() -> None:
    image = np.random.default_rng(0).normal(size=(1, *SHAPE)).astype(np.float32)
    settings = InteractionSettings(missing="random")
    once, again = (
        distance_maps(image, mask(), mask(A), spacing=(1.0, 1.0, 1.0), settings=settings)[1]
        for _ in range(2)
    )
    assert np.array_equal(once, again)
    assert 0 <= once.min() < once.max() < 1


def test_several_image_channels_make_one_distance() -> None:
    image = np.random.default_rng(0).normal(size=(2, *SHAPE)).astype(np.float32)
    maps = distance_maps(
        image, mask(A), mask(C), spacing=(1.0, 1.0, 1.0), settings=InteractionSettings()
    )
    assert maps.shape == (2, *SHAPE)
    inputs = network_input(image, np.full(SHAPE, 0.5), maps)
    assert inputs.shape == (5, *SHAPE)
    assert inputs.dtype == np.float32
    assert np.array_equal(inputs[:2], image)
    assert (inputs[2] == 0.5).all()
    assert np.array_equal(inputs[3:], maps)
