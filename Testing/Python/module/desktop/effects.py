"""The Segment Editor as an effect sees it: its adaptor, its logic, its factory."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import slicer
from PySide6 import QtWidgets

from .python_qt import with_manners


class AbstractScriptedSegmentEditorEffect:
    """Slicer's base class, as far as effects rely on it."""

    def __init__(self, scriptedEffect: Any) -> None:
        self.scriptedEffect = scriptedEffect

    def register(self) -> None:
        self.scriptedEffect.registered.append(self.scriptedEffect)

    def xyToRas(self, position: Any, view: Any) -> list[float]:
        return view.toRas(position)


class ScriptedEffect:
    """The adaptor: loads the Python class as Slicer does, and speaks to Slicer's editor logic."""

    registered: list[Any] = []  # noqa: RUF012

    def __init__(self, parent: Any = None) -> None:
        self.name = self.title = ""
        self.perSegment = self.requireSegments = None
        self._parameters: dict[str, Any] = {}
        self.options = with_manners(QtWidgets.QWidget)()
        QtWidgets.QFormLayout(self.options)
        self.actors: list[Any] = []
        self.logic, self.node = None, None

    def setPythonSource(self, path: str) -> None:
        """The folder's name becomes the module's; the class is named like the file."""
        folder = Path(path).parent.name
        if not hasattr(sys.modules.get(folder), Path(path).stem):
            specification = importlib.util.spec_from_file_location(folder, path)
            module = importlib.util.module_from_spec(specification)
            sys.modules[folder] = module
            specification.loader.exec_module(module)
        self._self = getattr(sys.modules[folder], Path(path).stem)(self)

    def self(self) -> Any:
        return self._self

    def edit(self, volume_node: Any, segmentation_node: Any, segment_id: str) -> None:
        """Open the Segment Editor on a segment and activate this effect.

        What is chosen in the editor later, another segment or other masks, changes its node, and
        the effect is not called.
        """
        self.node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentEditorNode")
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.logic.SetSegmentEditorNode(self.node)
        history = slicer.vtkSegmentationHistory()
        history.SetSegmentation(segmentation_node.GetSegmentation())
        self.logic.SetSegmentationHistory(history)
        self.logic.SetSegmentationNode(segmentation_node)
        self.logic.SetSourceVolumeNode(volume_node)
        self.logic.SetCurrentSegmentID(segment_id)
        self.logic.SetMaximumNumberOfUndoStates(10)
        self.open()

    @classmethod
    def made(cls, name: str, node: Any, logic: Any) -> Any:
        """Return the registered effect of a name, opened in an editor; None when there is none."""
        for registered in cls.registered:
            if registered.name == name:
                effect = registered.self().clone()
                effect.node, effect.logic = node, logic
                effect.open()
                return effect
        return None

    def open(self) -> None:
        """Set up and activate the effect, as the first click on its button does."""
        self._self.setupOptionsFrame()
        self._self.setMRMLDefaults()
        self._self.activate()

    def setSourceVolumeNode(self, volume_node: Any) -> None:
        """Choose another source volume in the editor."""
        self.logic.SetSourceVolumeNode(volume_node)
        self._self.sourceVolumeNodeChanged()

    def parameterSetNode(self) -> Any:
        return self.node

    def setParameterDefault(self, name: str, value: Any) -> None:
        self._parameters.setdefault(name, value)

    def setParameter(self, name: str, value: Any) -> None:
        """Keep a parameter; a change of one is all that an effect's GUI is told of."""
        if self._parameters.get(name) != value:
            self._parameters[name] = value
            self._self.updateGUIFromMRML()

    def doubleParameter(self, name: str) -> float:
        return float(self._parameters.get(name, 0))

    def integerParameter(self, name: str) -> int:
        return int(self._parameters.get(name, 0))

    def addOptionsWidget(self, widget: Any) -> None:
        QtWidgets.QWidget.layout(self.options).addRow(widget)

    def addLabeledOptionsWidget(self, label: str, widget: Any) -> None:
        QtWidgets.QWidget.layout(self.options).addRow(label, widget)

    def saveStateForUndo(self) -> None:
        self.logic.SaveStateForUndo()

    def defaultModifierLabelmap(self) -> Any:
        self.logic.ResetModifierLabelmapToDefault()
        return self.logic.GetModifierLabelmap()

    def modifySelectedSegmentByLabelmap(self, labelmap: Any, mode: int) -> None:
        node = self.logic.GetSegmentationNode()
        segment_id = self.node.GetSelectedSegmentID()
        self.logic.ModifySegmentByLabelmap(node, segment_id, labelmap, mode, True, False)

    def addActor2D(self, view: Any, actor: Any) -> None:
        self.actors.append(actor)

    def removeActor2D(self, view: Any, actor: Any) -> None:
        self.actors.remove(actor)


class SliceView:
    """A slice view whose pixels are voxels of one slice of a volume."""

    def __init__(self, ijk_to_ras: np.ndarray, axes: tuple[int, int], fixed: tuple[int, int]):
        import vtk

        self.interactor = vtk.vtkGenericRenderWindowInteractor()
        self.interactor.SetSize(200, 200)
        self._matrix, self._axes, self._fixed = ijk_to_ras, axes, fixed

    def className(self) -> str:
        return "qMRMLSliceWidget"

    def sliceView(self) -> Any:
        return SimpleNamespace(scheduleRender=lambda: None)

    def mrmlSliceNode(self) -> Any:
        """Its plane has the two axes of the volume that it shows."""
        toRas = np.eye(4)
        shown = [self._matrix[:3, axis] for axis in self._axes]
        toRas[:3, 2] = np.cross(*shown) / np.linalg.norm(np.cross(*shown))
        node = slicer.vtkMRMLSliceNode()
        node.GetSliceToRAS().DeepCopy(slicer.util.vtkMatrixFromArray(toRas))
        return node

    def toRas(self, position: Any) -> list[float]:
        ijk = [0.0, 0.0, 0.0, 1.0]
        ijk[self._axes[0]], ijk[self._axes[1]] = position[0], position[1]
        ijk[self._fixed[0]] = self._fixed[1]
        return [float(value) for value in (self._matrix @ ijk)[:3]]

    def drag(self, effect: Any, points: list[tuple[int, int]], button: str = "Left") -> list[bool]:
        """Drag the mouse; return whether the effect used each event up."""
        import vtk

        command = vtk.vtkCommand
        used = []
        events = [getattr(command, f"{button}ButtonPressEvent")]
        events += [command.MouseMoveEvent] * (len(points) - 1)
        for event, point in zip(events, points, strict=True):
            self.interactor.SetEventPosition(*point)
            used.append(effect.processInteractionEvents(self.interactor, event, self))
        release = getattr(command, f"{button}ButtonReleaseEvent")
        used.append(effect.processInteractionEvents(self.interactor, release, self))
        return used
