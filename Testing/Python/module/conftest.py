"""The scripted module outside of Slicer: a real scene, and small stand-ins for Slicer's Qt side.

The stand-ins do what the module relies on and no more: panels are parsed from the real .ui file,
but nothing is drawn.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
MODULE_FILE = ROOT / "DeepIGeoS" / "DeepIGeoS.py"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


class Widget:
    """A widget of the panel: plain attributes, and signals that a test can send."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.enabled = True
        self.items: list[tuple[str, Any]] = []
        self.currentIndex = -1
        self._slots: dict[str, list[Callable]] = {}

    def connect(self, signal: str, slot: Callable) -> bool:
        self._slots.setdefault(signal, []).append(slot)
        return True

    def send(self, signal: str, *arguments: Any) -> None:
        for slot in self._slots[signal]:
            slot(*arguments)

    def click(self) -> None:
        assert self.enabled, f"{self.name} is disabled"
        self.send("clicked(bool)", False)

    def choose(self, text: str) -> None:
        self.currentIndex = [item[0] for item in self.items].index(text)
        self.send("activated(int)", self.currentIndex)

    def addItem(self, text: str, data: Any = None) -> None:
        self.items.append((text, data))
        self.currentIndex = max(self.currentIndex, 0)

    def addItems(self, texts: list[str]) -> None:
        for text in texts:
            self.addItem(text)

    def clear(self) -> None:
        self.items, self.currentIndex = [], -1

    def itemData(self, index: int) -> Any:
        return self.items[index][1]

    def findData(self, data: Any) -> int:
        return next((n for n, item in enumerate(self.items) if item[1] == data), -1)

    @property
    def currentText(self) -> str:
        return self.items[self.currentIndex][0] if self.items else ""

    @currentText.setter
    def currentText(self, text: str) -> None:
        texts = [item[0] for item in self.items]
        if text in texts:
            self.currentIndex = texts.index(text)

    def addWidget(self, widget: Any) -> None:
        self.text = widget.name

    def setMRMLScene(self, scene: Any) -> None:
        self.scene = scene

    def repaint(self) -> None:
        self.painted = self.text


def panel_of(path: str) -> Widget:
    """Return the top widget that a .ui file declares, with all others as its attributes."""
    names = [widget.get("name") for widget in ElementTree.parse(path).iter("widget")]
    assert len(set(names)) == len(names)
    panel = Widget(names[0])
    for name in names[1:]:
        setattr(panel, name, Widget(name))
    return panel


def parameterNodeWrapper(wrapped: type) -> type:
    """Keep strings as parameters and nodes as references of a vtkMRMLScriptedModuleNode."""

    def parameter(name: str, default: str) -> property:
        return property(
            lambda self: self.node.GetParameter(name) or default,
            lambda self, value: self.node.SetParameter(name, value),
        )

    def reference(name: str) -> property:
        return property(
            lambda self: self.node.GetNodeReference(name),
            lambda self, value: self.node.SetNodeReferenceID(name, value and value.GetID()),
        )

    members: dict[str, Any] = {
        name: parameter(name, getattr(wrapped, name, "")) if kind is str else reference(name)
        for name, kind in wrapped.__annotations__.items()
    }
    members.update(
        __init__=lambda self, node: setattr(self, "node", node),
        __getattr__=lambda self, name: getattr(self.node, name),
        connectGui=lambda self, ui: 1,
        disconnectGui=lambda self, tag: None,
    )
    return type(wrapped.__name__, (), members)


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        self.parent = parent or SimpleNamespace(isEntered=True)
        self.layout = Widget("layout")

    def setup(self) -> None:
        self.developerMode = False

    def resourcePath(self, name: str) -> str:
        return str(MODULE_FILE.parent / "Resources" / name)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        import slicer

        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    pass


def stub(name: str, **members: Any) -> ModuleType:
    """Return a module with these members."""
    module = ModuleType(name)
    module.__dict__.update(members)
    return module


@pytest.fixture
def module(running_slicer: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module file, executed as Slicer does, with stand-ins for what slicer-core lacks."""
    import slicer

    @contextmanager
    def tryWithErrorDisplay(message: str, **options: bool) -> Iterator[None]:
        yield

    running_slicer.scene.Clear(0)
    stubs = {
        "slicer.i18n": stub("slicer.i18n", tr=str, translate=lambda context, text: text),
        "slicer.parameterNodeWrapper": stub(
            "slicer.parameterNodeWrapper", parameterNodeWrapper=parameterNodeWrapper
        ),
        "slicer.ScriptedLoadableModule": stub(
            "slicer.ScriptedLoadableModule",
            ScriptedLoadableModule=ScriptedLoadableModule,
            ScriptedLoadableModuleWidget=ScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic=ScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest=ScriptedLoadableModuleTest,
        ),
    }
    for name, made in stubs.items():
        monkeypatch.setitem(sys.modules, name, made)
    monkeypatch.setattr(slicer.util, "loadUI", panel_of)
    monkeypatch.setattr(slicer.util, "childWidgetVariables", lambda panel: panel)
    monkeypatch.setattr(slicer.util, "tryWithErrorDisplay", tryWithErrorDisplay)
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: True, raising=False)

    specification = importlib.util.spec_from_file_location("DeepIGeoS", MODULE_FILE)
    loaded = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "DeepIGeoS", loaded)
    specification.loader.exec_module(loaded)
    yield loaded
    running_slicer.scene.Clear(0)
