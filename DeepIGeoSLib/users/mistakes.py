"""Where a segmentation is wrong, and the strokes by which users say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import Box, absolute_box, bounding_box


@dataclass(frozen=True)
class Stroke:
    """Voxels that a user labels in one go.

    Attributes:
        label: "foreground" where the segmentation misses something, "background" where it has too
            much.
        mask: bool, axes (k, j, i).
    """

    label: Literal["foreground", "background"]
    mask: np.ndarray


@dataclass(frozen=True)
class ErrorRegion:
    """A connected region that is labeled wrongly, cut out of the volume.

    Attributes:
        label: what its voxels should be.
        box: where it lies.
        mask: bool, the box's shape.
        voxels: its size.
    """

    label: Literal["foreground", "background"]
    box: Box
    mask: np.ndarray
    voxels: int


def error_regions(labels: np.ndarray, truth: np.ndarray) -> list[ErrorRegion]:
    """Return the face-connected regions where two bool arrays differ, the largest first."""
    regions = []
    for label, wrong in (("foreground", truth & ~labels), ("background", labels & ~truth)):
        box = bounding_box(wrong)
        if box is None:
            continue
        numbered, _ = ndimage.label(wrong[box])
        sizes = np.bincount(numbered.ravel())
        for number, inner in enumerate(ndimage.find_objects(numbered), start=1):
            outer = absolute_box(box, inner)
            mask = numbered[inner] == number
            regions.append(ErrorRegion(label, outer, mask, int(sizes[number])))
    return sorted(regions, key=lambda region: -region.voxels)
