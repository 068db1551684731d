"""DeepIGeoS: segment automatically, paint seeds where it is wrong, refine.

This file is the shell that Slicer loads: what the user sees, and nothing that computes. The work is
done by the library DeepIGeoSLib, which is imported when it is needed first.
"""

import functools
import importlib
import importlib.util
import os
import sys
import unittest

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


def importLibrary(name: str = "DeepIGeoSLib"):
    """Import a module of the library.

    Installed, the library lies where Slicer looks for modules. In a checkout it lies beside this
    file's folder, which Slicer does not know.
    """
    if importlib.util.find_spec("DeepIGeoSLib") is None:
        sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return importlib.import_module(name)


class DeepIGeoS(ScriptedLoadableModule):
    """What Slicer shows of the module before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("DeepIGeoS")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Segmentations"]
        self.parent.contributors = ["DeepIGeoS for 3D Slicer developers (independent)"]
        self.parent.helpText = _(
            "Segments a lesion automatically and corrects the result by seeds: paint a few "
            "strokes where it is wrong, and press Refine. Every painted voxel keeps the label "
            "that you gave it. Works on an ordinary computer, offline, once PyTorch is installed."
        )
        self.parent.acknowledgementText = _(
            "Implements the method of Wang et al., DeepIGeoS: A Deep Interactive Geodesic "
            "Framework for Medical Image Segmentation, IEEE Transactions on Pattern Analysis and "
            "Machine Intelligence 41 (2019), doi 10.1109/TPAMI.2018.2840695. The licenses of the "
            "data that a model was trained on stand in its model card."
        )


@parameterNodeWrapper
class DeepIGeoSParameterNode:
    """What the user has chosen; saved with the scene.

    sourceVolume - The image to segment.
    segmentation - Holds the target and the seeds.
    targetSegmentID - The segment that is filled and corrected.
    foregroundSegmentID - Seeds where the target is missing.
    backgroundSegmentID - Seeds where the target is too large.
    bundle - Name of the model.
    """

    sourceVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    targetSegmentID: str = ""
    foregroundSegmentID: str = ""
    backgroundSegmentID: str = ""
    bundle: str = ""


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


def __getattr__(name):
    """Give ``DeepIGeoSLogic`` its usual place in the module (PEP 562)."""
    if name == "DeepIGeoSLogic":
        return logicClass()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def missingPackages():
    """Return which of the Python packages that the networks need are not installed."""
    return [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]


def readyToCompute():
    """Return None when every package is there, else what the user should do.

    A small package is installed after asking; PyTorch is left to its own extension, which chooses
    the build that fits the computer.
    """
    missing = missingPackages()
    if "torch" in missing:
        return _(
            "PyTorch is not installed: install the extension PyTorch in the Extensions Manager, "
            "restart Slicer, press Install PyTorch in the module PyTorch Utils, and try again."
        )
    if missing and not slicer.app.testingEnabled():
        question = _("DeepIGeoS needs the Python package {name} (1 MB). Install it now?")
        if slicer.util.confirmOkCancelDisplay(question.format(name="safetensors")):
            slicer.util.pip_install("safetensors>=0.4")
            importlib.invalidate_caches()
            missing = missingPackages()
    if missing:
        return _("The Python package {name} is not installed.").format(name=missing[0])
    return None


class DeepIGeoSWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel: choices are kept in the parameter node, work is done by the logic."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._guiTag = None
        self._observedSegmentation = None

    def setup(self):
        """Build the panel."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/DeepIGeoS.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = logicClass()()
        self.ui.bundleSelector.addItems(importLibrary("DeepIGeoSLib.bundles").list_bundles())

        # The segment selectors, and which parameter keeps the choice made in each.
        self._segmentSelectors = {
            "targetSegmentID": self.ui.targetSelector,
            "foregroundSegmentID": self.ui.foregroundSelector,
            "backgroundSegmentID": self.ui.backgroundSelector,
        }
        for name, selector in self._segmentSelectors.items():
            selector.connect(
                "activated(int)", lambda index, name=name: self.onSegmentChosen(name, index)
            )
        self.ui.bundleSelector.connect("activated(int)", self.onBundleChosen)
        self.ui.segmentButton.connect("clicked(bool)", self.onSegment)
        self.ui.paintButton.connect("clicked(bool)", self.onPaint)
        self.ui.refineButton.connect("clicked(bool)", self.onRefine)
        self.ui.undoButton.connect("clicked(bool)", self.onUndo)
        self.ui.redoButton.connect("clicked(bool)", self.onRedo)

        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.initializeParameterNode()

    def cleanup(self):
        """Let go of the scene before the module is unloaded."""
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """Take up the scene's parameters when the user opens the module."""
        self.initializeParameterNode()

    def exit(self):
        """Stop following the scene while another module is open."""
        self.setParameterNode(None)

    def onSceneStartClose(self, caller, event):
        """Let go of nodes that are about to vanish."""
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        """Begin anew in the empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onReload(self):
        """Reload the library with the module: its files change together."""
        for name in [n for n in sys.modules if n.partition(".")[0] == "DeepIGeoSLib"]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def initializeParameterNode(self):
        """Follow the scene's parameters, and fill in what there is only one of."""
        self.setParameterNode(self.logic.getParameterNode())
        parameters = self._parameterNode
        if not parameters.sourceVolume:
            for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
                if not node.IsA("vtkMRMLLabelMapVolumeNode"):
                    parameters.sourceVolume = node
                    break
        if not parameters.bundle:
            parameters.bundle = self.ui.bundleSelector.currentText
        self.updateFromParameterNode()

    def setParameterNode(self, parameterNode):
        """Follow another set of parameters, or none."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._guiTag)
            self.removeObserver(
                self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode
            )
        self._observeSegmentation(None)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._guiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(
                self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.updateFromParameterNode
            )
            self.updateFromParameterNode()

    def updateFromParameterNode(self, caller=None, event=None):
        """Show what is chosen, what can be done now, and what to do next."""
        parameters = self._parameterNode
        if not parameters:
            return
        self._observeSegmentation(parameters.segmentation)
        for name, selector in self._segmentSelectors.items():
            self._showSegments(selector, getattr(parameters, name))
        self.ui.bundleSelector.currentText = parameters.bundle
        self._updateButtons()
        self.ui.statusLabel.text = self._nextStep()

    def onSegmentChosen(self, name, index):
        """Keep the user's choice of a segment."""
        setattr(self._parameterNode, name, self._segmentSelectors[name].itemData(index) or "")

    def onBundleChosen(self, index):
        """Use another model; the rounds made with the one before can't be undone any more."""
        self._parameterNode.bundle = self.ui.bundleSelector.currentText

    def onSegment(self, checked=False):
        """Segment the volume automatically."""
        self._ensureTarget()
        self._run(
            lambda: self.logic.propose(*self._target(), progress=self._showProgress),
            _("Paint seeds where the result is wrong, then press Refine."),
        )

    def onPaint(self, checked=False):
        """Make segments for seeds if there are none, and open the Segment Editor on them."""
        parameters = self._parameterNode
        self._ensureTarget()
        if not parameters.foregroundSegmentID:
            green = (0.0, 0.8, 0.3)
            parameters.foregroundSegmentID = self._addSegment(_("Foreground seeds"), green)
        if not parameters.backgroundSegmentID:
            parameters.backgroundSegmentID = self._addSegment(
                _("Background seeds"), (0.9, 0.2, 0.4)
            )
        slicer.util.selectModule("SegmentEditor")
        editor = slicer.modules.segmenteditor.widgetRepresentation().self().editor
        editor.setSegmentationNode(parameters.segmentation)
        editor.setSourceVolumeNode(parameters.sourceVolume)
        # By default a stroke would erase the segments below it, the result among them.
        editorNode = editor.mrmlSegmentEditorNode()
        editorNode.SetOverwriteMode(editorNode.OverwriteNone)
        editor.setCurrentSegmentID(parameters.foregroundSegmentID)
        editor.setActiveEffectByName("Paint")

    def onRefine(self, checked=False):
        """Correct the target by the seeds."""
        seeds = (
            self._parameterNode.foregroundSegmentID or None,
            self._parameterNode.backgroundSegmentID or None,
        )
        self._run(
            lambda: self._refine(seeds),
            _("Refined. Paint more seeds and refine again where it is still wrong."),
        )

    def onUndo(self, checked=False):
        """Take the last round back."""
        self._run(lambda: self.logic.undo(*self._target()), _("The last round was taken back."))

    def onRedo(self, checked=False):
        """Bring the round back that was undone last."""
        self._run(lambda: self.logic.redo(*self._target()), _("The round is back."))

    def _target(self):
        parameters = self._parameterNode
        return (parameters.sourceVolume, parameters.segmentation, parameters.targetSegmentID)

    def _refine(self, seeds):
        if not self.logic.hasSeeds(*self._target()[:2], *seeds):
            raise importLibrary("DeepIGeoSLib.errors").InputError(
                _("No seeds are painted yet: press Paint seeds and mark where the result is wrong.")
            )
        self.logic.refine(*self._target(), *seeds, progress=self._showProgress)

    def _run(self, work, done):
        """Do one of the logic's works and say in the status line how it went."""
        advice = readyToCompute()
        if advice:
            self.ui.statusLabel.text = advice
            return
        DeepIGeoSError = importLibrary("DeepIGeoSLib.errors").DeepIGeoSError
        status = _("DeepIGeoS failed.")
        with slicer.util.tryWithErrorDisplay(status, waitCursor=True):
            try:
                self.logic.setBundle(self._parameterNode.bundle)
                work()
                status = done
            except DeepIGeoSError as error:
                status = str(error)
        self._updateButtons()
        self.ui.statusLabel.text = status

    def _showProgress(self, fraction, text):
        self.ui.statusLabel.text = f"{text} ({fraction:.0%})"
        self.ui.statusLabel.repaint()

    def _ensureTarget(self):
        """Make a segmentation and a target segment where none is chosen."""
        parameters = self._parameterNode
        if not parameters.segmentation:
            node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
            node.CreateDefaultDisplayNodes()
            node.SetReferenceImageGeometryParameterFromVolumeNode(parameters.sourceVolume)
            parameters.segmentation = node
        if not parameters.targetSegmentID:
            parameters.targetSegmentID = self._addSegment(_("Lesion"), (1.0, 0.72, 0.0))

    def _addSegment(self, name, color):
        segmentation = self._parameterNode.segmentation.GetSegmentation()
        return segmentation.AddEmptySegment(segmentation.GenerateUniqueSegmentID(name), name, color)

    def _observeSegmentation(self, segmentationNode):
        """Follow the segments of a segmentation, which users add, rename and delete elsewhere."""
        if segmentationNode is self._observedSegmentation:
            return
        events = (
            slicer.vtkSegmentation.SegmentAdded,
            slicer.vtkSegmentation.SegmentRemoved,
            slicer.vtkSegmentation.SegmentModified,
        )
        for event in events:
            if self._observedSegmentation:
                self.removeObserver(self._observedSegmentation, event, self.onSegmentsChanged)
            if segmentationNode:
                self.addObserver(segmentationNode, event, self.onSegmentsChanged)
        self._observedSegmentation = segmentationNode

    def onSegmentsChanged(self, caller=None, event=None):
        """Show the segments that there are now, and forget choices that are gone."""
        parameters = self._parameterNode
        if not parameters or not parameters.segmentation:
            return
        segmentation = parameters.segmentation.GetSegmentation()
        for name in self._segmentSelectors:
            if segmentation.GetSegment(getattr(parameters, name)) is None:
                setattr(parameters, name, "")
        self.updateFromParameterNode()

    def _showSegments(self, selector, chosen):
        """Fill a selector with the segmentation's segments and select one."""
        selector.clear()
        selector.addItem(_("None"), "")
        node = self._parameterNode.segmentation
        if node:
            segmentation = node.GetSegmentation()
            for segmentId in segmentation.GetSegmentIDs():
                selector.addItem(segmentation.GetSegment(segmentId).GetName(), segmentId)
        selector.currentIndex = max(0, selector.findData(chosen))

    def _updateButtons(self):
        parameters = self._parameterNode
        hasVolume = parameters.sourceVolume is not None
        hasTarget = bool(hasVolume and parameters.segmentation and parameters.targetSegmentID)
        hasSeeds = bool(parameters.foregroundSegmentID or parameters.backgroundSegmentID)
        self.ui.segmentButton.enabled = hasVolume and bool(parameters.bundle)
        self.ui.paintButton.enabled = hasVolume
        self.ui.refineButton.enabled = hasTarget and hasSeeds and bool(parameters.bundle)
        self.ui.undoButton.enabled = hasTarget and self.logic.canUndo(*self._target())
        self.ui.redoButton.enabled = hasTarget and self.logic.canRedo(*self._target())

    def _nextStep(self):
        """Return one sentence that says what to do next."""
        parameters = self._parameterNode
        if not parameters.sourceVolume:
            return _("Load an image and choose it as source volume.")
        if not parameters.bundle:
            return _("No model is installed.")
        if not parameters.targetSegmentID:
            return _("Press Segment for an automatic segmentation, or choose a target segment.")
        if not (parameters.foregroundSegmentID or parameters.backgroundSegmentID):
            return _("Press Segment, or Paint seeds to correct what the target segment holds.")
        return _("Paint seeds where the target segment is wrong, then press Refine.")


class DeepIGeoSTest(ScriptedLoadableModuleTest):
    """What a user can run in Slicer by "Reload and Test"."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self, **kwargs):
        """Run every test; one that is skipped is no failure."""
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(type(self))
        result = unittest.TextTestRunner(verbosity=2).run(suite)
        if not result.wasSuccessful():
            raise AssertionError(f"{len(result.failures) + len(result.errors)} tests failed.")

    def test_segmentsAreReadAndWrittenExactly(self):
        """What is written into a segment of an oblique volume is read back."""
        nodes = importLibrary("DeepIGeoSLib.scene.nodes")
        volumeNode, segmentationNode, segmentId, lesion = self._phantom()
        nodes.writeMaskToSegment(lesion, volumeNode, segmentationNode, segmentId)
        read = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        assert (read == lesion).all()

    def test_proposeRefineAndUndo(self):
        """A phantom's lesion is segmented, corrected by seeds, and the correction is undone."""
        bundles = importLibrary("DeepIGeoSLib.bundles").list_bundles()
        if missingPackages() or not bundles:
            self.skipTest("PyTorch, safetensors or a model is missing.")
        nodes = importLibrary("DeepIGeoSLib.scene.nodes")
        volumeNode, segmentationNode, segmentId, lesion = self._phantom()
        logic = logicClass()(bundles[0])
        proposal = logic.propose(volumeNode, segmentationNode, segmentId).labels
        assert proposal.shape == lesion.shape

        seedsId = segmentationNode.GetSegmentation().AddEmptySegment("seeds")
        k = lesion.any(axis=(1, 2)).nonzero()[0][0]
        seeds = lesion.copy()
        seeds[k + 1 :] = False
        nodes.writeMaskToSegment(seeds, volumeNode, segmentationNode, seedsId)
        logic.refine(volumeNode, segmentationNode, segmentId, seedsId, None)
        refined = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        assert refined[seeds].all()

        logic.undo(volumeNode, segmentationNode, segmentId)
        undone = nodes.maskFromSegment(volumeNode, segmentationNode, segmentId)
        assert (undone == proposal).all()

    def _phantom(self):
        """Return a head, a segmentation with one empty segment, its ID, and where the lesion is."""
        volume, lesion = importLibrary("DeepIGeoSLib.phantom").head_phantom()
        volumeNode = slicer.util.addVolumeFromArray(
            volume.array, ijkToRAS=volume.ijk_to_ras, name="phantom"
        )
        segmentationNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        segmentationNode.CreateDefaultDisplayNodes()
        segmentationNode.SetReferenceImageGeometryParameterFromVolumeNode(volumeNode)
        segmentId = segmentationNode.GetSegmentation().AddEmptySegment("lesion")
        return volumeNode, segmentationNode, segmentId, lesion
