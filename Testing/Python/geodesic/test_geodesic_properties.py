"""Every engine gives Dijkstra's distances, to the bit, whatever it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from DeepIGeoSLib.geodesic import geodesic_distance, set_thread_count

needs_numba = pytest.mark.skipif(not find_spec("numba"), reason="numba is not installed")
needs_torch = pytest.mark.skipif(not find_spec("torch"), reason="torch is not installed")

ENGINES = [
    pytest.param("blocks", marks=needs_numba),
    pytest.param("sweeps"),
    pytest.param("sweeps:cpu", marks=needs_torch),
]

many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class Case:
    image: np.ndarray
    seeds: np.ndarray
    spacing: tuple[float, ...]
    weight: float
    max_distance: float | None

    def distance(self, engine="dijkstra", **changes):
        arguments = {"weight": self.weight, "max_distance": self.max_distance, **changes}
        image = arguments.pop("image", self.image)
        seeds = arguments.pop("seeds", self.seeds)
        spacing = arguments.pop("spacing", self.spacing)
        return geodesic_distance(image, seeds, spacing, engine=engine, **arguments)


# Sizes around those of the blocks (8 x 8 x 16), and single voxels.
sizes = st.sampled_from([1, 2, 3, 7, 8, 9, 15, 16, 17, 18, 23, 33])


@st.composite
def cases(draw):
    """Images of noise, steps and nothing; few, many and all voxels seeds."""
    shape = tuple(draw(st.lists(sizes, min_size=2, max_size=3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    number = draw(st.integers(0, 3))
    full = (number, *shape) if number else shape
    kind = draw(st.sampled_from(["noise", "steps", "constant", "integers"]))
    image = {
        "noise": lambda: rng.normal(size=full),
        "steps": lambda: rng.integers(0, 3, full) * 40.0,
        "constant": lambda: np.full(full, 7.0),
        "integers": lambda: rng.integers(-1000, 3000, full).astype(np.int16),
    }[kind]()
    seeds = rng.random(shape) < draw(st.sampled_from([0.001, 0.02, 0.3, 1.0]))
    seeds.flat[rng.integers(seeds.size)] = True
    return Case(
        image,
        seeds,
        tuple(draw(st.lists(st.floats(0.1, 5), min_size=len(shape), max_size=len(shape)))),
        draw(st.sampled_from([0.0, 0.3, 0.5, 1.0]) | st.floats(0, 1)),
        draw(st.none() | st.floats(0.5, 200)),
    )


@pytest.mark.parametrize("engine", ENGINES)
@many
@given(case=cases())
def test_engines_agree_with_dijkstra_to_the_bit(engine, case):
    np.testing.assert_array_equal(case.distance(engine), case.distance())


@needs_numba
@few
@given(case=cases(), threads=st.integers(2, 5))
def test_threads_do_not_change_a_bit(case, threads):
    try:
        set_thread_count(1)
        alone = case.distance("blocks")
        set_thread_count(threads)
        np.testing.assert_array_equal(case.distance("blocks"), alone)
    finally:
        set_thread_count(None)


@few
@given(case=cases(), stride=st.sampled_from([-2, -1, 2]), order=st.sampled_from("CF"))
def test_strided_and_read_only_arrays_are_taken(case, stride, order):
    """A view with any strides means what it shows, and nothing is written to it."""
    image = np.array(np.repeat(case.image, 2, axis=-1), order=order)[..., ::stride]
    seeds = np.array(np.repeat(case.seeds, 2, axis=-1), order=order)[..., ::stride]
    plain = case.distance("auto", image=image.copy("C"), seeds=seeds.copy("C"))
    image.flags.writeable = False
    seeds.flags.writeable = False
    np.testing.assert_array_equal(case.distance("auto", image=image, seeds=seeds), plain)


@few
@given(case=cases())
def test_seeds_are_at_zero_and_nothing_else_is_negative_or_above_the_limit(case):
    distance = case.distance("auto")
    assert (distance[case.seeds] == 0).all()
    assert (distance >= 0).all()
    assert distance.max() <= np.float32(case.max_distance or np.inf)
    assert distance.dtype == np.float32
    assert distance.shape == case.seeds.shape


@few
@given(case=cases())
def test_truncation_is_the_minimum_with_the_limit(case):
    limit = np.float32(case.max_distance or 5)
    full = case.distance("auto", max_distance=None)
    cut = case.distance("auto", max_distance=limit)
    np.testing.assert_array_equal(cut, np.minimum(full, limit))


@few
@given(case=cases(), factors=st.lists(st.floats(1, 3), min_size=3, max_size=3))
def test_larger_spacing_never_gives_a_smaller_distance(case, factors):
    larger = tuple(s * f for s, f in zip(case.spacing, factors, strict=False))
    assert (case.distance("auto", spacing=larger) >= case.distance("auto")).all()


@few
@given(case=cases())
def test_more_seeds_never_give_a_larger_distance(case):
    more = case.seeds.copy()
    more.flat[:: max(1, more.size // 3)] = True
    assert (case.distance("auto", seeds=more) <= case.distance("auto")).all()


@few
@given(case=cases(), numbers=st.lists(st.floats(0, 0.999), min_size=3, max_size=3))
def test_triangle_inequality_and_symmetry(case, numbers):
    """Between three voxels, up to the rounding of sums along the paths."""
    voxels = [int(number * case.seeds.size) for number in numbers]
    maps = []
    for voxel in voxels:
        seed = np.zeros(case.seeds.size, dtype=bool)
        seed[voxel] = True
        maps.append(
            case.distance("auto", seeds=seed.reshape(case.seeds.shape), max_distance=None).ravel()
        )
    between = np.array([[distance[voxel] for voxel in voxels] for distance in maps], dtype=float)
    slack = 1e-5 * (1 + between.max())
    np.testing.assert_allclose(between, between.T, atol=slack)
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        assert between[a, c] <= between[a, b] + between[b, c] + slack


@few
@given(case=cases())
def test_neighbors_differ_by_no_more_than_the_step_between_them(case):
    image = np.asarray(case.image, dtype=float)
    channels = image[np.newaxis] if image.ndim == case.seeds.ndim else image
    distance = case.distance("auto").astype(float)
    for axis, spacing in enumerate(case.spacing):
        difference = np.linalg.norm(np.diff(channels, axis=axis + 1), axis=0)
        step = (1 - case.weight) * spacing + case.weight * difference
        slack = 1e-5 * (1 + distance.max() + np.abs(channels).max())
        assert (np.abs(np.diff(distance, axis=axis)) <= step + slack).all()
