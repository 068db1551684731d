"""The section "Learn from my cases"."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from DeepIGeoSPanel import first_use
from DeepIGeoSPanel.interpreter import pythonSlicer
from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.telling import Telling

_TICK = 500  # ms


class LearningSection:
    """Gathers cases, runs a training in a process of its own, and shows how it goes."""

    def __init__(self, ui: Any, workbench: Any, models: Any) -> None:
        """Connect the widgets; the model to start from is the chosen one.

        Args:
            ui: has the widgets as attributes.
            workbench: has the case that can be added.
            models: the model selector, which gets the new model.
        """
        self.ui = ui
        self._workbench = workbench
        self._models = models
        settings = os.path.dirname(slicer.app.slicerUserSettingsFilePath)
        folder = os.path.join(settings, "DeepIGeoS-learning")
        self.cases = importLibrary("DeepIGeoSLib.training.own_cases").LearningFolder(folder)
        self.run: Any = None
        self._fillTables()
        self._fillNetworks()
        ui.addCaseButton.connect("clicked(bool)", self.onAddCase)
        ui.addCaseFolderButton.connect("clicked(bool)", self.onAddFolder)
        ui.removeCaseButton.connect("clicked(bool)", self.onRemove)
        ui.learnButton.connect("clicked(bool)", self.onLearn)
        ui.stopLearningButton.connect("clicked(bool)", self.onStop)
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK)
        self._timer.connect("timeout()", self.poll)
        self.refresh()

    def cleanup(self) -> None:
        """Stop the timer and what runs."""
        self._timer.stop()
        if self.run is not None:
            self.run.cancel()

    def refresh(self) -> None:
        """Show the cases, and what can be done."""
        ui, names = self.ui, self.cases.names
        ui.casesTable.setRowCount(len(names))
        for row, name in enumerate(names):
            ui.casesTable.setItem(row, 0, qt.QTableWidgetItem(name))
        running = self.run is not None and self.run.running
        ui.addCaseButton.setEnabled(not running)
        ui.addCaseFolderButton.setEnabled(not running)
        ui.removeCaseButton.setEnabled(bool(names) and not running)
        ui.learnButton.setEnabled(len(names) > 1 and not running)
        ui.stopLearningButton.setEnabled(running)

    def onAddCase(self, checked: bool = False) -> None:
        """Add the target on the source volume."""
        nodes = importLibrary("DeepIGeoSLib.scene.nodes")
        bench = self._workbench
        with self._telling():
            mask = nodes.maskFromSegment(bench.volumeNode, bench.segmentationNode, bench.segmentId)
            volume = nodes.volumeFromNode(bench.volumeNode)
            name = self.cases.add(bench.volumeNode.GetName(), volume, mask)
            self._say(_("Added {name}.").format(name=name))
        self.refresh()

    def onAddFolder(self, checked: bool = False) -> None:
        """Add the pairs of a folder that the user chooses."""
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder with images NAME.nii.gz and labels NAME_seg.nii.gz")
        )
        if folder:
            self.addFolder(folder)

    def addFolder(self, folder: str) -> None:
        """Add the pairs of a folder."""
        with self._telling():
            names = self.cases.add_folder(folder)
            self._say(_("Added {count} cases.").format(count=len(names)))
        self.refresh()

    def onRemove(self, checked: bool = False) -> None:
        """Forget the selected case."""
        row = self.ui.casesTable.currentRow()
        if row >= 0:
            self.cases.remove(self.ui.casesTable.item(row, 0).text())
        self.refresh()

    def onLearn(self, checked: bool = False) -> None:
        """Begin to train."""
        bundle = self._workbench.logic.bundle
        architecture = self._architecture
        advice = None
        if not architecture and not self._workbench.logic.proposes:
            advice = _(
                "Choose a model to start from that segments by itself; this one answers strokes."
            )
        python = pythonSlicer()
        if python is None:
            advice = advice or _(
                "Slicer's Python interpreter (PythonSlicer) was not found in {folder}, so nothing "
                "can be learned in a process of its own; install Slicer anew."
            ).format(folder=slicer.app.slicerHome)
        advice = advice or first_use.readyToCompute() or first_use.readyToTrain(architecture)
        if advice:
            self._say(advice)
            return
        with self._telling():
            name, steps = self.ui.modelNameEdit.text, self.ui.stepsSpinBox.value
            configuration = self.cases.configure(
                str(bundle), name, steps, architecture=architecture
            )
            LearningRun = importLibrary("DeepIGeoSLib.training.own_run").LearningRun
            self.run = LearningRun(configuration, str(bundle), python)
            self._say(_("Learning begins; you can go on working."))
            self._timer.start()
        self.refresh()

    def onStop(self, checked: bool = False) -> None:
        """Stop the training."""
        self.run.cancel()
        self.poll()

    def poll(self) -> None:
        """Show how the training goes, and take up the new model when it is done."""
        share, text = self.run.progress
        if text:
            self._say(f"{text} ({share:.0%})")
        self._drawLosses(self.run.losses)
        if self.run.running:
            return
        self._timer.stop()
        if self.run.cancelled:
            self._say(_("Cancelled; the models are as before."))
        elif self.run.problem:
            self._say(self.run.problem)
        else:
            self._showComparison(self.run.comparison)
            self._models.add(self.run.bundle)
            self._say(_("Done: the new model is chosen. Compare before you rely on it."))
        self.refresh()

    def _telling(self) -> Telling:
        return Telling(self._say)

    def _say(self, text: str) -> None:
        self.ui.learnStatusLabel.setText(text)

    def _fillTables(self) -> None:
        for table, titles in (
            (self.ui.casesTable, [_("Case")]),
            (self.ui.comparisonTable, [_("Case"), _("Dice before"), _("Dice after")]),
        ):
            table.setColumnCount(len(titles))
            table.setHorizontalHeaderLabels(titles)
            table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
            table.verticalHeader().hide()
            table.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)

    def _fillNetworks(self) -> None:
        """Offer to let the chosen model learn on, or a new network of each architecture."""
        selector = self.ui.networkSelector
        selector.addItem(_("The chosen model learns on"), "")
        for name in importLibrary("DeepIGeoSLib.networks").ARCHITECTURES:
            selector.addItem(_("New: {name}").format(name=name), name)
        selector.connect("currentIndexChanged(int)", self._tellNetwork)
        self._tellNetwork()

    def _tellNetwork(self, index: int = 0) -> None:
        """Say in one line what the chosen network is for."""
        text = _("A few cases and steps are enough, where the model fits nearly.")
        if self._architecture:
            networks = importLibrary("DeepIGeoSLib.networks")
            text = networks.ARCHITECTURES[self._architecture].summary
            text = text[0].upper() + text[1:] + "."
        self.ui.networkInfoLabel.setText(text)

    @property
    def _architecture(self) -> str:
        """The architecture of the new network; "" where the chosen model learns on."""
        selector = self.ui.networkSelector
        return selector.itemData(selector.currentIndex) or ""

    def _showComparison(self, rows: Sequence[Any]) -> None:
        table = self.ui.comparisonTable
        table.setRowCount(len(rows))
        for row, made in enumerate(rows):
            before = "" if made.before is None else f"{made.before:.3f}"
            for column, text in enumerate((made.case, before, f"{made.after:.3f}")):
                table.setItem(row, column, qt.QTableWidgetItem(text))

    def _drawLosses(self, losses: Sequence[float]) -> None:
        if len(losses) < 2:
            return
        width, height = 360, 80
        picture = qt.QPixmap(width, height)
        picture.fill(qt.QColor(255, 255, 255))
        painter = qt.QPainter(picture)
        painter.setPen(qt.QColor(40, 90, 180))
        top = max(losses) or 1.0
        points = [
            (round(n * (width - 1) / (len(losses) - 1)), round((height - 1) * (1 - loss / top)))
            for n, loss in enumerate(losses)
        ]
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            painter.drawLine(x1, y1, x2, y2)
        painter.end()
        self.ui.lossCurve.setPixmap(picture)
