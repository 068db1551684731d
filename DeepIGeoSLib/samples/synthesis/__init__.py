"""Volumes to train on that nobody has to collect: random anatomy, and targets in real images.

Everything here is made on a working grid: axes (k, j, i), the in-plane spacing is 1, and the
spacing along k says how many times thicker a slice is than its pixels.
"""

from __future__ import annotations

from DeepIGeoSLib.samples.synthesis.anatomy import random_anatomy
from DeepIGeoSLib.samples.synthesis.appearance import acquired, degraded
from DeepIGeoSLib.samples.synthesis.parts import part_of
from DeepIGeoSLib.samples.synthesis.regions import random_region

__all__ = ["acquired", "degraded", "part_of", "random_anatomy", "random_region"]
