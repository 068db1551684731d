"""The connected parts of a mask as objects: what there is without a network that knows objects."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from DeepIGeoSLib.grid.boxes import three
from DeepIGeoSLib.instances.result import Instance, Instances


def components(probability: np.ndarray, least_voxels: int = 1) -> Instances:
    """Return the connected parts of where a probability is at least 0.5.

    Voxels that share a face, an edge or a corner are connected. The score of a part is its mean
    probability.

    Args:
        probability: axes (k, j, i).
        least_voxels: smaller parts are left out.
    """
    labels, _ = ndimage.label(probability >= 0.5, structure=np.ones((3, 3, 3)))
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        mask = labels[box] == number
        if np.count_nonzero(mask) >= least_voxels:
            score = float(probability[box][mask].mean())
            found.append(Instance("", score, three(box), mask))
    return Instances(three(probability.shape), tuple(sorted(found, key=lambda one: -one.score)))
