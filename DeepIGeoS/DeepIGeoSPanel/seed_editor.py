"""Painting seeds: Slicer's segment editor with Paint, Draw and Erase, and two big buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer

from DeepIGeoSPanel.library import importLibrary

FOREGROUND, BACKGROUND = "foreground", "background"


class SeedEditor:
    """The embedded segment editor, which paints one of two kinds of seeds."""

    def __init__(
        self,
        widget: qt.QWidget,
        missingButton: qt.QPushButton,
        tooMuchButton: qt.QPushButton,
        *,
        brush: Any,
        prepare: Callable[[], Any],
    ) -> None:
        """Set up the editor.

        Args:
            widget: a qMRMLSegmentEditorWidget.
            missingButton: paints foreground.
            tooMuchButton: paints background.
            brush: the ``BrushOptions`` of this editor.
            prepare: returns where to paint (``Seeds``), or None when that is impossible.
        """
        self.widget = widget
        self._brush = brush
        self._prepare = prepare
        self._buttons = {FOREGROUND: missingButton, BACKGROUND: tooMuchButton}
        self._seeds = None
        # The node first: what is set below is kept in it, and logs an error where there is none.
        self.takeUpScene()
        for name in (
            "segmentationNodeSelectorVisible",
            "sourceVolumeNodeSelectorVisible",
            "maskingSectionVisible",
            "specifyGeometryButtonVisible",
            "show3DButtonVisible",
            "addRemoveSegmentButtonsVisible",
            "switchToSegmentationsButtonVisible",
            "undoEnabled",  # the panel's own undo covers strokes and results together
            "unorderedEffectsVisible",
        ):
            setattr(widget, name, False)
        widget.effectColumnCount = 4  # no brush, Paint, Draw and Erase in one row
        widget.effectButtonStyle = qt.Qt.ToolButtonTextUnderIcon
        widget.setEffectNameOrder(["Paint", "Draw", "Erase"])
        # The two buttons choose the segment. (QObject's own findChildren is not recursive in 5.10.)
        slicer.util.findChild(widget, "SegmentsTableView").parent().hide()
        missingButton.connect("clicked(bool)", lambda checked=False: self.paint(FOREGROUND))
        tooMuchButton.connect("clicked(bool)", lambda checked=False: self.paint(BACKGROUND))
        self._colorButtons()
        self.polarity = FOREGROUND

    def _colorButtons(self) -> None:
        """Give each button the color of its seeds, and a sign for whoever sees no colors."""
        colors = importLibrary("DeepIGeoSLib.scene.colors").SEED_COLORS
        for name, button in self._buttons.items():
            square = qt.QPixmap(16, 16)
            square.fill(qt.QColor(*(round(255 * part) for part in colors[name])))
            painter = qt.QPainter(square)
            painter.fillRect(3, 7, 10, 2, qt.QColor(0, 0, 0))
            if name == FOREGROUND:
                painter.fillRect(7, 3, 2, 10, qt.QColor(0, 0, 0))
            painter.end()
            button.setIcon(qt.QIcon(square))

    def takeUpScene(self) -> None:
        """Use a segment editor node of its own; Slicer's Segment Editor keeps another."""
        tag = "DeepIGeoS.SeedEditor"
        node = slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLSegmentEditorNode")
        if node is None:
            node = slicer.vtkMRMLSegmentEditorNode()
            node.SetSingletonTag(tag)
            node = slicer.mrmlScene.AddNode(node)
        # By default a stroke would erase the other kind below it, and undo could not tell.
        node.SetOverwriteMode(node.OverwriteNone)
        self.widget.setMRMLSegmentEditorNode(node)
        self._brush.follow(node)
        self.widget.setMRMLScene(slicer.mrmlScene)

    def show(self, volumeNode: slicer.vtkMRMLVolumeNode | None, seeds: Any) -> None:
        """Paint into these seeds from now on; None when there are none yet."""
        node = seeds.segmentationNode if seeds else None
        if seeds == self._seeds and self.widget.segmentationNode() is node:
            return
        self._seeds = seeds
        self.widget.setSegmentationNode(node)
        self.polarity = FOREGROUND  # what a new target needs first
        if seeds is None:
            self.stop()
            return
        self.widget.setSourceVolumeNode(volumeNode)
        self.select(self.polarity)

    def paint(self, polarity: str) -> None:
        """Paint this kind of seeds, beginning with the Paint effect."""
        seeds = self._prepare()
        if seeds is None:
            self.stop()
            return
        self.select(polarity)
        if not self.widget.activeEffect():
            self.widget.setActiveEffectByName("Paint")

    def select(self, polarity: str) -> None:
        """Let the next stroke be of this kind."""
        self.polarity = polarity
        for name, button in self._buttons.items():
            button.setChecked(name == polarity and self._seeds is not None)
        if self._seeds is not None:
            self.widget.setCurrentSegmentID(getattr(self._seeds, f"{polarity}Id"))

    @property
    def brush(self) -> str | None:
        """Name of the active effect, or None."""
        effect = self.widget.activeEffect()
        return getattr(effect, "name", effect) if effect else None

    def outlineIn(self, view: Any) -> Any:
        """Return the points (vtkPoints, RAS) of the outline that Draw has in a slice view, or None.

        They are Draw's own: nobody else knows which points its keys have taken away again.
        """
        pipeline = self.widget.effectByName("Draw").self().drawPipelines.get(view)
        return None if pipeline is None else pipeline.rasPoints

    def toggle(self) -> None:
        """Change to the other kind."""
        self.paint(BACKGROUND if self.polarity == FOREGROUND else FOREGROUND)

    def stop(self) -> None:
        """Put the brush away."""
        self.widget.setActiveEffect(None)
        for button in self._buttons.values():
            button.setChecked(False)

    def release(self) -> None:
        """Let go of the scene."""
        self._seeds = None
        self.stop()
        self.widget.setSegmentationNode(None)
        self._brush.follow(None)
        self.widget.removeViewObservations()
