"""The effect "DeepIGeoS" of the Segment Editor: another face of the module's workbench."""

from __future__ import annotations

import os
from typing import Any

import qt
from SegmentEditorEffects import AbstractScriptedSegmentEditorEffect
from slicer.i18n import tr as _


class SegmentEditorEffect(AbstractScriptedSegmentEditorEffect):
    """Segments and corrects the selected segment.

    Strokes with the left button mark what is missing, with the right button what is too much, in
    any slice view. Masks, editable intensities and the overwrite mode are those of the editor, and
    each step is one state of its undo.
    """

    def __init__(self, scriptedEffect: Any) -> None:
        scriptedEffect.name = "DeepIGeoS"  # for scripts; never translated
        scriptedEffect.title = _("DeepIGeoS")
        scriptedEffect.perSegment = True
        scriptedEffect.requireSegments = True
        AbstractScriptedSegmentEditorEffect.__init__(self, scriptedEffect)
        self.panel = None
        self._stroke = None

    def clone(self) -> Any:
        import qSlicerSegmentationsEditorEffectsPythonQt as effects

        cloned = effects.qSlicerSegmentEditorScriptedEffect(None)
        cloned.setPythonSource(__file__.replace("\\", "/"))
        return cloned

    def icon(self) -> qt.QIcon:
        path = os.path.join(os.path.dirname(__file__), "SegmentEditorEffect.png")
        return qt.QIcon(path) if os.path.exists(path) else qt.QIcon()

    def helpText(self) -> str:
        return _(
            "<html>Segment a lesion automatically, and correct it by strokes.<ul>"
            "<li><b>Left button</b>: paint where the segment is missing."
            "<li><b>Right button</b>: paint where it is too much."
            "<li>Every painted voxel keeps its label; other segments follow the masking settings."
            "</ul>The module DeepIGeoS offers more: regions, uncertain places, training.</html>"
        )

    def setupOptionsFrame(self) -> None:
        from DeepIGeoSPanel.effect_panel import EffectPanel

        self.panel = EffectPanel(self.scriptedEffect)

    def setMRMLDefaults(self) -> None:
        self.scriptedEffect.setParameterDefault("BrushRadius", 3.0)
        self.scriptedEffect.setParameterDefault("AutoRefine", 1)

    def activate(self) -> None:
        self.panel.activate()

    def deactivate(self) -> None:
        self._endStroke()
        self.panel.deactivate()

    def cleanup(self) -> None:
        if self.panel is not None:
            self.panel.cleanup()
            self.panel = None

    def sourceVolumeNodeChanged(self) -> None:
        self.updateGUIFromMRML()

    def updateGUIFromMRML(self) -> None:
        if self.panel is not None:
            self.panel.updateFromEditor()

    def updateMRMLFromGUI(self) -> None:
        if self.panel is not None:
            self.panel.storeOptions()

    def processInteractionEvents(
        self, callerInteractor: Any, eventId: int, viewWidget: Any
    ) -> bool:
        """Gather a stroke; return whether the event is used up."""
        if viewWidget.className() != "qMRMLSliceWidget":
            return False
        event = callerInteractor and _NAMES.get(eventId)
        if event in ("left press", "right press"):
            if callerInteractor.GetShiftKey() or callerInteractor.GetControlKey():
                return False
            foreground = event == "left press"
            line = self._lineIn(viewWidget, foreground)
            self._stroke = (foreground, viewWidget, [], line)
            self._addPoint(callerInteractor)
            return True
        if self._stroke is None or self._stroke[1] is not viewWidget:
            return False
        if event == "move":
            self._addPoint(callerInteractor)
            return True
        if event == ("left release" if self._stroke[0] else "right release"):
            foreground, _view, points, _line = self._stroke
            self._endStroke()
            self.panel.addStroke(points, foreground, viewWidget.mrmlSliceNode())
            return True
        return False

    def _lineIn(self, view: Any, foreground: bool) -> Any:
        from DeepIGeoSPanel.library import importLibrary
        from DeepIGeoSPanel.stroke_line import StrokeLine

        colors = importLibrary("DeepIGeoSLib.scene.colors").SEED_COLORS
        color = colors["foreground" if foreground else "background"]
        return StrokeLine(lambda actor: self.scriptedEffect.addActor2D(view, actor), color)

    def _addPoint(self, interactor: Any) -> None:
        _foreground, view, points, line = self._stroke
        position = interactor.GetEventPosition()
        points.append(tuple(self.xyToRas(position, view)))
        line.add(position)
        view.sliceView().scheduleRender()

    def _endStroke(self) -> None:
        if self._stroke is not None:
            _foreground, view, _points, line = self._stroke
            self.scriptedEffect.removeActor2D(view, line.actor)
            view.sliceView().scheduleRender()
            self._stroke = None


def _eventNames() -> dict[int, str]:
    import vtk

    command = vtk.vtkCommand
    return {
        command.LeftButtonPressEvent: "left press",
        command.LeftButtonReleaseEvent: "left release",
        command.RightButtonPressEvent: "right press",
        command.RightButtonReleaseEvent: "right release",
        command.MouseMoveEvent: "move",
    }


_NAMES = _eventNames()
