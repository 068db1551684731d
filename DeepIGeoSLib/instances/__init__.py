"""Objects, each one for itself: found in a volume, numbered, and listed."""

from __future__ import annotations

from DeepIGeoSLib.instances.components import components
from DeepIGeoSLib.instances.finding import find_instances
from DeepIGeoSLib.instances.result import Instance, Instances

__all__ = ["Instance", "Instances", "components", "find_instances"]
