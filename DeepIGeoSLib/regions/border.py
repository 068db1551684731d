"""The last step of an answer: the border moves to the nearest edge of the image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.geodesic import geodesic_distance
from DeepIGeoSLib.regions.intensities import without_noise

# Millimeters, or pixels, that the whole range of intensities counts as.
_PIXELS = np.float32(100)


def moved_to_edges(
    intensities: np.ndarray, inside: np.ndarray, spacing: Sequence[float], *, band: Sequence[int]
) -> np.ndarray:
    """Return a region whose border lies at an edge of the image, where there is one near it.

    The rule of Bai and Sapiro, "Geodesic matting" (IJCV 82(2), 2009), in a band along the border:
    each voxel of it joins the side that it is nearer to; distances count lengths and intensities.
    Without an edge the border stays where it is, and a corner is as near as anything else inside.

    Args:
        intensities: float32 from 0 to 1, axes (k, j, i).
        inside: bool, the region, the same shape.
        spacing: of the voxels, in pixels.
        band: voxels along each axis by which the border may move.

    Returns:
        float32 probability; ``inside`` itself where the band leaves nothing of it.
    """
    size = [2 * voxels + 1 for voxels in band]
    surely = ndimage.minimum_filter(inside.view(np.uint8), size) > 0
    surely_not = ndimage.maximum_filter(inside.view(np.uint8), size) == 0
    if not surely.any() or not surely_not.any():
        return inside.astype(np.float32)
    smooth = without_noise(intensities) * _PIXELS
    to_inside, to_outside = (
        geodesic_distance(smooth, sure, spacing, weight=0.5) for sure in (surely, surely_not)
    )
    return to_outside / (to_inside + to_outside)
