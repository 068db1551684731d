"""The module's logic: the library's, with Slicer's parameter node."""

from __future__ import annotations

import functools
from typing import Any

import slicer
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

        def batch(self, cases: Any = None, output: Any = None, **options: Any) -> list[Any]:
            """Segment many volumes by the chosen model: nodes of the scene, or files of a folder.

            Args:
                cases: volume nodes, all of the scene when None; or, with ``output``, a folder, a
                    BIDS data set or a CSV list, as ``DeepIGeoSLib.batch.run_batch`` takes it.
                output: folder of the results; what is done there is not done again. Without it,
                    results are new segmentation nodes.
                **options: further ones of ``batch_nodes`` or ``run_batch``. Files are worked on in
                    this process, and results are Slicer segmentations, unless they say otherwise.

            Returns:
                A ``CaseRecord`` for each case, of those that failed too.

            Raises:
                InputError: nothing can be done, and one sentence says why.
            """
            library = importLibrary("DeepIGeoSLib.batch")
            if output is None:
                batch_nodes = importLibrary("DeepIGeoSLib.batch.nodes").batch_nodes
                return batch_nodes(self, volumesOfScene() if cases is None else cases, **options)
            options.setdefault("workers", library.Workers(count=0))
            options.setdefault("settings", library.WorkSettings(format=".seg.nrrd"))
            bundle = getattr(self.bundle, "folder", self.bundle)
            return library.run_batch(cases, output, bundle=bundle, **options).records

        def getParameterNode(self) -> DeepIGeoSParameterNode:
            return DeepIGeoSParameterNode(super().getParameterNode())

    return DeepIGeoSLogic


def volumesOfScene() -> list[Any]:
    """Return the volumes of the scene that are images, not labels."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in nodes if not node.IsA("vtkMRMLLabelMapVolumeNode")]
