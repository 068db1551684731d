"""Where to look next: the places at which a segmentation is least sure.

Wang et al., "Uncertainty-guided efficient interactive refinement of fetal brain segmentation from
stacks of MRI slices" (MICCAI 2020), rank slices by their uncertainty; here it is places.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import bounding_box, three

# A probability this close to 0 or 1 (0.3 bits of entropy) needs no look.
_SURE = 0.05


def uncertain_places(
    probability: np.ndarray,
    spacing: Sequence[float],
    *,
    count: int = 5,
    diameter: float = 10.0,
) -> list[tuple[int, int, int]]:
    """Return voxels around which the most uncertainty is gathered, the worst first.

    The surface of every lesion is a little uncertain everywhere. A place where much of it comes
    together, such as a blurred end or a piece that may or may not belong, stands out.

    Args:
        probability: of the target, float32, axes (k, j, i).
        spacing: mm along (k, j, i).
        count: at most so many places.
        diameter: mm; uncertainty is summed over a box of this size, and two places are at least
            that far apart.

    Returns:
        Voxels (k, j, i) that are uncertain themselves.
    """
    unsure = (probability > _SURE) & (probability < 1 - _SURE)
    box = bounding_box(unsure)
    if box is None:
        return []
    unsure = unsure[box]
    p = np.where(unsure, probability[box], 0.5)
    entropy = np.where(unsure, -(p * np.log2(p) + (1 - p) * np.log2(1 - p)), 0)
    size = [max(1, round(diameter / s)) for s in spacing]
    gathered = ndimage.uniform_filter(entropy, size, mode="constant")
    gathered[~unsure] = 0
    found = []
    while len(found) < count and gathered.max() > 0:
        place = np.unravel_index(np.argmax(gathered), gathered.shape)
        near = tuple(slice(max(0, at - n), at + n + 1) for at, n in zip(place, size, strict=True))
        gathered[near] = 0
        found.append(three(int(at + part.start) for at, part in zip(place, box, strict=True)))
    return found
