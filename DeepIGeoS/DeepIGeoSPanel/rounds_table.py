"""The list of rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt
from slicer.i18n import tr as _


class RoundsTable:
    """Shows what each round of the target changed, the newest on top."""

    def __init__(self, widget: qt.QWidget) -> None:
        """Set up a QTableWidget."""
        self._widget = widget
        self._shown = None
        widget.setColumnCount(3)
        widget.setHorizontalHeaderLabels([_("Round"), _("Changed (ml)"), _("Volume (ml)")])
        widget.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        widget.setSelectionMode(qt.QAbstractItemView.NoSelection)
        widget.verticalHeader().hide()
        widget.horizontalHeader().setSectionResizeMode(qt.QHeaderView.Stretch)

    def show(self, rounds: Sequence[Any]) -> None:
        """Show these rounds."""
        if rounds == self._shown:
            return
        self._shown = rounds
        kinds = {
            "segmented": _("segmented"),
            "refined": _("refined"),
            "edited": _("edited by hand"),
        }
        self._widget.setRowCount(len(rounds))
        for row, made in enumerate(reversed(rounds)):
            texts = (
                f"{len(rounds) - row}  {kinds[made.kind]}",
                f"{made.changed:.2f}",
                f"{made.total:.2f}",
            )
            for column, text in enumerate(texts):
                self._widget.setItem(row, column, qt.QTableWidgetItem(text))
