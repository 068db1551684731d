"""Regions that grow from strokes, and their measures, against counting one by one."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import DeepIGeoSLib.regions
from DeepIGeoSLib.regions.growth import Window, families
from DeepIGeoSLib.regions.measures import MEASURES, measured
from DeepIGeoSLib.regions.preference import preferences

SHAPE = (5, 12, 14)
SPACING = (2.5, 1.0, 1.0)
CUT_OFF = ((True, False), (False, False), (False, True))


@pytest.fixture
def window() -> Window:
    random = np.random.default_rng(3)
    intensities = random.random(SHAPE).astype(np.float32)
    intensities[1:4, 3:9, 3:9] = 0.9
    seeds = np.zeros(SHAPE, dtype=bool)
    seeds[2, 5, 5:8] = True
    ours, rivals = np.zeros_like(seeds), np.zeros_like(seeds)
    ours[:, :, 11:] = True
    rivals[4, 11, 0] = True
    return Window(intensities, seeds, ~ours & ~rivals, ours, rivals, SPACING, CUT_OFF)


def column(window, family, name) -> np.ndarray:
    return measured(window, family, 1.0)[:, MEASURES.index(name)]


def test_each_region_holds_the_seeds_and_the_one_before(window) -> None:
    grown = list(families(window))
    assert {(family.lengths, family.around) for family in grown} == set(
        product((False, True), repeat=2)
    )
    for family in grown:
        assert (np.diff(family.reached) > 0).all()
        assert (family.number[window.seeds] == 0).all()
        assert (family.number[~window.free] == len(family.reached)).all()


def test_size_and_border_are_those_of_counting(window) -> None:
    family = next(families(window))
    bins = np.minimum((window.intensities * 32).astype(int), 31)
    for level in range(0, len(family.reached), 5):
        inside = family.number <= level
        across = lost = pairs = shared = 0.0
        for axis, step in enumerate(SPACING):
            reach = 3 if step <= 2 else 1
            area = np.prod(SPACING) / step
            for place in np.argwhere(inside):
                for sign in (-reach, reach):
                    other = place.copy()
                    other[axis] += sign
                    if not 0 <= other[axis] < SHAPE[axis] or inside[tuple(other)]:
                        continue
                    difference = area * abs(bins[tuple(place)] - bins[tuple(other)]) / 32
                    if window.ours[tuple(other)]:
                        shared, lost = shared + area, lost + difference
                    else:
                        pairs, across = pairs + area, across + difference
        faces = inside[0].sum() * 1.0 + inside[:, :, -1].sum() * 2.5
        border = pairs + shared + faces
        expected = {
            "pixels": np.log(inside.sum() * 2.5),
            "contrast": across / pairs,
            "shared border": shared / border,
            "cut off": faces / border,
            "lost contrast": lost / shared if shared else 0,
        }
        for name, value in expected.items():
            assert column(window, family, name)[level] == pytest.approx(value), name


def test_a_window_without_anything_to_grow_into_has_no_family(window) -> None:
    closed = Window(
        window.intensities,
        window.seeds,
        window.seeds,
        ~window.seeds,
        window.rivals,
        SPACING,
        CUT_OFF,
    )
    assert list(families(closed)) == []


@pytest.mark.parametrize("purpose", ["begin", "add", "remove"])
def test_every_measure_has_its_terms_and_only_those(purpose) -> None:
    path = Path(DeepIGeoSLib.regions.__file__).with_name("preferences.json")
    terms = json.loads(path.read_text(encoding="utf-8"))[purpose]
    assert set(terms) == set(MEASURES)
    measures = np.zeros((2, len(MEASURES)))
    measures[1] = 1e9
    expected = [
        sum(
            linear * value + square * value**2
            for low, high, linear, square in terms.values()
            for value in (np.clip(at, low, high),)
        )
        for at in (0.0, 1e9)
    ]
    assert preferences(measures, purpose) == pytest.approx(expected)
