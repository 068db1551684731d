"""Slicer's "Grow from seeds" on arrays, for comparison; it needs no scene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

_FOREGROUND, _BACKGROUND = 1, 2


def growFromSeeds(
    image: np.ndarray,
    foreground: np.ndarray,
    background: np.ndarray,
    *,
    spacing: Sequence[float],
    seedLocality: float = 0.0,
) -> np.ndarray:
    """Return the foreground that Slicer's grow-cut finds.

    Args:
        image: intensities, axes (k, j, i).
        foreground: bool seeds, the same shape.
        background: the same.
        spacing: mm along (k, j, i).
        seedLocality: intensity difference that a mm of path counts as; the effect's own setting,
            0 unless the user moves its slider.

    Returns:
        bool, the same shape.
    """
    # The filter does not look at neighbors of the outermost voxels: seeds there would not grow.
    padded = np.pad(np.asarray(image, dtype=np.float32), 1, mode="edge")
    seeds = np.zeros(image.shape, dtype=np.uint8)
    seeds[background] = _BACKGROUND
    seeds[foreground] = _FOREGROUND
    growCut = slicer.vtkImageGrowCutSegment()
    growCut.SetIntensityVolume(_imageOf(padded, spacing))
    growCut.SetSeedLabelVolume(_imageOf(np.pad(seeds, 1), spacing))
    growCut.SetDistancePenalty(seedLocality)
    growCut.Update()
    labels = vtk_to_numpy(growCut.GetOutput().GetPointData().GetScalars()).reshape(padded.shape)
    return labels[1:-1, 1:-1, 1:-1] == _FOREGROUND


def _imageOf(array: np.ndarray, spacing: Sequence[float]) -> Any:
    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.SetSpacing(*spacing[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(array.ravel(), deep=True))
    return image
