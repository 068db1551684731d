"""The section of the inputs, which becomes one line as soon as there is something to work on."""

from __future__ import annotations

from typing import Any

import qt
from slicer.i18n import tr as _

# A title must not make the panel wider than its buttons do.
_TITLE_WIDTH = 320  # pixels


class InputsSection:
    """Folds itself once, when the first volume is chosen, and tells in its title what is chosen.

    From then on the user folds and unfolds it: nothing else moves while somebody works.
    """

    def __init__(self, section: qt.QWidget) -> None:
        """Take a ctkCollapsibleButton."""
        self._section = section
        self._chosen = ""
        self._folded = False
        self._toolTip = section.toolTip
        section.connect("contentsCollapsed(bool)", lambda collapsed: self._showTitle())

    def show(self, volumeNode: Any, target: str, model: str) -> None:
        """Tell what is chosen.

        Args:
            volumeNode: the source volume, or None.
            target: name of the target segment.
            model: name of the model.
        """
        self._chosen = ""
        if volumeNode is not None:
            self._chosen = _("{volume}: {target}, {model}").format(
                volume=volumeNode.GetName(), target=target, model=model
            )
            if not self._folded:
                self._folded = True
                self._section.setCollapsed(True)
        self._showTitle()

    def reopen(self) -> None:
        """Begin anew, in another scene."""
        self._folded = False
        self._section.setCollapsed(False)

    def _showTitle(self) -> None:
        title = _("Inputs")
        if self._chosen and self._section.collapsed:
            title = self._section.fontMetrics().elidedText(
                self._chosen, qt.Qt.ElideRight, _TITLE_WIDTH
            )
        if title != self._section.text:
            self._section.setText(title)
            self._section.setToolTip("\n".join(filter(None, (self._chosen, self._toolTip))))
