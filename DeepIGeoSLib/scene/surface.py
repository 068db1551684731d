"""The surface of the target in the 3D views, computed beside the work.

A model node of its own shows it. Slicer's closed surface representation would be made anew within
each write of the segment, and keep a stroke waiting.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from DeepIGeoSLib.scene.segment_volume import segmentVoxels

_ATTRIBUTE = "DeepIGeoS.Surface"

# Slicer's own smoothing of closed surfaces at its default factor of 0.5.
_ITERATIONS, _PASS_BAND = 40, 0.01


def closedSurface(mask: np.ndarray, toWorld: np.ndarray) -> Any:
    """Return the smoothed, closed surface of a mask; VTK lets go of Python's lock meanwhile.

    Args:
        mask: bool, axes (k, j, i); not empty.
        toWorld: 4 x 4, from voxels (i, j, k) to mm.

    Returns:
        A vtkPolyData in mm whose normals point outwards.
    """
    padded = np.pad(mask.astype(np.uint8), 1)  # closed at the border of the grid, too
    image = vtk.vtkImageData()
    image.SetDimensions(*padded.shape[::-1])
    image.SetOrigin(-1, -1, -1)
    image.GetPointData().SetScalars(numpy_to_vtk(padded.ravel(), deep=True))
    contour = vtk.vtkFlyingEdges3D()
    contour.SetInputData(image)
    contour.SetValue(0, 0.5)
    contour.ComputeNormalsOff()
    contour.ComputeGradientsOff()
    contour.ComputeScalarsOff()
    transform = vtk.vtkTransform()
    transform.SetMatrix(slicer.util.vtkMatrixFromArray(toWorld))
    moved = vtk.vtkTransformPolyDataFilter()
    moved.SetInputConnection(contour.GetOutputPort())
    moved.SetTransform(transform)
    smooth = vtk.vtkWindowedSincPolyDataFilter()
    smooth.SetInputConnection(moved.GetOutputPort())
    smooth.SetNumberOfIterations(_ITERATIONS)
    smooth.SetPassBand(_PASS_BAND)
    smooth.BoundarySmoothingOff()
    smooth.FeatureEdgeSmoothingOff()
    smooth.NonManifoldSmoothingOn()
    smooth.NormalizeCoordinatesOn()
    last = smooth
    if np.linalg.det(toWorld[:3, :3]) < 0:
        last = vtk.vtkReverseSense()  # a left-handed grid turned the triangles inside out
        last.SetInputConnection(smooth.GetOutputPort())
    normals = vtk.vtkPolyDataNormals()
    normals.SetInputConnection(last.GetOutputPort())
    normals.SplittingOff()
    normals.ConsistencyOff()
    normals.Update()
    return normals.GetOutput()


class TargetSurface:
    """Keeps a model of the target up to date while it is wished.

    Every method is called on the thread that owns the scene, and none waits: a timer calls
    ``poll``, and what has become old meanwhile is computed anew and never shown.
    """

    def __init__(self, executor: Executor) -> None:
        """Begin without a target; ``executor`` is not the one that answers strokes."""
        self._executor = executor
        self._target: tuple[Any, str] | None = None
        self._shown: tuple[Any, ...] | None = None
        self._running: tuple[tuple[Any, ...], Future] | None = None

    def follow(self, segmentationNode: Any, segmentId: str) -> None:
        """Show the surface of this segment from now on, as it is; of none if the node is None."""
        self._target = (segmentationNode, segmentId) if segmentationNode and segmentId else None
        self.poll()

    def poll(self) -> None:
        """Show what is done, and begin anew where the segment has changed since."""
        if self._running is not None and not self._running[1].done():
            return
        state, voxels = self._state()
        if self._running is not None:
            (computed, future), self._running = self._running, None
            if computed == state and self._target is not None:
                self._show(future.result(), *self._target)
                self._shown = state
        if state == self._shown:
            return
        if state is None or voxels is None:
            self._hide(state)
            return
        mask, toWorld = voxels.copied()
        if not mask.any():
            self._hide(state)
            return
        future = self._executor.submit(closedSurface, mask, toWorld)
        self._running = (state, future)
        if future.done():
            self.poll()

    def _state(self) -> tuple[tuple[Any, ...] | None, Any]:
        """Return what the surface depends on, and the voxels; both None without a target."""
        if self._target is None:
            return None, None
        node, segmentId = self._target
        voxels = segmentVoxels(node, segmentId)
        if voxels is None:
            return None, None
        color = node.GetSegmentation().GetSegment(segmentId).GetColor()
        transform = node.GetTransformNodeID()
        return (node.GetID(), segmentId, voxels.changed, voxels.value, color, transform), voxels

    def _show(self, surface: Any, node: Any, segmentId: str) -> None:
        model = surfaceNode() or _madeModel()
        model.SetName(node.GetSegmentation().GetSegment(segmentId).GetName())
        model.SetAndObserveTransformNodeID(node.GetTransformNodeID())
        model.SetAndObservePolyData(surface)
        model.GetDisplayNode().SetColor(*node.GetSegmentation().GetSegment(segmentId).GetColor())
        model.GetDisplayNode().SetVisibility(True)

    def _hide(self, state: tuple[Any, ...] | None) -> None:
        model = surfaceNode()
        if model is not None:
            model.GetDisplayNode().SetVisibility(False)
        self._shown = state


def surfaceNode() -> Any:
    """Return the model node that shows the surface, or None before there was one."""
    for node in slicer.util.getNodesByClass("vtkMRMLModelNode"):
        if node.GetAttribute(_ATTRIBUTE):
            return node
    return None


def _madeModel() -> Any:
    node = slicer.vtkMRMLModelNode()
    node.SetAttribute(_ATTRIBUTE, "1")
    node.SetSaveWithScene(False)  # the segment is saved; a copy of it would grow old
    node = slicer.mrmlScene.AddNode(node)
    node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().SetSaveWithScene(False)
    return node
