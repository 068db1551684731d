"""The former home of ``LabeledCase`` and ``find_cases``; see ``data``."""

from __future__ import annotations

from DeepIGeoSLib.data import DataSettings, LabeledCase, find_cases

__all__ = ["DataSettings", "LabeledCase", "find_cases"]
