"""Settings: dataclasses read strictly from JSON and YAML, and printed as commented templates."""

from __future__ import annotations

from DeepIGeoSLib.settings.files import read_mapping
from DeepIGeoSLib.settings.mapping import from_mapping, to_mapping
from DeepIGeoSLib.settings.template import template

__all__ = ["from_mapping", "read_mapping", "template", "to_mapping"]
