"""Dijkstra's distances, with which everything else is compared, are the right ones."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra as scipy_dijkstra

from DeepIGeoSLib.geodesic import dijkstra, geodesic_distance
from DeepIGeoSLib.geodesic.problem import pose


def distances_in_an_explicit_graph(image, seeds, spacing, weight):
    """List every step of the definition as an edge, in float64, and let SciPy find the paths."""
    channels = np.asarray(image, dtype=float)
    channels = channels[np.newaxis] if channels.ndim == seeds.ndim else channels
    numbers = np.arange(seeds.size).reshape(seeds.shape)
    sizes = np.array(seeds.shape)
    rows, columns, costs = [], [], []
    for move in product((-1, 0, 1), repeat=seeds.ndim):
        if not any(move):
            continue
        forward, backward = np.maximum(move, 0), np.maximum(np.negative(move), 0)
        here = tuple(map(slice, backward, sizes - forward))
        there = tuple(map(slice, forward, sizes - backward))
        d = np.linalg.norm(np.multiply(move, spacing))
        g = np.linalg.norm(channels[(..., *here)] - channels[(..., *there)], axis=0)
        rows.append(numbers[here].ravel())
        columns.append(numbers[there].ravel())
        # A sparse matrix has no edges of cost 0; this is far below what the test can see.
        costs.append(np.maximum((1 - weight) * d + weight * g, 1e-12).ravel())
    graph = coo_array(
        (np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))),
        shape=(seeds.size, seeds.size),
    ).tocsr()
    found = scipy_dijkstra(graph, indices=np.flatnonzero(seeds), min_only=True)
    return found.reshape(seeds.shape)


@pytest.mark.parametrize("engine", ["dijkstra", "auto"])
@pytest.mark.parametrize("weight", [0, 0.25, 1])
@pytest.mark.parametrize("shape", [(9, 11, 21), (2, 9, 10, 18), (30, 40), (3, 17, 23)])
def test_distances_are_those_of_the_explicit_graph(shape, weight, engine):
    rng = np.random.default_rng(len(shape))
    spatial = shape if shape[0] > 3 else shape[1:]
    image = rng.normal(100, 30, shape)
    seeds = rng.random(spatial) < 0.01
    seeds[(0,) * seeds.ndim] = True
    spacing = (3.0, 0.7, 1.1)[: seeds.ndim]
    distance = geodesic_distance(image, seeds, spacing, weight=weight, engine=engine)
    expected = distances_in_an_explicit_graph(image, seeds, spacing, weight)
    np.testing.assert_allclose(distance, expected, rtol=1e-5, atol=1e-4)


def test_without_intensities_it_is_the_length_of_the_shortest_grid_path():
    """In a cube that is the octile distance: diagonals first, then straight on."""
    seeds = np.zeros((9, 9, 9), dtype=bool)
    seeds[4, 4, 4] = True
    image = np.random.default_rng(0).normal(size=seeds.shape)
    distance = geodesic_distance(image, seeds, (2, 2, 2), weight=0)
    steps = np.sort(np.abs(np.indices(seeds.shape) - 4), axis=0)
    root2, root3 = np.sqrt(2), np.sqrt(3)
    octile = (root3 - root2) * steps[0] + (root2 - 1) * steps[1] + steps[2]
    np.testing.assert_allclose(distance, 2 * octile, rtol=1e-6)


def test_purely_geodesic_distance_is_free_in_flat_areas_and_costs_the_height_of_a_wall():
    image = np.zeros((8, 20, 40))
    image[:, :, 20:] = 35
    seeds = np.zeros(image.shape, dtype=bool)
    seeds[3, 2, 1] = True
    distance = geodesic_distance(image, seeds, (1, 1, 1), weight=1)
    assert (distance[:, :, :20] == 0).all()
    assert (distance[:, :, 20:] == 35).all()


def test_a_path_goes_through_the_gap_of_a_wall():
    image = np.zeros((9, 33))
    image[:, 16] = 50
    image[0, 16] = 0
    seeds = np.zeros(image.shape, dtype=bool)
    seeds[8, 15] = True
    assert geodesic_distance(image, seeds, (1, 1), weight=1)[8, 17] == 0
    image[0, 16] = 20
    assert geodesic_distance(image, seeds, (1, 1), weight=1)[8, 17] == 40


def test_channels_count_by_the_length_of_their_joint_difference():
    image = np.zeros((2, 4, 6))
    image[:, :, 3:] = [[[3]], [[4]]]
    seeds = np.zeros((4, 6), dtype=bool)
    seeds[:, 0] = True
    distance = geodesic_distance(image, seeds, (1, 1), weight=1)
    np.testing.assert_array_equal(distance[:, :3], 0)
    np.testing.assert_array_equal(distance[:, 3:], 5)


def test_dijkstra_is_the_same_without_a_compiler():
    rng = np.random.default_rng(3)
    problem = pose(
        rng.normal(size=(2, 5, 6, 7)), (5, 6, 7), (1, 2, 3), weight=0.4, max_distance=None
    )
    distances = []
    for search in (dijkstra._search, dijkstra._compiled()):
        distance = np.full((5, 6, 7), np.inf, dtype=np.float32)
        distance[2, 3, 4] = 0
        voxels = np.flatnonzero(distance == 0)
        search(problem.image * problem.weight, problem.lengths, voxels, distance)
        distances.append(distance)
    np.testing.assert_array_equal(*distances)
