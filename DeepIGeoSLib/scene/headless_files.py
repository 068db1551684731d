"""Reading and writing files without the application: what ``slicer.util`` asks its I/O manager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import vtk

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.formats.reading import check_image, ending_of

_TYPE_OF_ENDING = {
    ".mrb": "SceneFile",
    ".mrml": "SceneFile",
    ".seg.nrrd": "SegmentationFile",
    ".seg.nhdr": "SegmentationFile",
}


class HeadlessFiles:
    """Stands in for ``slicer.app.coreIOManager()``; method names and arguments are Slicer's.

    Knows volumes, segmentations and scenes. A failure is answered by False, as Slicer does;
    ``slicer.util`` makes a RuntimeError of it.
    """

    def __init__(self, scene: Any, volumesLogic: Any, segmentationsLogic: Any) -> None:
        """Take the scene that files are read into, and the logics that read them."""
        self._scene = scene
        self._volumesLogic = volumesLogic
        self._segmentationsLogic = segmentationsLogic

    def fileType(self, fileName: str | Path) -> str:
        """Return which reader a file wants, by its ending."""
        name = str(fileName).lower()
        for ending, kind in _TYPE_OF_ENDING.items():
            if name.endswith(ending):
                return kind
        return "VolumeFile"

    def fileWriterFileType(self, node: Any, _fileName: str | None = None) -> str:
        """Return which writer a node wants."""
        return "SegmentationFile" if node.IsA("vtkMRMLSegmentationNode") else "VolumeFile"

    def loadNodes(
        self, fileType: str, properties: dict[str, Any], loadedNodes: Any, _messages: Any = None
    ) -> bool:
        """Read a file into the scene, append its node to ``loadedNodes`` and say if it worked."""
        fileName = str(properties["fileName"])
        if not Path(fileName).is_file() or not _isWhole(fileName):
            return False
        if fileType == "SceneFile":
            return self._loadScene(fileName, bool(properties.get("clear")))
        node = (
            self._segmentationsLogic.LoadSegmentationFromFile(fileName, True)
            if fileType == "SegmentationFile"
            else self._loadVolume(fileName, properties)
        )
        if node is None:
            return False
        if properties.get("name"):
            node.SetName(properties["name"])
        loadedNodes.AddItem(node)
        return True

    def saveNodes(self, fileType: str, properties: dict[str, Any], _messages: Any = None) -> bool:
        """Write the node ``properties["nodeID"]``, or the scene, and say if it worked."""
        fileName = str(properties["fileName"])
        if fileType == "SceneFile":
            self._scene.SetURL(fileName)
            if fileName.lower().endswith(".mrb"):
                return bool(self._scene.WriteToMRB(fileName))
            return bool(self._scene.Commit())
        node = self._scene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(fileName)
        return bool(storage.WriteData(node))

    def _loadScene(self, fileName: str, clear: bool) -> bool:
        if fileName.lower().endswith(".mrb"):
            return bool(self._scene.ReadFromMRB(fileName, clear))
        self._scene.SetURL(fileName)
        return bool(self._scene.Connect() if clear else self._scene.Import())

    def _loadVolume(self, fileName: str, properties: dict[str, Any]) -> Any:
        name = properties.get("name") or Path(fileName).name.split(".")[0]
        asLabelmap = 1 if properties.get("labelmap") else 0
        return self._volumesLogic.AddArchetypeVolume(fileName, name, asLabelmap)


def _isWhole(fileName: str) -> bool:
    """Whether an image holds what its header promises; Slicer's readers don't look at that."""
    if ending_of(Path(fileName), [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]) is None:
        return True
    try:
        check_image(Path(fileName))
    except InputError as error:
        vtk.vtkOutputWindow.GetInstance().DisplayErrorText(f"{error}\n")
        return False
    return True
