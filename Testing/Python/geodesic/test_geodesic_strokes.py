"""Maps that follow added and removed scribbles are those computed anew."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from DeepIGeoSLib.geodesic import (
    dijkstra,
    geodesic_distance,
    geodesic_distances,
    set_thread_count,
)

SHAPE = (11, 19, 37)
SPACING = (2.0, 0.8, 0.8)


@pytest.fixture(autouse=True)
def thread_count_of_the_machine():
    """What a test sets ends with it."""
    yield
    set_thread_count(None)


@pytest.fixture(scope="module")
def image():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=SHAPE)
    noise[:, 5:12, 10:25] += 6
    return noise * 5


def stroke(rng, shape=SHAPE):
    """A few voxels in a row, somewhere."""
    mask = np.zeros(shape, dtype=bool)
    place = [rng.integers(size) for size in shape]
    place[-1] = slice(place[-1], place[-1] + rng.integers(1, 8))
    mask[tuple(place)] = True
    return mask


@pytest.mark.parametrize("engine", ["auto", "sweeps", "dijkstra"])
@pytest.mark.parametrize("max_distance", [None, 12.0])
@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_adding_scribbles_updates_the_map_in_place(image, engine, max_distance, weight):
    rng = np.random.default_rng(1)
    settings_ = {"weight": weight, "max_distance": max_distance, "engine": engine}
    seeds = stroke(rng)
    out = geodesic_distance(image, seeds, SPACING, **settings_)
    for _ in range(6):
        added = stroke(rng)
        seeds = seeds | added
        result = geodesic_distance(image, seeds, SPACING, **settings_, out=out, changed_seeds=added)
        assert result is out
        np.testing.assert_array_equal(out, geodesic_distance(image, seeds, SPACING, **settings_))


def test_removing_scribbles_computes_the_map_anew(image):
    rng = np.random.default_rng(2)
    kept, removed, added = (stroke(rng) for _ in range(3))
    out = geodesic_distance(image, kept | removed, SPACING, weight=0.5)
    changed = (removed & ~kept) | added
    geodesic_distance(image, kept | added, SPACING, weight=0.5, out=out, changed_seeds=changed)
    expected = geodesic_distance(image, kept | added, SPACING, weight=0.5)
    np.testing.assert_array_equal(out, expected)


def test_nothing_changes_without_changed_seeds(image):
    seeds = stroke(np.random.default_rng(3))
    out = geodesic_distance(image, seeds, SPACING, weight=0.5)
    before = out.copy()
    nothing = np.zeros(SHAPE, dtype=bool)
    geodesic_distance(image, seeds, SPACING, weight=0.5, out=out, changed_seeds=nothing)
    np.testing.assert_array_equal(out, before)


def test_a_strided_output_is_written_through(image):
    seeds = stroke(np.random.default_rng(4))
    wide = np.full((*SHAPE[:2], 2 * SHAPE[2]), -1, dtype=np.float32)
    geodesic_distance(image, seeds, SPACING, out=wide[..., ::2])
    np.testing.assert_array_equal(wide[..., ::2], geodesic_distance(image, seeds, SPACING))
    assert (wide[..., 1::2] == -1).all()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_both_classes_at_once_are_as_one_after_the_other(image, threads):
    rng = np.random.default_rng(5)
    set_thread_count(threads)
    seeds = {"foreground": stroke(rng), "background": stroke(rng), "none": stroke(rng) & False}
    maps = geodesic_distances(image, seeds, SPACING, weight=0.5, max_distance=30)
    assert list(maps) == list(seeds)
    for name, mask in seeds.items():
        expected = geodesic_distance(image, mask, SPACING, weight=0.5, max_distance=30)
        np.testing.assert_array_equal(maps[name], expected)
    assert (maps["none"] == 30).all()


def test_both_classes_are_computed_side_by_side(image, monkeypatch):
    """Each solver waits until the other one has begun, too."""
    meeting = threading.Barrier(2, timeout=60)

    def solve(problem, voxels, distance, *, threads):
        meeting.wait()
        return dijkstra.solve(problem, voxels, distance, threads=threads)

    set_thread_count(2)
    monkeypatch.setattr("DeepIGeoSLib.geodesic.distance.solver", lambda engine: solve)
    rng = np.random.default_rng(11)
    seeds = {"foreground": stroke(rng), "background": stroke(rng)}
    maps = geodesic_distances(image, seeds, SPACING)
    monkeypatch.undo()
    for name, mask in seeds.items():
        np.testing.assert_array_equal(maps[name], geodesic_distance(image, mask, SPACING))
