"""The module's logic: the library's, with Slicer's parameter node."""

import functools

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.parameters import DeepIGeoSParameterNode


@functools.cache
def logicClass():
    """Return DeepIGeoSLogic; made on first use, because its base class is in the library."""
    SegmentationLogic = importLibrary("DeepIGeoSLib.scene").SegmentationLogic

    class DeepIGeoSLogic(SegmentationLogic, ScriptedLoadableModuleLogic):
        """``SegmentationLogic`` with the module's parameter node.

        Usable without the module's widget: ``from DeepIGeoS import DeepIGeoSLogic``.
        """

        def __init__(self, *arguments, **keywords):
            ScriptedLoadableModuleLogic.__init__(self)
            SegmentationLogic.__init__(self, *arguments, **keywords)

        def getParameterNode(self):
            return DeepIGeoSParameterNode(super().getParameterNode())

    return DeepIGeoSLogic
