"""The section "Worklist"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from DeepIGeoSPanel.library import importLibrary
from DeepIGeoSPanel.telling import Telling


class WorklistSection:
    """A folder of cases: which there are, how far they are, and the one in the scene."""

    def __init__(self, ui: Any, showTarget: Callable[[Any, Any, str], None]) -> None:
        """Connect the widgets.

        Args:
            ui: has the widgets as attributes.
            showTarget: gets volume, segmentation and segment ID of a case that was opened.
        """
        self.ui = ui
        self._showTarget = showTarget
        self.desk: Any = None
        self._titles = [_("Case"), _("Status"), _("Attention")]
        table = ui.worklistTable
        table.setColumnCount(len(self._titles))
        table.setHorizontalHeaderLabels(self._titles)
        table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        table.setSelectionBehavior(qt.QAbstractItemView.SelectRows)
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.connect("cellDoubleClicked(int,int)", lambda row, _column: self._open(self._at(row)))
        for button, action in (
            (ui.openWorklistButton, self.onOpenFolder),
            (ui.worklistResultsButton, self.onResults),
            (ui.previousCaseButton, lambda: self._go(-1)),
            (ui.nextCaseButton, lambda: self._go(1)),
            (ui.saveCaseButton, self.onSave),
            (ui.acceptCaseButton, self.onAccept),
        ):
            button.connect("clicked(bool)", lambda checked=False, do=action: do())
        self.refresh()

    def release(self) -> None:
        """Let go of the scene: it is about to be closed. The list stays."""
        if self.desk is not None:
            self.desk = type(self.desk)(self.desk.worklist)
        self.refresh()

    def onOpenFolder(self) -> None:
        """Ask for the folder of the images."""
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder with images or DICOM series")
        )
        if folder:
            self.openFolder(folder)

    def onResults(self) -> None:
        """Ask for the folder of the segmentations."""
        folder = qt.QFileDialog.getExistingDirectory(
            slicer.util.mainWindow(), _("Folder of the segmentations")
        )
        if folder and self.desk is not None:
            self.openFolder(str(self.desk.worklist.images), folder)

    def openFolder(self, images: str, results: str | None = None) -> None:
        """Take up a folder of cases, and open the one that needs most attention."""
        Worklist = importLibrary("DeepIGeoSLib.worklist").Worklist
        Desk = importLibrary("DeepIGeoSLib.scene.worklist_desk").WorklistDesk
        with self._telling():
            worklist = Worklist(images, results)
            first = worklist.first()
            if self.desk is not None:
                if self.desk.hasChanges:
                    self.desk.save()
                self.desk.close()
            self.desk = Desk(worklist)
            self._fill()
            if first is None:
                self._say(_("All {count} cases are accepted.").format(count=len(worklist.cases)))
            else:
                self._open(first.name)
        self.refresh()

    def onSave(self) -> None:
        """Store the segmentation of the case."""
        with self._telling():
            path = self.desk.save()
            self._say(_("Saved as {name}.").format(name=path.name))
        self.refresh()

    def onAccept(self) -> None:
        """Accept the case and go on with the next one; or reopen it."""
        with self._telling():
            if self.desk.isAccepted:
                self.desk.reopen()
                self._say(_("The case is in work again."))
                self._showCase()
            else:
                self.desk.save(accept=True)
                following = self.desk.neighbor(1) or self.desk.worklist.first()
                if following is None:
                    self._say(_("Accepted: that was the last case."))
                    self._showCase()
                else:
                    self._open(following.name)
        self.refresh()

    def refresh(self) -> None:
        """Show how far the case is, and what can be done."""
        ui, desk = self.ui, self.desk
        isOpen = desk is not None and desk.isOpen
        ui.worklistResultsButton.setEnabled(desk is not None)
        for button in (ui.previousCaseButton, ui.nextCaseButton):
            button.setEnabled(desk is not None)
        accepted = False
        if isOpen:
            with self._telling():
                accepted = desk.isAccepted
                self._showRow(desk.case.name)
        ui.saveCaseButton.setEnabled(isOpen and not accepted)
        ui.acceptCaseButton.setEnabled(isOpen)
        ui.acceptCaseButton.setText(_("Reopen case") if accepted else _("Accept case"))

    def _go(self, step: int) -> None:
        with self._telling():
            case = self.desk.neighbor(step)
            if case is None:
                self._say(
                    _("There is no open case behind this one.")
                    if step > 0
                    else _("There is no open case before this one.")
                )
            else:
                self._open(case.name)
        self.refresh()

    def _open(self, name: str) -> None:
        with self._telling():
            left = self.desk.case
            self.desk.open(name)
            if left is not None:
                self._showRow(left.name)
            self._say(self._greeting())
            self._showCase()
        self.refresh()

    def _greeting(self) -> str:
        """Return what there is to say about a case that was opened."""
        Status = importLibrary("DeepIGeoSLib.worklist").Status
        before, desk = self.desk.before, self.desk
        counts = desk.worklist.counts()
        text = _("{name}: {accepted} of {all} cases are accepted.").format(
            name=desk.case.name,
            accepted=counts[Status.ACCEPTED],
            all=len(desk.worklist.cases),
        )
        me = importLibrary("DeepIGeoSLib.worklist.record").who()
        if before.status is Status.IN_WORK and before.by != me:
            text += " " + _("{who} had it in work since {since}; it is yours now.").format(
                who=before.by, since=before.since
            )
        return text

    def _showCase(self) -> None:
        """Hand the case to the panel, and its image to the views."""
        desk = self.desk
        segmentId = desk.segmentationNode.GetSegmentation().GetSegmentIDs()[0]
        self._showTarget(desk.volumeNode, desk.segmentationNode, segmentId)
        slicer.util.setSliceViewerLayers(background=desk.volumeNode, fit=True)

    def _at(self, row: int) -> str:
        return self.desk.worklist.cases[row].name

    def _fill(self) -> None:
        table, worklist = self.ui.worklistTable, self.desk.worklist
        table.setRowCount(len(worklist.cases))
        for row, case in enumerate(worklist.cases):
            table.setItem(row, 0, qt.QTableWidgetItem(case.name))
            attention = worklist.attention.get(case.name)
            text = "" if attention is None else f"{attention:.2f}"
            table.setItem(row, 2, qt.QTableWidgetItem(text))
            self._showStatus(row, case.name)

    def _showRow(self, name: str) -> None:
        """Show the status of a case, and select it where it is the open one."""
        names = [case.name for case in self.desk.worklist.cases]
        row = names.index(name)
        self._showStatus(row, name)
        if self.desk.case is not None and self.desk.case.name == name:
            self.ui.worklistTable.setCurrentCell(row, 0)

    def _showStatus(self, row: int, name: str) -> None:
        Status = importLibrary("DeepIGeoSLib.worklist").Status
        words = {
            Status.NEW: _("new"),
            Status.IN_WORK: _("in work"),
            Status.ACCEPTED: _("accepted"),
        }
        record = self.desk.worklist.record(name)
        item = qt.QTableWidgetItem(words[record.status])
        item.setToolTip(f"{record.by} {record.since}")
        self.ui.worklistTable.setItem(row, 1, item)

    def _telling(self) -> Telling:
        return Telling(self._say)

    def _say(self, text: str) -> None:
        self.ui.worklistStatusLabel.setText(text)
