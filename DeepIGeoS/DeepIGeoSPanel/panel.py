"""The panel: connects the widgets of the .ui file with a workbench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from DeepIGeoSPanel import first_use
from DeepIGeoSPanel.brush_options import BrushOptions
from DeepIGeoSPanel.draw_keys import DrawKeys
from DeepIGeoSPanel.inputs_section import InputsSection
from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.logic import logicClass
from DeepIGeoSPanel.model_selector import ModelSelector
from DeepIGeoSPanel.oblique_outlines import ObliqueOutlines
from DeepIGeoSPanel.oblique_strokes import ObliqueStrokes
from DeepIGeoSPanel.right_button import RightButton
from DeepIGeoSPanel.rounds_table import RoundsTable
from DeepIGeoSPanel.seed_editor import SeedEditor
from DeepIGeoSPanel.shortcuts import Shortcuts
from DeepIGeoSPanel.speed_up import SpeedUp
from DeepIGeoSPanel.target_selector import TargetSelector
from DeepIGeoSPanel.worker import Worker


class Panel:
    """What the widgets show, and what they do.

    The thread of the worker owns the model; everything else here, and all of the scene, belongs to
    the main thread, on which the worker's timer ticks.
    """

    def __init__(self, ui: Any) -> None:
        """Connect the widgets; ``ui`` has them as attributes."""
        self.ui = ui
        self.parameters: Any = None
        self._storing = False
        self._worker = Worker(lambda: self.workbench.poll())
        self.logic = logicClass()(executor=self._worker)
        Workbench = importLibrary("DeepIGeoSLib.scene").Workbench
        self.workbench = Workbench(self.logic, self.refresh)
        # A thread of its own: a stroke never waits for a surface.
        self._aside = Worker(lambda: self.surface.poll())
        self.surface = importLibrary("DeepIGeoSLib.scene.surface").TargetSurface(self._aside)
        self._views = importLibrary("DeepIGeoSLib.scene.slice_views").ViewGuide()
        self._none = importLibrary("DeepIGeoSLib.bundles").GEODESIC
        self._seeds = importLibrary("DeepIGeoSLib.scene.seeds")

        self.target = TargetSelector(ui.targetSelector, self._onTarget)
        self.models = ModelSelector(
            ui.bundleSelector, ui.bundleInfoLabel, ui.addBundleButton, chosen=self._onModel
        )
        brush = BrushOptions(ui.seedEditor, ui.brushSpinBox, ui.sphereCheckBox)
        self.editor = SeedEditor(
            ui.seedEditor,
            ui.missingButton,
            ui.tooMuchButton,
            brush=brush,
            prepare=self._preparedSeeds,
        )
        self.inputs = InputsSection(ui.inputsSection)
        self.speedUp = SpeedUp(
            ui.runsLabel,
            row=ui.offerRow,
            offerLabel=ui.offerLabel,
            installButton=ui.offerInstallButton,
            laterButton=ui.offerLaterButton,
        )
        self.rightButton = RightButton(self.editor)
        self.oblique = ObliqueStrokes(self.editor, brush, self.workbench)
        self.outlines = ObliqueOutlines(self.editor, self.workbench)
        self.rounds = RoundsTable(ui.roundsTable)
        actions = self._actions()
        for button, action in actions.items():
            getattr(ui, button).connect("clicked(bool)", lambda checked=False, do=action: do())
        ui.crfCheckBox.connect("clicked(bool)", self._onCrf)
        self.shortcuts = Shortcuts(
            {
                "X": self.editor.toggle,
                "Ctrl+Return": actions["refineButton"],
                "Z": actions["undoButton"],
                "Ctrl+Z": actions["undoButton"],
                "Y": actions["redoButton"],
                "Ctrl+Y": actions["redoButton"],
                "N": actions["nextPlaceButton"],
                "A": actions["acceptButton"],
                "E": actions["nextLesionButton"],
                "Esc": actions["cancelButton"],
            }
        )
        self.drawKeys = DrawKeys(self.shortcuts)

    def enter(self) -> None:
        """Work while the module is open."""
        self.editor.takeUpScene()
        self.editor.widget.setupViewObservations()
        self.rightButton.install()
        self.oblique.install()
        self.outlines.install()
        self.shortcuts.install()
        self.drawKeys.follow(self.editor.widget.mrmlSegmentEditorNode())
        self._worker.start()
        self._aside.start()

    def exit(self) -> None:
        """Put brush and keys away; what runs is still brought in."""
        self.editor.stop()
        self.editor.widget.removeViewObservations()
        self.rightButton.remove()
        self.oblique.remove()
        self.outlines.remove()
        self.drawKeys.follow(None)
        self.shortcuts.remove()

    def close(self) -> None:
        """Let go of the scene: it is about to vanish, or the module is."""
        self._worker.stop()
        self._aside.stop()
        self.surface.follow(None, "")
        self.exit()
        self.target.release()
        self.editor.release()
        self.workbench.close()
        self._views.follow(None, False)
        self.inputs.reopen()
        self.parameters = None

    def cleanup(self) -> None:
        """Let go of everything; what the worker still computes, nobody gets."""
        self.close()
        for worker in (self._worker, self._aside):
            worker.shutdown(wait=False, cancel_futures=True)

    def setParameters(self, parameters: Any) -> None:
        """Follow these parameters."""
        self.parameters = parameters
        self.update()

    def update(self) -> None:
        """Take over what the parameters say."""
        parameters = self.parameters
        if parameters is None or self._storing or slicer.mrmlScene.IsBatchProcessing():
            return
        bench = self.workbench
        segmentation = parameters.segmentation
        if segmentation is not None and self._seeds.holdsSeeds(segmentation):
            segmentation = None
        segmentId = parameters.targetSegmentID
        if segmentation is None or segmentation.GetSegmentation().GetSegment(segmentId) is None:
            segmentId = ""
        problem = self._showModel()
        hasCrf = self.models.crf is not None
        crf = {"on": True, "off": False}.get(parameters.crf) if hasCrf else None
        bench.useModel(self._bundle, crf)
        self.ui.crfCheckBox.setEnabled(hasCrf)
        self.ui.crfCheckBox.setChecked(bool(self.models.crf if crf is None else crf))
        bench.options.autoRefine = parameters.autoRefine
        bench.options.goToChanges = parameters.goToChanges
        bench.options.outlines = parameters.outlines
        mode = getattr(slicer.vtkMRMLSegmentationNode, parameters.otherSegments.area)
        bench.options.editableArea = (mode,)
        bench.options.neighbors = parameters.otherSegments.neighbors
        bench.region.visible = parameters.showRegion
        bench.region.update()
        if parameters.pinRegion != bench.region.pinned:
            bench.pinRegion(parameters.pinRegion)
        self.rightButton.enabled = parameters.rightButtonPaints
        bench.choose(parameters.sourceVolume, segmentation, segmentId)
        self._views.follow(parameters.sourceVolume, parameters.alignViews)
        if problem:
            bench.message = problem
        self.refresh()

    def showTarget(self, volumeNode: Any, segmentationNode: Any, segmentId: str) -> None:
        """Work on these from now on: all three at once."""
        if self.parameters is None:
            return
        self._storing = True
        self.parameters.sourceVolume = volumeNode
        self.parameters.segmentation = segmentationNode
        self.parameters.targetSegmentID = segmentId
        self._storing = False
        self.update()

    def refresh(self) -> None:
        """Show what there is, and what can be done."""
        bench, ui, parameters = self.workbench, self.ui, self.parameters
        if parameters is None or slicer.mrmlScene.IsBatchProcessing():
            return
        self._store()
        self._hideSeeds()
        self.target.show(bench.segmentationNode, bench.segmentId)
        self.editor.show(bench.volumeNode, bench.seeds)
        self.inputs.show(bench.volumeNode, self.target.text, self.models.text)
        self.surface.follow(
            bench.segmentationNode if parameters.showSurface else None, bench.segmentId
        )
        self.rounds.show(bench.rounds)
        ui.roundsSection.setVisible(bool(bench.rounds))
        hasVolume, open_ = bench.volumeNode is not None, not bench.isAccepted
        if not open_ and self.editor.widget.activeEffect():
            self.editor.stop()
        ui.segmentButton.setEnabled(hasVolume and open_ and bench.logic.proposes)
        ui.objectsButton.setEnabled(hasVolume and bench.logic.proposes)
        for button in (ui.missingButton, ui.tooMuchButton, ui.boxButton, ui.pointsButton):
            button.setEnabled(hasVolume and open_)
        ui.seedEditor.setEnabled(bench.seeds is not None and open_)
        ui.refineButton.setEnabled(bench.seeds is not None and open_)
        ui.undoButton.setEnabled(bench.canUndo and open_)
        ui.undoButton.setToolTip(f"{bench.undoHint} " + _("Shortcut: Z or Ctrl+Z."))
        ui.redoButton.setEnabled(bench.canRedo and open_)
        ui.nextPlaceButton.setEnabled(bool(bench.rounds))
        ui.acceptButton.setEnabled(bench.hasTarget)
        ui.acceptButton.setText(_("Accept") if open_ else _("Reopen"))
        ui.nextLesionButton.setEnabled(hasVolume)
        ui.cancelButton.setEnabled(bench.busy)
        ui.progressBar.setTextVisible(bench.busy)
        ui.progressBar.setValue(round(100 * bench.progress[0]) if bench.busy else 0)
        volume = _("Target: {volume:.2f} ml").format(volume=bench.milliliters)
        ui.volumeLabel.setText(volume if bench.hasTarget else "")
        ui.statusLabel.setText(bench.status)

    @property
    def _bundle(self) -> str:
        """The chosen model; the one that fits the volume until the user has chosen."""
        return self.parameters.bundle or self.models.fitting(self.parameters.sourceVolume)

    def _showModel(self) -> str:
        """Show the chosen model; where it is not on this computer, the one that fits the volume.

        Returns:
            What is wrong with the chosen one, or "".
        """
        BundleError = importLibrary("DeepIGeoSLib.errors").BundleError
        try:
            self.models.show(self._bundle)
        except BundleError as error:
            self._storing = True
            self.parameters.bundle, self.parameters.crf = "", ""
            self._storing = False
            self.models.show(self._bundle)
            return _("{error} The model that fits the volume is used.").format(error=error)
        return ""

    def _hideSeeds(self) -> None:
        """Offer no segmentation that holds seeds, also when the chosen one is deleted."""
        shown = self.ui.segmentationSelector.sortFilterProxyModel()
        hidden = [node.GetID() for node in self._seeds.seedsNodes()]
        if list(shown.hiddenNodeIDs) != hidden:
            shown.hiddenNodeIDs = hidden

    def _store(self) -> None:
        """Keep in the parameters what the workbench has made: a segmentation, a segment."""
        bench, parameters = self.workbench, self.parameters
        self._storing = True
        if bench.segmentationNode is not parameters.segmentation:
            parameters.segmentation = bench.segmentationNode
        if bench.segmentId != parameters.targetSegmentID:
            parameters.targetSegmentID = bench.segmentId
        self._storing = False

    def _actions(self) -> dict[str, Callable[[], Any]]:
        """Return what each button does."""
        bench, ui = self.workbench, self.ui
        return {
            "segmentButton": lambda: self._ready() and bench.segment(),
            "objectsButton": lambda: self._ready() and bench.findObjects(),
            "boxButton": lambda: self._ready() and bench.lookIntoBox(),
            "pointsButton": lambda: (
                self._ready() and bench.takePoints(not ui.tooMuchButton.isChecked())
            ),
            "refineButton": lambda: self._ready() and bench.refine(),
            "undoButton": bench.undo,
            "redoButton": bench.redo,
            "nextPlaceButton": bench.lookAtNextPlace,
            "acceptButton": lambda: bench.reopen() if bench.isAccepted else bench.accept(),
            "nextLesionButton": bench.nextLesion,
            "cancelButton": bench.cancel,
        }

    def _ready(self) -> bool:
        """Return whether the chosen model can run; ask for what it needs the first time."""
        if self._bundle == self._none:
            return True
        advice = first_use.readyToCompute()
        if advice:
            self.workbench.message = advice
            self.refresh()
        return not advice

    def _preparedSeeds(self) -> Any:
        if not self._ready():
            return None
        self.workbench.prepareSeeds()
        self.refresh()
        return None if self.workbench.isAccepted else self.workbench.seeds

    def _onTarget(self, segmentId: str) -> None:
        self.parameters.targetSegmentID = segmentId

    def _onModel(self, bundle: str) -> None:
        self.parameters.crf = ""
        self.parameters.bundle = bundle

    def _onCrf(self, checked: bool) -> None:
        self.parameters.crf = "on" if checked else "off"
