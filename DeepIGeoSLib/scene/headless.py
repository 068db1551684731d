"""Slicer's scene and logics in plain Python, on the ``slicer-core`` package.

Inside the real application nothing of this is needed or allowed: ``slicer.mrmlScene`` and
``slicer.modules`` are there already.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from DeepIGeoSLib.errors import DeepIGeoSError


@dataclass
class HeadlessSlicer:
    """What keeps the scene alive; the objects would be destroyed with their last reference.

    Attributes:
        scene: the MRML scene, also ``slicer.mrmlScene``.
        applicationLogic: knows the logics of all modules.
    """

    scene: Any
    applicationLogic: Any
    _messages: Any = field(repr=False)
    _logics: list[Any] = field(repr=False)
    _cacheFolder: Any = field(repr=False)

    def messages(self) -> str:
        """Return what VTK has reported so far instead of printing it."""
        return self._messages.GetOutput()


_running: HeadlessSlicer | None = None


def startSlicer() -> HeadlessSlicer:
    """Make a scene and the logics of Volumes and Segmentations, and publish them in ``slicer``.

    Afterwards ``slicer.mrmlScene``, ``slicer.modules.volumes``, ``slicer.modules.segmentations``
    and the functions of ``slicer.util`` that need no window work as in the application. VTK's
    messages are kept instead of printed. A second call returns what the first one made.

    Raises:
        DeepIGeoSError: ``slicer-core`` is not installed, or this is the Slicer application.
    """
    global _running
    if _running is not None:
        return _running
    try:
        import slicer
        import vtk
    except ModuleNotFoundError as error:
        raise DeepIGeoSError(
            f"The Python package {error.name} is missing: install slicer-core (for example with "
            "pip install deepigeos[slicer]) to use MRML scenes outside of Slicer."
        ) from error
    if hasattr(slicer, "app") or hasattr(slicer, "mrmlScene"):
        raise DeepIGeoSError(
            "A Slicer is running in this process already: use its slicer.mrmlScene instead of "
            "starting a second one."
        )
    messages = _keepVtkMessages(vtk)
    scene = slicer.vtkMRMLScene()
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    _addColors(scene, applicationLogic)
    volumesLogic = _moduleLogic(slicer.vtkSlicerVolumesLogic(), "Volumes", scene, applicationLogic)
    segmentationsLogic = _moduleLogic(
        slicer.vtkSlicerSegmentationsModuleLogic(), "Segmentations", scene, applicationLogic
    )
    publishSlicer(
        scene,
        applicationLogic,
        volumesLogic=volumesLogic,
        segmentationsLogic=segmentationsLogic,
    )
    cacheFolder = tempfile.TemporaryDirectory(prefix="deepigeos-mrb-")
    readers = _bundleReaders(scene, applicationLogic, cacheFolder.name)
    _running = HeadlessSlicer(
        scene, applicationLogic, messages, [volumesLogic, segmentationsLogic, *readers], cacheFolder
    )
    return _running


def publishSlicer(
    scene: Any, applicationLogic: Any, *, volumesLogic: Any, segmentationsLogic: Any
) -> None:
    """Put a scene and its logics where code for Slicer looks for them.

    For hosts that bring their own scene, such as a web application.

    Args:
        scene: becomes ``slicer.mrmlScene``.
        applicationLogic: returned by ``slicer.app.applicationLogic()``.
        volumesLogic: returned by ``slicer.modules.volumes.logic()``.
        segmentationsLogic: returned by ``slicer.modules.segmentations.logic()``.
    """
    import slicer

    from DeepIGeoSLib.scene.headless_files import HeadlessFiles

    files = HeadlessFiles(scene, volumesLogic, segmentationsLogic)
    slicer.mrmlScene = scene
    slicer.modules = SimpleNamespace(
        volumes=SimpleNamespace(logic=lambda: volumesLogic),
        segmentations=SimpleNamespace(logic=lambda: segmentationsLogic),
    )
    slicer.app = SimpleNamespace(
        applicationLogic=lambda: applicationLogic,
        coreIOManager=lambda: files,
        ioManager=lambda: files,
    )


def showVtkErrorsOnly() -> None:
    """Let VTK write errors to the terminal, each once, and no warnings.

    For hosts that run for long, in which kept messages would fill the memory.
    """
    import vtk

    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_ERROR)
    vtk.vtkOutputWindow.GetInstance().SetDisplayModeToNever()  # it would write them once more


def _keepVtkMessages(vtk: Any) -> Any:
    """Collect VTK's messages in memory: a failed read alone prints pages of them."""
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    messages = vtk.vtkStringOutputWindow()
    vtk.vtkOutputWindow.SetInstance(messages)
    return messages


def _addColors(scene: Any, applicationLogic: Any) -> None:
    colorLogic = applicationLogic.GetColorLogic()
    colorLogic.SetMRMLScene(scene)
    colorLogic.AddDefaultColorNodes()
    # Without this registration each new label volume reports a missing Colors module.
    applicationLogic.SetModuleLogic("Colors", colorLogic)


def _moduleLogic(logic: Any, name: str, scene: Any, applicationLogic: Any) -> Any:
    logic.SetMRMLScene(scene)
    logic.SetMRMLApplicationLogic(applicationLogic)
    applicationLogic.SetModuleLogic(name, logic)
    return logic


def _bundleReaders(scene: Any, applicationLogic: Any, cacheFolder: str) -> list[Any]:
    """Return the logics that reading an .mrb file needs: it asks for a cache folder."""
    import slicer

    remote, data = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
    for logic in (remote, data):
        logic.SetMRMLScene(scene)
        logic.SetMRMLApplicationLogic(applicationLogic)
    remote.GetCacheManager().SetRemoteCacheDirectory(cacheFolder)
    data.SetAndObserveDataIOManager(remote.GetDataIOManager())
    remote.AddDataIOToScene()
    return [remote, data]
