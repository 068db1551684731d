"""What Slicer's application offers beside the scene: base classes, settings, messages, registries.

``install`` puts all of it where ``import slicer``, ``import qt`` and ``import ctk`` find it.
"""

from __future__ import annotations

import importlib.util
import sys
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from PySide6 import QtWidgets

from . import effects, event_loop, layout, loader, parameter_node, python_qt, widgets


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__

    def resourcePath(self, name: str) -> str:
        return str(Path(self.parent.path).parent / "Resources" / name)


class ScriptedLoadableModuleWidget:
    """Without a parent, makes one and calls ``setup``, as Slicer's own class does."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = False
        self.parent = parent or self._made()
        self.layout = QtWidgets.QWidget.layout(self.parent)
        if parent is None:
            self.setup()

    def _made(self) -> Any:
        parent = widgets.qMRMLWidget()
        python_qt.KEPT.append(parent)
        QtWidgets.QVBoxLayout(parent)
        return parent

    def setup(self) -> None:
        pass

    def resourcePath(self, name: str) -> str:
        module = sys.modules[type(self).__module__]
        return str(Path(module.__file__).parent / "Resources" / name)

    def onReload(self) -> None:
        import slicer

        slicer.util.reloadScriptedModule(self.moduleName)


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
            node.SetAttribute("ModuleName", self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    def delayDisplay(self, message: str, **_: Any) -> None:
        pass


class Desktop:
    """What the application has been asked for, and what it shall answer.

    Attributes:
        questions: texts of the dialogs that asked something.
        answer: what the user says to them.
        settings: what QSettings would keep.
        started: slots of ``startupCompleted()``.
        samples: registered sample data.
        layout: the layout manager.
        widgets: the opened modules' widgets, by the module's name.
        home: the folder where Slicer is installed.
        installed: what pip was asked to install.
    """

    def __init__(self, settingsFile: Path) -> None:
        self.questions: list[str] = []
        self.answer = True
        self.testing = True
        self.started: list[Callable] = []
        self.samples: list[dict[str, Any]] = []
        self.installed: list[Any] = []
        self.effects: list[Any] = []
        self.settingsFile = settingsFile
        self.mainWindow = None
        self.layout = layout.LayoutManager()
        python_qt.KEPT.append(self.layout)
        self.widgets: dict[str, Any] = {}
        self.home = settingsFile.parent / "Slicer"

    def start(self) -> None:
        """Tell everybody that the application has started."""
        for slot in self.started:
            slot()


def _stub(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(members)
    return module


def install(patch: Any, settingsFile: Path) -> Desktop:
    """Make this process look like the desktop application until ``patch`` is undone."""
    import slicer

    python_qt.application()
    desktop = Desktop(settingsFile)
    qt = python_qt.QtModule("qt")
    qt.QSettings = lambda: _settings(desktop)
    ctk = _stub("ctk", **{k: v for k, v in widgets.CUSTOM.items() if k.startswith("ctk")})
    modules = {
        "qt": qt,
        "ctk": ctk,
        "slicer.i18n": _stub("slicer.i18n", tr=str, translate=lambda context, text: text),
        "slicer.parameterNodeWrapper": _stub(
            "slicer.parameterNodeWrapper",
            parameterNodeWrapper=parameter_node.parameterNodeWrapper,
        ),
        "slicer.ScriptedLoadableModule": _stub(
            "slicer.ScriptedLoadableModule",
            ScriptedLoadableModule=ScriptedLoadableModule,
            ScriptedLoadableModuleWidget=ScriptedLoadableModuleWidget,
            ScriptedLoadableModuleLogic=ScriptedLoadableModuleLogic,
            ScriptedLoadableModuleTest=ScriptedLoadableModuleTest,
        ),
        "SegmentEditorEffects": _stub(
            "SegmentEditorEffects",
            AbstractScriptedSegmentEditorEffect=effects.AbstractScriptedSegmentEditorEffect,
        ),
        "qSlicerSegmentationsEditorEffectsPythonQt": _stub(
            "qSlicerSegmentationsEditorEffectsPythonQt",
            qSlicerSegmentEditorScriptedEffect=effects.ScriptedEffect,
        ),
        "SampleData": _stub("SampleData", SampleDataLogic=_sample_logic(desktop)),
    }
    patch.setattr(effects.ScriptedEffect, "registered", desktop.effects)
    patch.delitem(sys.modules, "SegmentEditorDeepIGeoSLib", raising=False)
    modes = SimpleNamespace(
        ModificationModeSet=slicer.vtkSlicerSegmentEditorLogic.ModificationModeSet
    )
    patch.setattr(slicer, "qSlicerSegmentEditorAbstractEffect", modes, raising=False)
    for name, module in modules.items():
        patch.setitem(sys.modules, name, module)
    for name, kind in widgets.CUSTOM.items():
        if name.startswith("qMRML"):
            patch.setattr(slicer, name, kind, raising=False)
    for name, value in _application(desktop).items():
        patch.setattr(slicer.app, name, value, raising=False)
    for name, value in _util(desktop).items():
        patch.setattr(slicer.util, name, value, raising=False)
    return desktop


def _reload(desktop: Desktop, name: str) -> None:
    """Load a module's file anew and replace its widget, without telling it that it is entered."""
    path = Path(sys.modules[name].__file__)
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    old = desktop.widgets[name]
    old.cleanup()
    desktop.widgets[name] = getattr(module, f"{name}Widget")(old.parent)
    desktop.widgets[name].setup()


def _settings(desktop: Desktop) -> Any:
    from PySide6 import QtCore

    return QtCore.QSettings(str(desktop.settingsFile), QtCore.QSettings.IniFormat)


def _sample_logic(desktop: Desktop) -> Any:
    def registerCustomSampleDataSource(  # with the arguments of every released Slicer
        category: str = "Custom",
        sampleName: Any = None,
        uris: Any = None,
        fileNames: Any = None,
        nodeNames: Any = None,
        customDownloader: Any = None,
        thumbnailFileName: Any = None,
        loadFileType: Any = None,
        loadFiles: Any = None,
        loadFileProperties: Any = None,
        checksums: Any = None,
    ) -> None:
        desktop.samples.append(dict(locals()))

    return SimpleNamespace(registerCustomSampleDataSource=registerCustomSampleDataSource)


def _application(desktop: Desktop) -> dict[str, Any]:
    def connect(signal: str, slot: Callable) -> bool:
        assert signal == "startupCompleted()"
        desktop.started.append(slot)
        return True

    return {
        "connect": connect,
        "testingEnabled": lambda: desktop.testing,
        "layoutManager": lambda: desktop.layout,
        "processEvents": event_loop.process_events,
        "slicerUserSettingsFilePath": str(desktop.settingsFile),
        "slicerHome": str(desktop.home),
    }


def _util(desktop: Desktop) -> dict[str, Any]:
    @contextmanager
    def tryWithErrorDisplay(message: str, **_: bool) -> Iterator[None]:
        yield

    def ask(text: str, *_: Any, **__: Any) -> bool:
        desktop.questions.append(text)
        return desktop.answer

    return {
        "loadUI": loader.load_ui,
        "childWidgetVariables": loader.child_widgets,
        "tryWithErrorDisplay": tryWithErrorDisplay,
        "confirmOkCancelDisplay": ask,
        "pip_install": desktop.installed.append,
        "mainWindow": lambda: desktop.mainWindow,
        "modulePath": lambda name: sys.modules[name].__file__,
        "reloadScriptedModule": lambda name: _reload(desktop, name),
    }
