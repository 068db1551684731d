"""Stand-ins for the widgets of ctk and MRML that the module's panel contains."""

from __future__ import annotations

import logging
from typing import Any

import shiboken6
import slicer
from PySide6 import QtCore, QtGui, QtWidgets
from vtk.util.numpy_support import vtk_to_numpy

from .draw import DrawEffect
from .effects import ScriptedEffect
from .python_qt import with_manners

Widget = with_manners(QtWidgets.QWidget)


class qMRMLWidget(Widget):
    """Hands its scene on to every widget inside, as the connections of the .ui file do."""

    mrmlSceneChanged = QtCore.Signal(object)
    isEntered = False

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)
        for child in self.findChildren(QtWidgets.QWidget):
            if hasattr(type(child), "setMRMLScene"):
                child.setMRMLScene(scene)

    def mrmlScene(self) -> Any:
        return self._scene


class ctkCollapsibleButton(Widget):
    """A titled box whose content can be hidden."""

    contentsCollapsed = QtCore.Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._text, self._collapsed = "", False
        self.setContentsMargins(0, 22, 0, 0)

    def getText(self) -> str:
        return self._text

    def setText(self, text: str) -> None:
        self._text = text
        self.update()

    def getCollapsed(self) -> bool:
        return self._collapsed

    def setCollapsed(self, collapsed: bool) -> None:
        self._collapsed = collapsed
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            child.setVisible(not collapsed)
        self.setMaximumHeight(22 if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)

    def minimumSizeHint(self) -> QtCore.QSize:
        title = QtCore.QSize(QtGui.QFontMetrics(self.font).horizontalAdvance(self._text) + 40, 22)
        return super().minimumSizeHint().expandedTo(title)

    text = QtCore.Property(str, getText, setText)
    collapsed = QtCore.Property(bool, getCollapsed, setCollapsed)

    def paintEvent(self, event: Any) -> None:
        painter = QtGui.QPainter(self)
        painter.fillRect(0, 0, self.width, 20, QtGui.QColor(225, 228, 235))
        painter.drawText(6, 15, f"{'+' if self._collapsed else '-'}  {self._text}")
        painter.end()

    def mouseReleaseEvent(self, event: Any) -> None:
        if event.position().y() < 22:
            self.setCollapsed(not self._collapsed)


class _SortFilterProxyModel(with_manners(QtCore.QObject)):
    """Says which nodes are not listed."""

    def __init__(self, selector: Any) -> None:
        super().__init__(selector)
        self._hidden: list[str] = []

    def _hide(self, ids: list[str]) -> None:
        self._hidden = list(ids)
        self.parent()._refill()

    hiddenNodeIDs = QtCore.Property("QStringList", lambda self: self._hidden, _hide)


class qMRMLNodeComboBox(with_manners(QtWidgets.QComboBox)):
    """Lists nodes of some classes, and follows the scene."""

    currentNodeChanged = QtCore.Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene, self._tags, self._id, self._types = None, [], "", []
        self._none, self._settings = False, {}
        self._proxy = _SortFilterProxyModel(self)
        self.activated.connect(self._chosen)

    def _setTypes(self, types: list[str]) -> None:
        self._types = list(types)

    def _setNone(self, enabled: bool) -> None:
        self._none = enabled

    nodeTypes = QtCore.Property("QStringList", lambda self: self._types, _setTypes)
    noneEnabled = QtCore.Property(bool, lambda self: self._none, _setNone)
    addEnabled = QtCore.Property(bool, lambda self: True, lambda self, value: None)
    removeEnabled = QtCore.Property(bool, lambda self: True, lambda self, value: None)
    renameEnabled = QtCore.Property(bool, lambda self: True, lambda self, value: None)
    showChildNodeTypes = QtCore.Property(bool, lambda self: True, lambda self, value: None)
    baseName = QtCore.Property(str, lambda self: "", lambda self, value: None)

    def setMRMLScene(self, scene: Any) -> None:
        if self._scene is not None:
            for tag in self._tags:
                self._scene.RemoveObserver(tag)
        self._scene = scene
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent)
        self._tags = [scene.AddObserver(event, self._follow) for event in events]
        self._refill()

    def _follow(self, _caller: Any, _event: str) -> None:
        if shiboken6.isValid(self):  # else its panel is closed
            self._refill()

    def currentNode(self) -> Any:
        return self._scene.GetNodeByID(self._id) if self._scene and self._id else None

    def setCurrentNode(self, node: Any) -> None:
        chosen = node.GetID() if hasattr(node, "GetID") else (node or "")
        if chosen != self._id:
            self._id = chosen
            self._refill()
            self.currentNodeChanged.emit(self.currentNode())

    def sortFilterProxyModel(self) -> Any:
        return self._proxy

    def _refill(self) -> None:
        """List the nodes anew; in place of a node that is gone the next one is chosen."""
        self.clear()
        if self._none:
            self.addItem("None", "")
        seen = set()
        for kind in self._types:
            for node in slicer.util.getNodesByClass(kind):
                listed = node.GetClassName() in self._types
                listed = listed and node.GetID() not in self._proxy.hiddenNodeIDs
                if listed and not node.GetHideFromEditors() and node.GetID() not in seen:
                    seen.add(node.GetID())
                    self.addItem(node.GetName(), node.GetID())
        wanted = self._id
        if self._id and self._scene.GetNodeByID(self._id) is None:
            wanted = self.itemData(self.count - 1) or ""
        self.setCurrentIndex(max(0, self.findData(wanted)))
        if wanted != self._id:
            self._id = wanted
            self.currentNodeChanged.emit(self.currentNode())

    def _chosen(self, index: int) -> None:
        self.setCurrentNode(self.itemData(index))


class _EffectButton(with_manners(QtWidgets.QToolButton)):
    pass


_VIEW_EVENTS = (
    "LeftButtonPressEvent",
    "LeftButtonReleaseEvent",
    "LeftButtonDoubleClickEvent",
    "RightButtonPressEvent",
    "RightButtonReleaseEvent",
    "MouseMoveEvent",
    "KeyPressEvent",
)

# The options of Paint in Slicer 5.13, which shows them beside the effects' buttons: with them, a
# panel is at least 538 pixels wide.
_PAINT_OPTIONS = (380, 150)


def _frame(parent: Any, kind: type, name: str) -> Any:
    made = with_manners(kind)(parent)
    made.setObjectName(name)
    return made


class qMRMLSegmentEditorWidget(Widget):
    """Slicer's segment editor logic with effect buttons; ``stroke`` paints as a mouse would."""

    currentSegmentIDChanged = QtCore.Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._node, self._scene, self._effect, self._order = None, None, "", []
        self._scripted: Any = None  # the active effect, if it is one of an extension's
        self._draw = DrawEffect(self)
        self._observed: list[tuple[Any, str, int]] = []
        self._follows = False
        slicer.app.layoutManager().layoutChanged.connect(self._onLayout)
        self._shown = {}
        layout = QtWidgets.QHBoxLayout(self)
        effects = _frame(self, QtWidgets.QFrame, "EffectsGroupBox")
        effects.setFrameShape(QtWidgets.QFrame.StyledPanel)
        self._grid = QtWidgets.QGridLayout(effects)
        layout.addWidget(effects)
        self._options = _frame(self, QtWidgets.QGroupBox, "OptionsGroupBox")
        self._options.setMinimumSize(*_PAINT_OPTIONS)
        self._options.hide()
        right = QtWidgets.QVBoxLayout()
        frame = Widget(self)
        QtWidgets.QVBoxLayout(frame).addWidget(_frame(frame, QtWidgets.QFrame, "SegmentsTableView"))
        right.addWidget(frame)
        right.addWidget(self._options)
        layout.addLayout(right)
        self._columns, self._none = 2, self._button(effects, "None", "")
        self._buttons = {
            name: self._button(effects, name, name)
            for name in ("Paint", "Draw", "Erase", "Threshold", "Scissors")
        }
        self.updateEffectList()

    def _button(self, parent: Any, text: str, effect: str) -> Any:
        button = _EffectButton(parent)
        button.setText(text)
        button.setIcon(self.style().standardIcon(QtWidgets.QStyle.SP_FileIcon))
        button.setCheckable(True)
        button.clicked.connect(lambda checked=False: self.setActiveEffectByName(effect))
        return button

    def _setColumns(self, count: int) -> None:
        self._columns = count
        self.updateEffectList()

    def _setStyle(self, style: Any) -> None:
        for button in [self._none, *self._buttons.values()]:
            button.setToolButtonStyle(QtCore.Qt.ToolButtonStyle(style))

    effectButtonStyle = QtCore.Property(int, lambda self: 0, _setStyle)
    effectColumnCount = QtCore.Property(int, lambda self: self._columns, _setColumns)

    def _flag(name: str) -> Any:
        return QtCore.Property(
            bool,
            lambda self: self._shown.get(name, True),
            lambda self, value: self._set(name, value),
        )

    segmentationNodeSelectorVisible = _flag("segmentation")
    sourceVolumeNodeSelectorVisible = _flag("source")
    maskingSectionVisible = _flag("masking")
    specifyGeometryButtonVisible = _flag("geometry")
    show3DButtonVisible = _flag("3d")
    addRemoveSegmentButtonsVisible = _flag("add")
    switchToSegmentationsButtonVisible = _flag("switch")
    undoEnabled = _flag("undo")
    unorderedEffectsVisible = _flag("unordered")
    readOnly = _flag("readOnly")
    maximumNumberOfUndoStates = QtCore.Property(int, lambda self: 0, lambda self, value: None)

    def _set(self, name: str, value: bool) -> None:
        self._shown[name] = value
        self.updateEffectList()

    def setEffectNameOrder(self, names: list[str]) -> None:
        if self._node is None:
            logging.error("Invalid segment editor parameter set node")
        self._order = list(names)
        self._set("order", True)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self._logic.SetMRMLScene(scene)

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._node = node
        self._logic.SetSegmentEditorNode(node)

    def mrmlSegmentEditorNode(self) -> Any:
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        self._logic.SetSegmentationNode(node)

    def segmentationNode(self) -> Any:
        return self._logic.GetSegmentationNode()

    def setSourceVolumeNode(self, node: Any) -> None:
        self._logic.SetSourceVolumeNode(node)

    def sourceVolumeNode(self) -> Any:
        return self._logic.GetSourceVolumeNode()

    def setCurrentSegmentID(self, segmentId: str) -> None:
        if segmentId != self.currentSegmentID():
            self._logic.SetCurrentSegmentID(segmentId)
            self.currentSegmentIDChanged.emit(segmentId)

    def currentSegmentID(self) -> str:
        return self._node.GetSelectedSegmentID() or "" if self._node else ""

    def setActiveEffectByName(self, name: str) -> None:
        if self._scripted is not None:
            self._scripted.self().deactivate()
            self._scripted.self().cleanup()
        self._effect = name
        self._scripted = ScriptedEffect.made(name, self._node, self._logic)
        self._options.setVisible(bool(name))
        if self._node is not None:
            self._node.SetActiveEffectName(name)
        for effect, button in self._buttons.items():
            button.setChecked(effect == name)

    def setActiveEffect(self, effect: Any) -> None:
        self.setActiveEffectByName(effect or "")

    def activeEffect(self) -> Any:
        return self._scripted or (self._draw if self._effect == "Draw" else self._effect or None)

    def effectByName(self, name: str) -> Any:
        return self._draw if name == "Draw" else None

    def updateEffectList(self) -> None:
        """Lay the effects' buttons out in rows."""
        unordered = self._shown.get("unordered", True)
        listed = [name for name in self._buttons if name in self._order or unordered]
        for name, button in self._buttons.items():
            button.setVisible(name in listed)
        for place, button in enumerate([self._none, *map(self._buttons.get, listed)]):
            self._grid.addWidget(button, *divmod(place, self._columns))

    def setupViewObservations(self) -> None:
        """Hand the events of the slice views to Draw while it is active."""
        self.removeViewObservations()
        self._follows = True
        layout = slicer.app.layoutManager()
        for view in map(layout.sliceWidget, layout.sliceViewNames()):
            interactor = view.sliceView().interactor()
            for event in _VIEW_EVENTS:
                tag = interactor.AddObserver(
                    event,
                    lambda caller, event, view=view: self._onViewEvent(caller, event, view),
                    1.0,
                )
                self._observed.append((interactor, event, tag))

    def removeViewObservations(self) -> None:
        for interactor, _event, tag in self._observed:
            interactor.RemoveObserver(tag)
        self._observed, self._follows = [], False

    def _onLayout(self, _number: int) -> None:
        if self._follows:
            self.setupViewObservations()

    def _onViewEvent(self, interactor: Any, event: str, view: Any) -> None:
        if self._effect == "Draw" and self._draw.processInteractionEvents(interactor, event, view):
            for observed, observedEvent, tag in self._observed:
                if observed is interactor and observedEvent == event:
                    interactor.GetCommand(tag).SetAbortFlag(1)

    def stroke(self, box: Any) -> None:
        """Apply the active effect to a box (k, j, i) of the source volume's voxels."""
        assert self._effect in ("Paint", "Draw", "Erase"), "no effect is active"

        def fill(labelmap: Any) -> None:
            voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars())
            voxels.reshape(labelmap.GetDimensions()[::-1])[box] = 1

        self.modify(fill)

    def modify(self, fill: Any) -> None:
        """Change the current segment by a labelmap that ``fill`` fills."""
        logic = self._logic
        logic.ResetModifierLabelmapToDefault()
        labelmap = logic.GetModifierLabelmap()
        fill(labelmap)
        labelmap.Modified()
        erase = self._effect == "Erase"
        mode = logic.ModificationModeRemove if erase else logic.ModificationModeAdd
        logic.ModifySegmentByLabelmap(
            self.segmentationNode(), self.currentSegmentID(), labelmap, mode, True, False
        )


class ctkSliderWidget(with_manners(QtWidgets.QDoubleSpinBox)):
    """A number; drawn as a spin box."""


class ctkDirectoryButton(with_manners(QtWidgets.QPushButton)):
    """A button with a folder."""

    directoryChanged = QtCore.Signal(str)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._directory = ""

    def _setDirectory(self, path: str) -> None:
        self._directory = path
        self.setText(path)
        self.directoryChanged.emit(path)

    directory = QtCore.Property(str, lambda self: self._directory, _setDirectory)


CUSTOM = {
    kind.__name__: kind
    for kind in (
        qMRMLWidget,
        qMRMLNodeComboBox,
        qMRMLSegmentEditorWidget,
        ctkCollapsibleButton,
        ctkSliderWidget,
        ctkDirectoryButton,
    )
}
