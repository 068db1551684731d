"""Objects, each one for itself: found in a volume, numbered, and listed."""

from __future__ import annotations

from DeepIGeoSLib.instances.components import components
from DeepIGeoSLib.instances.finding import ObjectFinder, find_instances, parts_as_objects
from DeepIGeoSLib.instances.result import Instance, Instances

__all__ = [
    "Instance",
    "Instances",
    "ObjectFinder",
    "components",
    "find_instances",
    "parts_as_objects",
]
