"""Exact geodesic distance maps from seeds through an image."""

from __future__ import annotations

from DeepIGeoSLib.geodesic.distance import geodesic_distance
from DeepIGeoSLib.geodesic.threads import set_thread_count, thread_count

__all__ = ["geodesic_distance", "set_thread_count", "thread_count"]
