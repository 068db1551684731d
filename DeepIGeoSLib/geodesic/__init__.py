"""Exact geodesic distance maps from seeds through an image."""

from __future__ import annotations

from DeepIGeoSLib.geodesic.distance import geodesic_distance, geodesic_distances
from DeepIGeoSLib.geodesic.solvers import SOLVERS, warm_up
from DeepIGeoSLib.geodesic.threads import set_thread_count, thread_count

__all__ = [
    "SOLVERS",
    "geodesic_distance",
    "geodesic_distances",
    "set_thread_count",
    "thread_count",
    "warm_up",
]
