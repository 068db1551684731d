"""The module's logic: the library's, with Slicer's parameter node."""

from __future__ import annotations

import functools
from typing import Any

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.parameters import DeepIGeoSParameterNode


@functools.cache
def logicClass() -> type:
    """Return DeepIGeoSLogic; made on first use, because its base class is in the library."""
    SegmentationLogic = importLibrary("DeepIGeoSLib.scene").SegmentationLogic

    class DeepIGeoSLogic(SegmentationLogic, ScriptedLoadableModuleLogic):
        """``SegmentationLogic`` with the module's parameter node.

        Usable without the module's widget: ``from DeepIGeoS import DeepIGeoSLogic``.
        """

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            ScriptedLoadableModuleLogic.__init__(self)
            SegmentationLogic.__init__(self, *arguments, **keywords)

        def getParameterNode(self) -> DeepIGeoSParameterNode:
            return DeepIGeoSParameterNode(super().getParameterNode())

    return DeepIGeoSLogic
