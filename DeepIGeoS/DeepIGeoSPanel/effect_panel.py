"""The options of the Segment Editor effect, connected with a workbench."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
from DeepIGeoSPanel.worker import Worker


class EffectPanel:
    """What the effect shows below the editor's buttons."""

    def __init__(self, scriptedEffect: Any) -> None:
        """Build the options, and a workbench that writes as effects do."""
        self._effect = scriptedEffect
        self._worker = Worker(lambda: self.workbench.poll())
        self.logic = logicClass()(
            executor=self._worker,
            saveStateForUndo=scriptedEffect.saveStateForUndo,
            write=self._write,
        )
        self.workbench = importLibrary("DeepIGeoSLib.scene").Workbench(self.logic, self.refresh)
        self.workbench.region.visible = False
        self.workbench.options.mouseButtonsPaint = True
        # The editor's own masks and overwrite mode say what happens to other segments.
        self.workbench.options.neighbors = "overlap"
        self.workbench.options.allTargets = False
        self._editor = None  # the editor's node and the observation of it, while active
        self._observed: Any = None
        self._tags: list = []
        self._showing = False
        self._build()
        self._chosenModel = ""  # none: the one that fits the volume
        self._showModel(None)

    def activate(self) -> None:
        """Work on the selected segment from now on."""
        self._followEditor(self._effect.parameterSetNode())
        self.updateFromEditor()
        self._worker.start()

    def deactivate(self) -> None:
        """Let go of the segment; what runs is not written any more."""
        self._worker.stop()
        self._followEditor(None)
        self._observe(None)
        self.workbench.choose(None, None, "")

    def cleanup(self) -> None:
        """Let go of everything."""
        self.deactivate()
        self.workbench.close()
        self._worker.shutdown(wait=False, cancel_futures=True)
        for widget, signal, slot in self._connections:
            widget.disconnect(signal, slot)
        self._connections = []

    def updateFromEditor(self) -> None:
        """Take over what the Segment Editor has chosen."""
        node = self._effect.parameterSetNode()
        if node is None:
            return
        self._showing = True
        self.brushSpinBox.setValue(self._effect.doubleParameter("BrushRadius"))
        self.autoCheckBox.setChecked(self._effect.integerParameter("AutoRefine") != 0)
        self._showing = False
        bench = self.workbench
        bench.options.autoRefine = self.autoCheckBox.isChecked()
        target, bench.options.editableArea = self._chosen(node)
        self._showModel(target[0])
        bench.choose(*target)
        self._observe(target[1])
        self.refresh()

    def storeOptions(self) -> None:
        """Keep the options in the editor's node."""
        if self._showing:
            return
        self._effect.setParameter("BrushRadius", self.brushSpinBox.value)
        self._effect.setParameter("AutoRefine", int(self.autoCheckBox.isChecked()))
        self.workbench.options.autoRefine = self.autoCheckBox.isChecked()

    def addStroke(
        self, points: Sequence[Sequence[float]], foreground: bool, view: Any = None
    ) -> None:
        """Take a stroke in world coordinates, and its view: a vtkMRMLSliceNode, or None."""
        self.updateFromEditor()
        if self._ready():
            views = importLibrary("DeepIGeoSLib.scene.slice_views")
            volumeNode = self.workbench.volumeNode
            known = view is not None and volumeNode is not None
            oblique = known and not views.isAligned(view, volumeNode)
            normal = views.viewNormal(view) if oblique else None
            self.workbench.addStroke(points, self.brushSpinBox.value, foreground, normal=normal)

    def refresh(self) -> None:
        """Show what there is, and what can be done."""
        bench = self.workbench
        usable = bench.hasTarget and bench.volumeNode is not None and not bench.isAccepted
        self.segmentButton.setEnabled(usable and self.logic.proposes)
        self.objectsButton.setEnabled(bench.volumeNode is not None and self.logic.proposes)
        self.refineButton.setEnabled(usable and bench.seeds is not None)
        self.clearButton.setEnabled(usable and bench.seeds is not None)
        self.placeButton.setEnabled(bool(bench.rounds))
        self.cancelButton.setEnabled(bench.busy)
        self.statusLabel.setText(bench.status)

    def _build(self) -> None:
        self._connections = []
        self.modelBox = self._made(qt.QComboBox(), "", _("What the networks were trained to find."))
        self.infoLabel = self._made(qt.QLabel(), "", _("About the chosen model."))
        self.infoLabel.setWordWrap(True)
        self.addButton = self._made(qt.QPushButton(), _("Add..."), _("Add a model of your own."))
        self._effect.addLabeledOptionsWidget(_("Model:"), self._row(self.modelBox, self.addButton))
        self._effect.addOptionsWidget(self.infoLabel)
        self._models = ModelSelector(
            self.modelBox, self.infoLabel, self.addButton, chosen=self._onModel
        )
        self.segmentButton = self._made(
            qt.QPushButton(), _("Segment"), _("Segment the volume into the selected segment.")
        )
        self.objectsButton = self._made(
            qt.QPushButton(),
            _("Objects"),
            _(
                "Find objects, such as lesions or cells that touch, and write each one into a new "
                "segment, whatever the masks. The other segments stay as they are."
            ),
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
        self._effect.addOptionsWidget(self._row(self.segmentButton, self.objectsButton))
        self._effect.addOptionsWidget(self._row(self.refineButton, self.autoCheckBox))
        self._effect.addLabeledOptionsWidget(_("Brush radius (mm):"), self.brushSpinBox)
        self._effect.addOptionsWidget(
            self._row(self.placeButton, self.clearButton, self.cancelButton)
        )
        self._effect.addOptionsWidget(self.statusLabel)
        bench = self.workbench
        self._connect(self.segmentButton, "clicked(bool)", lambda c=False: self._do(bench.segment))
        self._connect(self.objectsButton, "clicked(bool)", lambda c=False: self._findObjects())
        self._connect(self.refineButton, "clicked(bool)", lambda c=False: self._do(bench.refine))
        self._connect(self.clearButton, "clicked(bool)", lambda c=False: bench.clearStrokes())
        self._connect(self.placeButton, "clicked(bool)", lambda c=False: bench.lookAtNextPlace())
        self._connect(self.cancelButton, "clicked(bool)", lambda c=False: bench.cancel())
        self._connect(self.autoCheckBox, "clicked(bool)", lambda c=False: self.storeOptions())
        self._connect(self.brushSpinBox, "valueChanged(double)", lambda v=0: self.storeOptions())

    def _made(self, widget: qt.QWidget, text: str | None, toolTip: str) -> Any:
        widget.setToolTip(toolTip)
        if text is not None and text != "":
            widget.setText(text)
        return widget

    def _row(self, *widgets: qt.QWidget) -> qt.QHBoxLayout:
        row = qt.QHBoxLayout()
        for widget in widgets:
            row.addWidget(widget)
        return row

    def _connect(self, widget: qt.QWidget, signal: str, slot: Callable[..., Any]) -> None:
        widget.connect(signal, slot)
        self._connections.append((widget, signal, slot))

    def _onModel(self, bundle: str) -> None:
        self._chosenModel = bundle
        self.workbench.useModel(bundle)
        self.refresh()

    def _showModel(self, volumeNode: Any) -> None:
        """Until the user has chosen a model, use the one that fits the volume."""
        if not self._chosenModel:
            fitting = self._models.fitting(volumeNode)
            self._models.show(fitting)
            self.workbench.useModel(fitting)

    def _do(self, action: Callable[[], Any]) -> None:
        self.updateFromEditor()
        if self._ready():
            action()

    def _findObjects(self) -> None:
        """Find objects; the surest one is then the editor's selected segment."""
        node = self._effect.parameterSetNode()
        self._do(lambda: self.workbench.findObjects(node.SetSelectedSegmentID))

    def _ready(self) -> bool:
        if self.logic.bundle == importLibrary("DeepIGeoSLib.bundles").GEODESIC:
            return True
        advice = first_use.readyToCompute()
        if advice:
            self.workbench.message = advice
            self.refresh()
        return not advice

    def _write(
        self,
        mask: np.ndarray,
        volumeNode: slicer.vtkMRMLVolumeNode,
        segmentationNode: slicer.vtkMRMLSegmentationNode | None,
        segmentId: str,
    ) -> None:
        """Write a result as effects do, so that masks and the overwrite mode are honored."""
        target = (volumeNode, segmentationNode, segmentId)
        computedFor = (target, self.workbench.options.editableArea)
        if self._chosen(self._effect.parameterSetNode()) != computedFor:
            raise importLibrary("DeepIGeoSLib.errors").InputError(
                _(
                    "The choice of segment or masks changed during the computation; nothing was "
                    "written. Please try again."
                )
            )
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

    def _chosen(self, node: slicer.vtkMRMLSegmentEditorNode) -> tuple[tuple, tuple]:
        """Return what the editor's node says: target, and where the target may grow."""
        intensities = None
        if node.GetSourceVolumeIntensityMask():
            intensities = tuple(node.GetSourceVolumeIntensityMaskRange())
        segmentId = node.GetSelectedSegmentID() or ""
        target = (node.GetSourceVolumeNode(), node.GetSegmentationNode(), segmentId)
        return target, (node.GetMaskMode(), node.GetMaskSegmentID() or "", intensities)

    def _followEditor(self, node: slicer.vtkMRMLNode | None) -> None:
        """Follow the editor's node: of another segment or mask it tells nobody else."""
        if self._editor is not None:
            self._editor[0].RemoveObserver(self._editor[1])
            self._editor = None
        if node is not None:
            tag = node.AddObserver("ModifiedEvent", lambda *_: self.updateFromEditor())
            self._editor = (node, tag)

    def _observe(self, segmentationNode: slicer.vtkMRMLSegmentationNode | None) -> None:
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
