"""The options of the Segment Editor effect, connected with a workbench."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import qt
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from DeepIGeoSPanel import first_use
from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.logic import logicClass
from DeepIGeoSPanel.model_selector import ModelSelector

_TICK = 50  # ms


class EffectPanel:
    """What the effect shows below the editor's buttons."""

    def __init__(self, scriptedEffect):
        """Build the options, and a workbench that writes as effects do."""
        self._effect = scriptedEffect
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="DeepIGeoS")
        self.logic = logicClass()(
            executor=self._worker,
            saveStateForUndo=scriptedEffect.saveStateForUndo,
            write=self._write,
        )
        self.workbench = importLibrary("DeepIGeoSLib.scene").Workbench(self.logic, self.refresh)
        self.workbench.region.visible = False
        self._observed, self._tags = None, []
        self._showing = False
        self._build()
        self.logic.setBundle(self._models.default)
        self._models.show(self._models.default)
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK)
        self._timer.connect("timeout()", self.workbench.poll)

    def activate(self):
        """Work on the selected segment from now on."""
        self.updateFromEditor()
        self._timer.start()

    def deactivate(self):
        """Let go of the segment; what runs is not written any more."""
        self._timer.stop()
        self._observe(None)
        self.workbench.choose(None, None, "")

    def cleanup(self):
        """Let go of everything."""
        self.deactivate()
        self.workbench.close()
        self._worker.shutdown(wait=False, cancel_futures=True)
        self._timer.deleteLater()  # now, on this thread: garbage is collected on any
        for widget, signal, slot in self._connections:
            widget.disconnect(signal, slot)
        self._connections = []

    def updateFromEditor(self):
        """Take over what the Segment Editor has chosen."""
        node = self._effect.parameterSetNode()
        if node is None:
            return
        self._showing = True
        self.brushSpinBox.setValue(self._effect.doubleParameter("BrushRadius"))
        self.autoCheckBox.setChecked(self._effect.integerParameter("AutoRefine") != 0)
        self._showing = False
        bench = self.workbench
        bench.autoRefine = self.autoCheckBox.isChecked()
        intensities = None
        if node.GetSourceVolumeIntensityMask():
            intensities = tuple(node.GetSourceVolumeIntensityMaskRange())
        bench.editableArea = (node.GetMaskMode(), node.GetMaskSegmentID() or "", intensities)
        segmentation = node.GetSegmentationNode()
        bench.choose(node.GetSourceVolumeNode(), segmentation, node.GetSelectedSegmentID() or "")
        self._observe(segmentation)
        self.refresh()

    def storeOptions(self):
        """Keep the options in the editor's node."""
        if self._showing:
            return
        self._effect.setParameter("BrushRadius", self.brushSpinBox.value)
        self._effect.setParameter("AutoRefine", int(self.autoCheckBox.isChecked()))
        self.workbench.autoRefine = self.autoCheckBox.isChecked()

    def addStroke(self, points, foreground):
        """Take a stroke in world coordinates."""
        if self._ready():
            self.workbench.addStroke(points, self.brushSpinBox.value, foreground)

    def refresh(self):
        """Show what there is, and what can be done."""
        bench = self.workbench
        usable = bench.hasTarget and bench.volumeNode is not None and not bench.isAccepted
        geodesic = importLibrary("DeepIGeoSLib.bundles").GEODESIC
        self.segmentButton.setEnabled(usable and self.logic.bundle != geodesic)
        self.refineButton.setEnabled(usable and bench.seeds is not None)
        self.clearButton.setEnabled(usable and bench.seeds is not None)
        self.placeButton.setEnabled(bool(bench.rounds))
        self.cancelButton.setEnabled(bench.busy)
        self.statusLabel.setText(bench.status)

    def _build(self):
        self._connections = []
        self.modelBox = self._made(qt.QComboBox(), "", _("What the networks were trained to find."))
        self.infoLabel = self._made(qt.QLabel(), "", _("About the chosen model."))
        self.infoLabel.setWordWrap(True)
        self.addButton = self._made(qt.QPushButton(), _("Add..."), _("Add a model of your own."))
        self._effect.addLabeledOptionsWidget(_("Model:"), self._row(self.modelBox, self.addButton))
        self._effect.addOptionsWidget(self.infoLabel)
        self._models = ModelSelector(self.modelBox, self.infoLabel, self.addButton, self._onModel)
        self.segmentButton = self._made(
            qt.QPushButton(), _("Segment"), _("Segment the volume into the selected segment.")
        )
        self.refineButton = self._made(
            qt.QPushButton(), _("Refine"), _("Correct the segment by all strokes so far.")
        )
        self.autoCheckBox = self._made(
            qt.QCheckBox(), _("after each stroke"), _("Refine as soon as a stroke is finished.")
        )
        self.brushSpinBox = self._made(
            qt.QDoubleSpinBox(), None, _("Radius of the brush in millimeters.")
        )
        self.brushSpinBox.setRange(0.1, 100.0)
        self.clearButton = self._made(
            qt.QPushButton(), _("Clear strokes"), _("Forget all strokes; the segment stays.")
        )
        self.placeButton = self._made(
            qt.QPushButton(), _("Next place to look"), _("Show the least certain place.")
        )
        self.cancelButton = self._made(
            qt.QPushButton(), _("Cancel"), _("Stop the running computation; nothing is changed.")
        )
        self.statusLabel = self._made(qt.QLabel(), "", _("What happens, or what to do next."))
        self.statusLabel.setWordWrap(True)
        self._effect.addOptionsWidget(self.segmentButton)
        self._effect.addOptionsWidget(self._row(self.refineButton, self.autoCheckBox))
        self._effect.addLabeledOptionsWidget(_("Brush radius (mm):"), self.brushSpinBox)
        self._effect.addOptionsWidget(
            self._row(self.placeButton, self.clearButton, self.cancelButton)
        )
        self._effect.addOptionsWidget(self.statusLabel)
        bench = self.workbench
        self._connect(self.segmentButton, "clicked(bool)", lambda c=False: self._do(bench.segment))
        self._connect(self.refineButton, "clicked(bool)", lambda c=False: self._do(bench.refine))
        self._connect(self.clearButton, "clicked(bool)", lambda c=False: bench.clearStrokes())
        self._connect(self.placeButton, "clicked(bool)", lambda c=False: bench.lookAtNextPlace())
        self._connect(self.cancelButton, "clicked(bool)", lambda c=False: bench.cancel())
        self._connect(self.autoCheckBox, "clicked(bool)", lambda c=False: self.storeOptions())
        self._connect(self.brushSpinBox, "valueChanged(double)", lambda v=0: self.storeOptions())

    def _made(self, widget, text, toolTip):
        widget.setToolTip(toolTip)
        if text is not None and text != "":
            widget.setText(text)
        return widget

    def _row(self, *widgets):
        row = qt.QHBoxLayout()
        for widget in widgets:
            row.addWidget(widget)
        return row

    def _connect(self, widget, signal, slot):
        widget.connect(signal, slot)
        self._connections.append((widget, signal, slot))

    def _onModel(self, bundle):
        self.workbench.useModel(bundle)
        self.refresh()

    def _do(self, action):
        if self._ready():
            action()

    def _ready(self):
        if self.logic.bundle == importLibrary("DeepIGeoSLib.bundles").GEODESIC:
            return True
        advice = first_use.readyToCompute()
        if advice:
            self.workbench.message = advice
            self.refresh()
        return not advice

    def _write(self, mask, volumeNode, segmentationNode, segmentId):
        """Write a result as effects do, so that masks and the overwrite mode are honored."""
        labelmap = self._effect.defaultModifierLabelmap()
        ofLabelmap, ofVolume = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
        labelmap.GetImageToWorldMatrix(ofLabelmap)
        volumeNode.GetIJKToRASMatrix(ofVolume)
        matrices = [slicer.util.arrayFromVTKMatrix(m) for m in (ofLabelmap, ofVolume)]
        shape = labelmap.GetDimensions()[::-1]
        if shape != mask.shape or not np.allclose(*matrices, atol=1e-3):
            raise importLibrary("DeepIGeoSLib.errors").InputError(
                _(
                    "The segmentation has another geometry than the source volume: press the "
                    "button Specify geometry beside the source volume, choose it, and try again."
                )
            )
        voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)
        voxels[:] = mask
        labelmap.Modified()
        mode = slicer.qSlicerSegmentEditorAbstractEffect.ModificationModeSet
        self._effect.modifySelectedSegmentByLabelmap(labelmap, mode)

    def _observe(self, segmentationNode):
        """Follow a segmentation: the editor's undo tells of it as modified segments only."""
        segmentation = segmentationNode.GetSegmentation() if segmentationNode else None
        if segmentation is self._observed:
            return
        for tag in self._tags:
            self._observed.RemoveObserver(tag)
        self._observed, self._tags = segmentation, []
        if segmentation is not None:
            events = slicer.vtkSegmentation
            for event in (events.SegmentModified, events.SourceRepresentationModified):
                follow = segmentation.AddObserver(event, lambda *_: self.workbench.followScene())
                self._tags.append(follow)
