"""A real MRML scene in plain Python, and things to put into it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from math import cos, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for heads.py

SHAPE = (10, 28, 32)  # (k, j, i)
LESION = (slice(4, 7), slice(8, 16), slice(10, 20))
RIM = (slice(4, 7), slice(16, 18), slice(10, 20))


def _rotation() -> np.ndarray:
    about_x = np.array([[1, 0, 0], [0, cos(0.3), -sin(0.3)], [0, sin(0.3), cos(0.3)]])
    about_z = np.array([[cos(0.4), -sin(0.4), 0], [sin(0.4), cos(0.4), 0], [0, 0, 1]])
    return about_z @ about_x


def _matrix(axes: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = axes * np.array(spacing)
    matrix[:3, 3] = (11.0, -23.0, 47.5)
    return matrix


GEOMETRIES = {
    "aligned": _matrix(np.eye(3), (1, 1, 3)),
    "as NIfTI in LPS": _matrix(np.diag([-1.0, -1.0, 1.0]), (1, 1, 3)),
    "left-handed": _matrix(np.diag([-1.0, 1.0, 1.0]), (0.9, 0.9, 3)),
    "all flipped": _matrix(np.diag([-1.0, -1.0, -1.0]), (1, 1.1, 3)),
    "sagittal": _matrix(np.array([[0, 0, 1.0], [1, 0, 0], [0, 1, 0]]), (0.9, 1, 3.3)),
    "oblique": _matrix(_rotation(), (0.9, 1.1, 3)),
    "oblique and left-handed": _matrix(_rotation() @ np.diag([1.0, -1.0, 1.0]), (0.9, 1.1, 3)),
}


@pytest.fixture
def scene(running_slicer: Any) -> Iterator[Any]:
    """An empty scene."""
    running_slicer.scene.Clear(0)
    yield running_slicer.scene
    running_slicer.scene.Clear(0)


def head_voxels() -> np.ndarray:
    """Air, a noisy head, and in it a bright lesion whose lower rim is only faintly bright."""
    voxels = np.zeros(SHAPE, dtype=np.int16)
    head = (slice(1, 9), slice(2, 26), slice(2, 30))
    noise = np.random.default_rng(7).normal(100, 4, SHAPE)
    voxels[head] = noise[head]
    voxels[LESION] = 160
    voxels[RIM] = 110
    return voxels


@pytest.fixture(params=["aligned"])
def volume_node(scene: Any, request: pytest.FixtureRequest) -> Any:
    """A head with a lesion, in the geometry that a test names by indirect parametrization."""
    import slicer

    return slicer.util.addVolumeFromArray(
        head_voxels(), ijkToRAS=GEOMETRIES[request.param], name="flair"
    )


@pytest.fixture
def segmentation_node(scene: Any, volume_node: Any, other_mask: np.ndarray) -> Any:
    """A segmentation with the empty segments tumor, foreground and background, and a filled one."""
    import slicer

    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segmentation")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)
    for segment_id in ("tumor", "foreground", "background", "other"):
        node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        other_mask.astype(np.uint8), node, "other", volume_node
    )
    return node


def _filled(*boxes: tuple[slice, slice, slice]) -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    for box in boxes:
        mask[box] = True
    return mask


@pytest.fixture(scope="session")
def lesion() -> np.ndarray:
    """Where the head is bright: what the tiny bundle's P-Net finds."""
    return _filled(LESION)


@pytest.fixture(scope="session")
def rim() -> np.ndarray:
    """The faint rim of the lesion, which P-Net misses."""
    return _filled(RIM)


@pytest.fixture(scope="session")
def other_mask() -> np.ndarray:
    """What the segment "other" holds; it overlaps the lesion."""
    return _filled((slice(3, 6), slice(4, 12), slice(6, 14)))


@pytest.fixture
def logic(tiny_bundle: Path, running_slicer: Any) -> Any:
    """A SegmentationLogic with the tiny bundle."""
    from DeepIGeoSLib.scene import SegmentationLogic

    return SegmentationLogic(tiny_bundle)


class Editor:
    """Slicer's own segment editor logic, painting as the Paint effect does."""

    def __init__(self, scene: Any, segmentation_node: Any, volume_node: Any) -> None:
        import slicer

        self.node = scene.AddNewNodeByClass("vtkMRMLSegmentEditorNode", "editor")
        self.node.SetOverwriteMode(self.node.OverwriteNone)
        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(scene)
        self.logic.SetSegmentEditorNode(self.node)
        history = slicer.vtkSegmentationHistory()
        history.SetSegmentation(segmentation_node.GetSegmentation())
        self.logic.SetSegmentationHistory(history)
        self.logic.SetSegmentationNode(segmentation_node)
        self.logic.SetSourceVolumeNode(volume_node)
        self.logic.SetMaximumNumberOfUndoStates(10)
        self.segmentation_node = segmentation_node

    def paint(self, segment_id: str, box: tuple[slice, slice, slice], erase: bool = False) -> None:
        """Add the voxels of a box (k, j, i) to a segment, or take them away."""
        from vtk.util.numpy_support import vtk_to_numpy

        self.logic.SetCurrentSegmentID(segment_id)
        self.logic.SaveStateForUndo()
        self.logic.ResetModifierLabelmapToDefault()
        labelmap = self.logic.GetModifierLabelmap()
        scalars = labelmap.GetPointData().GetScalars()
        vtk_to_numpy(scalars).reshape(labelmap.GetDimensions()[::-1])[box] = 1
        labelmap.Modified()
        mode = self.logic.ModificationModeRemove if erase else self.logic.ModificationModeAdd
        self.logic.ModifySegmentByLabelmap(
            self.segmentation_node, segment_id, labelmap, mode, True, False
        )


@pytest.fixture
def editor(scene: Any, segmentation_node: Any, volume_node: Any) -> Editor:
    """A segment editor on the segmentation, with undo."""
    return Editor(scene, segmentation_node, volume_node)
