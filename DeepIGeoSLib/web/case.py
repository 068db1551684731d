"""The volume that is worked on: read from a file, put into the scene, and taken out again."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from DeepIGeoSLib.dicom import is_dicom
from DeepIGeoSLib.dicom.headers import series_description
from DeepIGeoSLib.volume import Volume

_PERCENTILES = (0.1, 99.9)


@dataclass(frozen=True)
class ReadCase:
    """A volume that was read and is not in the scene yet.

    Attributes:
        volume: voxels and geometry.
        path: the file or folder it came from.
        title: what the page calls it.
        fingerprint: of voxels and geometry, by which an autosave finds its volume again.
        window: the intensities shown as black and as white.
        is_dicom: whether it was read from DICOM.
    """

    volume: Volume
    path: Path
    title: str
    fingerprint: str
    window: tuple[float, float]
    is_dicom: bool


def read_case(path: Path, title: str = "") -> ReadCase:
    """Read a volume; any thread may do it.

    Args:
        path: an image, or a DICOM file or folder.
        title: what the page calls it; when empty, how DICOM describes the series, or the name of
            the file.

    Raises:
        InputError: see ``Volume.read``.
    """
    volume = Volume.read(path)
    digest = sha256(np.ascontiguousarray(volume.array).data)
    digest.update(np.round(volume.ijk_to_ras, 4).tobytes())
    low, high = (float(value) for value in np.percentile(volume.array, _PERCENTILES))
    window = (low, high if high > low else low + 1.0)
    dicom = is_dicom(path)
    name = title or (series_description(path) if dicom else "") or path.name
    return ReadCase(volume, path, name, digest.hexdigest(), window, dicom)


def add_to_scene(case: ReadCase) -> Any:
    """Add a volume to the scene; return its node."""
    node = slicer.util.addVolumeFromArray(
        case.volume.array, ijkToRAS=case.volume.ijk_to_ras, name=case.title
    )
    node.CreateDefaultDisplayNodes()
    show_window(node, *case.window)
    return node


def show_window(volume_node: Any, low: float, high: float) -> None:
    """Show intensities from black (low) to white (high)."""
    display = volume_node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(low, max(high, low + 1e-6))


def clear_scene() -> None:
    """Take volumes, segmentations and surfaces out of the scene; views and colors stay."""
    for kind in ("vtkMRMLSegmentationNode", "vtkMRMLScalarVolumeNode"):
        for node in slicer.util.getNodesByClass(kind):
            slicer.mrmlScene.RemoveNode(node)
