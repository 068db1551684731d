"""The library's only contact with Slicer: MRML nodes in, MRML nodes out.

Works in the desktop application, in a web application on Slicer's core libraries, and in plain
Python with the ``slicer-core`` package after ``startSlicer``. Names follow Slicer's camelCase.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from DeepIGeoSLib.scene.computation import Computation
    from DeepIGeoSLib.scene.headless import HeadlessSlicer, publishSlicer, startSlicer
    from DeepIGeoSLib.scene.segmentation_logic import SegmentationLogic
    from DeepIGeoSLib.scene.workbench import Workbench

_HOME_OF_NAME = {
    "Computation": "computation",
    "HeadlessSlicer": "headless",
    "SegmentationLogic": "segmentation_logic",
    "Workbench": "workbench",
    "publishSlicer": "headless",
    "startSlicer": "headless",
}

__all__ = [
    "Computation",
    "HeadlessSlicer",
    "SegmentationLogic",
    "Workbench",
    "publishSlicer",
    "startSlicer",
]


def __getattr__(name: str) -> Any:
    """Import a name on first use: plain Python must reach ``startSlicer`` before ``slicer``."""
    if name not in _HOME_OF_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF_NAME[name]}"), name)
