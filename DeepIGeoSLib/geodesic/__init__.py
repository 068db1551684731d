"""Exact geodesic distance maps from seeds through an image."""

from __future__ import annotations

from DeepIGeoSLib.geodesic.distance import geodesic_distance

__all__ = ["geodesic_distance"]
