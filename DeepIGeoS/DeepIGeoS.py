"""DeepIGeoS: segment automatically, paint seeds where it is wrong, refine.

This file is the shell that Slicer loads. What the panel shows is in DeepIGeoSPanel; what it does is
in the library DeepIGeoSLib, which is imported when the panel is opened.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from DeepIGeoSPanel.effect import registerEffect
from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.logic import logicClass
from DeepIGeoSPanel.parameters import DeepIGeoSParameterNode
from DeepIGeoSPanel.sample_data import registerSampleData
from DeepIGeoSPanel.self_test import DeepIGeoSTest

__all__ = ["DeepIGeoS", "DeepIGeoSParameterNode", "DeepIGeoSTest", "DeepIGeoSWidget"]


class DeepIGeoS(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("DeepIGeoS")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations"]
        self.parent.contributors = ["DeepIGeoS for 3D Slicer developers (independent)"]
        self.parent.helpText = _(
            "Segments a lesion automatically and corrects the result by strokes: paint where it "
            "is missing or too much, and the result follows within a second or two. Every painted "
            "voxel keeps the label that you gave it. Works on an ordinary computer, offline, once "
            "PyTorch is installed; without it, your strokes alone segment. Choose a volume, press "
            "Segment, paint; the line at the bottom of the panel says what to do next. The Segment "
            "Editor has an effect of the same name. Research software, not a medical device."
        )
        self.parent.acknowledgementText = _(
            "Implements the method of Wang et al., DeepIGeoS: A Deep Interactive Geodesic "
            "Framework for Medical Image Segmentation, IEEE Transactions on Pattern Analysis and "
            "Machine Intelligence 41 (2019), doi 10.1109/TPAMI.2018.2840695. The licenses of the "
            "data that a model was trained on stand in its model card."
        )
        slicer.app.connect("startupCompleted()", self._onStarted)

    def _onStarted(self) -> None:
        """Tell other modules what this one offers; nothing is downloaded."""
        folder = os.path.dirname(os.path.abspath(__file__))
        for register in (registerSampleData, registerEffect):
            try:
                register(folder)
            except Exception as error:  # Slicer goes on without the one, and gets the other
                logging.error("DeepIGeoS: %s failed: %s", register.__name__, error)


def __getattr__(name: str) -> Any:
    """Give ``DeepIGeoSLogic`` its usual place in the module (PEP 562)."""
    if name == "DeepIGeoSLogic":
        return logicClass()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class DeepIGeoSWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The life of the panel: it comes and goes with the module, and survives the scene."""

    def __init__(self, parent: Any = None) -> None:
        # The mixin first: without a parent, the base class calls setup, which observes already.
        VTKObservationMixin.__init__(self)
        ScriptedLoadableModuleWidget.__init__(self, parent)

    def setup(self) -> None:
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        from DeepIGeoSPanel.panel import Panel

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DeepIGeoS.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        self._parameterNode = None
        self._guiTag = None
        importLibrary()
        self.panel = Panel(self.ui)
        self.logic = self.panel.logic
        from DeepIGeoSPanel.learning_section import LearningSection

        learnWidget = slicer.util.loadUI(self.resourcePath("UI/Learn.ui"))
        self.ui.learnSection.layout().addWidget(learnWidget)
        self.learning = LearningSection(
            slicer.util.childWidgetVariables(learnWidget), self.panel.workbench, self.panel.models
        )
        from DeepIGeoSPanel.worklist_section import WorklistSection

        worklistWidget = slicer.util.loadUI(self.resourcePath("UI/Worklist.ui"))
        self.ui.worklistSection.layout().addWidget(worklistWidget)
        self.worklist = WorklistSection(
            slicer.util.childWidgetVariables(worklistWidget), self.panel.showTarget
        )
        uiWidget.setMRMLScene(slicer.mrmlScene)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        for event in (scene.EndCloseEvent, scene.EndImportEvent, scene.EndBatchProcessEvent):
            self.addObserver(scene, event, self.onSceneReady)
        self.initializeParameterNode()
        if getattr(self.parent, "isEntered", False):  # reloaded: Slicer does not call enter then
            self.enter()

    def cleanup(self) -> None:
        """Let go of the scene before the module is unloaded."""
        self.setParameterNode(None)
        self.removeObservers()
        self.learning.cleanup()
        self.panel.cleanup()

    def enter(self) -> None:
        """Take up the scene's parameters when the user opens the module."""
        self.panel.enter()
        self.initializeParameterNode()

    def exit(self) -> None:
        """Put the brush away while another module is open."""
        self.panel.exit()

    def onSceneStartClose(self, caller: object, event: object) -> None:
        """Let go of nodes that are about to vanish."""
        self.setParameterNode(None)
        self.worklist.release()
        self.panel.close()

    def onSceneReady(self, caller: object, event: object) -> None:
        """Read everything anew, as soon as a closed or loaded scene is complete.

        While it is loaded, parameters arrive before the nodes that they refer to.
        """
        if slicer.mrmlScene.IsBatchProcessing():
            return
        if self.parent.isEntered:
            self.enter()
        elif self._parameterNode:
            self.panel.update()

    def onReload(self) -> None:
        """Reload panel and library with the module: their files change together."""
        for name in list(sys.modules):
            if name.partition(".")[0] in ("DeepIGeoSLib", "DeepIGeoSPanel"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def initializeParameterNode(self) -> None:
        """Follow the scene's parameters, and fill in what there is only one of."""
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.sourceVolume:
            for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
                if not node.IsA("vtkMRMLLabelMapVolumeNode"):
                    self._parameterNode.sourceVolume = node
                    break

    def setParameterNode(self, parameterNode: slicer.vtkMRMLScriptedModuleNode | None) -> None:
        """Follow another set of parameters, or none."""
        event = vtk.vtkCommand.ModifiedEvent
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(self._parameterNode, event, self.onParametersChanged)
        self._parameterNode = parameterNode
        if parameterNode:
            self._guiTag = parameterNode.connectGui(self.ui)
            self.addObserver(parameterNode, event, self.onParametersChanged)
            self.panel.setParameters(parameterNode)

    def onParametersChanged(self, caller: object = None, event: object = None) -> None:
        """Take over what was chosen, here or by a script."""
        self.panel.update()
