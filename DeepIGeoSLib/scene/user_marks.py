"""Boxes and points that users place with Slicer's Markups; the nodes stay theirs."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.grid.boxes import Box, three
from DeepIGeoSLib.interaction.clicks import Place, ball_around
from DeepIGeoSLib.scene.nodes import ijkToRasOf, shapeOf
from DeepIGeoSLib.scene.places import showBox
from DeepIGeoSLib.scene.region_node import isRegion
from DeepIGeoSLib.scene.stroke import fromWorld
from DeepIGeoSLib.scene.translation import tr as _


def visibleBox() -> Any:
    """Return the newest ROI node that is to be seen and not the region of influence, or None."""
    return _newestVisible("vtkMRMLMarkupsROINode")


def addBox(volumeNode: Any) -> Any:
    """Add a ROI node in the middle of a volume, turned as it is, for the user to move."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", _("Box around the target"))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetFillVisibility(False)
    display.SetHandlesInteractive(True)
    middle = three(
        slice(size // 4, max(size // 4 + 1, size * 3 // 4)) for size in shapeOf(volumeNode)
    )
    showBox(node, volumeNode, middle)
    return node


def clickedPlaces(volumeNode: Any) -> list[Place]:
    """Return the voxels (k, j, i) at the points of the newest visible list of points.

    Raises:
        InputError: there is none, or a point lies beside the volume.
    """
    node = _newestVisible("vtkMRMLMarkupsFiducialNode")
    count = 0 if node is None else node.GetNumberOfControlPoints()
    if count == 0:
        raise InputError(
            _("No points are to be seen: place them with the Markups module, then press Points.")
        )
    positions = [node.GetNthControlPointPositionWorld(number) for number in range(count)]
    ijk = np.linalg.inv(ijkToRasOf(volumeNode)) @ fromWorld(volumeNode, positions)
    places = np.rint(ijk[2::-1].T).astype(int)
    shape = shapeOf(volumeNode)
    if not ((places >= 0) & (places < shape)).all():
        raise InputError(
            _("A point of {points!r} lies beside the volume {volume!r}.").format(
                points=node.GetName(), volume=volumeNode.GetName()
            )
        )
    return [three(int(index) for index in place) for place in places]


def voxelsOfClick(volumeNode: Any, place: Place) -> tuple[Box, np.ndarray]:
    """Return what a click paints: a box of the volume, and bool voxels of it."""
    spacing = np.linalg.norm(ijkToRasOf(volumeNode)[:3, :3], axis=0)[::-1]
    return ball_around(place, shapeOf(volumeNode), spacing=tuple(spacing))


def _newestVisible(className: str) -> Any:
    shown = [
        node
        for node in slicer.util.getNodesByClass(className)
        if not isRegion(node) and node.GetDisplayNode() and node.GetDisplayNode().GetVisibility()
    ]
    return shown[-1] if shown else None
