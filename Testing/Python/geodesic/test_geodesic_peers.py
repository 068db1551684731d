"""What the documentation says about other packages' numbers, where these are installed."""

from __future__ import annotations

import numpy as np
import pytest

from DeepIGeoSLib.benchmarks.geodesic_cases import Case, strokes, synthetic_volume
from DeepIGeoSLib.benchmarks.geodesic_peers import fastgeodis, geodistk_truth
from DeepIGeoSLib.geodesic import geodesic_distance

SHAPE = (20, 32, 40)
SPACING = (2.0, 0.9, 1.1)


def case(weight):
    return Case("small", synthetic_volume(SHAPE), SPACING, strokes(SHAPE, 30, number=2), weight)


@pytest.mark.parametrize("weight", [0, 0.5, 1])
def test_fastgeodis_approaches_the_exact_distance_from_above(weight):
    pytest.importorskip("FastGeodis", reason="FastGeodis is not installed")
    small = case(weight)
    exact = geodesic_distance(small.image, small.seeds, SPACING, weight=weight)
    errors = [fastgeodis(iterations)(small)() - exact for iterations in (1, 2, 40)]
    assert all(error.min() > -1e-3 for error in errors)
    largest = [error.max() for error in errors]
    assert largest[0] >= largest[1] >= largest[2]
    assert largest[2] < 1e-3


def test_geodistk_agrees_where_intensities_do_not_count():
    GeodisTK = pytest.importorskip("GeodisTK", reason="GeodisTK is not installed")  # noqa: N806
    small = case(0)
    found = GeodisTK.geodesic3d_raster_scan(
        small.image, small.seeds.astype(np.uint8), SPACING, 0.0, 20
    )
    exact = geodesic_distance(small.image, small.seeds, SPACING, weight=0)
    np.testing.assert_allclose(found, exact, rtol=1e-4)


def test_geodistk_approaches_dijkstra_with_its_own_costs():
    GeodisTK = pytest.importorskip("GeodisTK", reason="GeodisTK is not installed")  # noqa: N806
    small = case(0.5)
    seeds = small.seeds.astype(np.uint8)
    truth = geodistk_truth(small)
    errors = [
        np.abs(GeodisTK.geodesic3d_raster_scan(small.image, seeds, SPACING, 0.5, n) - truth).max()
        for n in (2, 100)
    ]
    assert errors[1] < 1e-3 < errors[0]
