"""Labeled cases on disk, in the layouts that people keep them in: for training and evaluation.

Each layout is one file with one class, a ``Source``, which finds ``LabeledCase``s; what is common
to all of them (patients, splits, slices, the report) knows nothing of layouts.
"""

from __future__ import annotations

from DeepIGeoSLib.data.case import LabeledCase
from DeepIGeoSLib.data.discovery import find_cases
from DeepIGeoSLib.data.report import check_data
from DeepIGeoSLib.data.settings import DataSettings, SourceSettings

__all__ = ["DataSettings", "LabeledCase", "SourceSettings", "check_data", "find_cases"]
