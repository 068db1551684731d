"""The networks, by name and preset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from DeepIGeoSLib.errors import InputError

if TYPE_CHECKING:
    from torch import nn

# "any-structure" refines without a class, see ``any_structure``.
ANY_STRUCTURE = "any-structure"
ROLES = ("pnet", "rnet", ANY_STRUCTURE)
PRESETS = ("paper", "recommended")

# How many numbers say how wide a network is.
FEATURES = {"paper": 1, "recommended": 4}

# R-Net's channels beside the image: initial segmentation, background map, foreground map.
RNET_EXTRA_CHANNELS = 3

# What the network for any structure sees, see ``any_structure.channels``.
ANY_STRUCTURE_CHANNELS = 6


def input_channels(name: str, image_channels: int) -> int:
    """Return how many channels the network of a role takes for images of so many channels."""
    if name == ANY_STRUCTURE:
        return ANY_STRUCTURE_CHANNELS
    return image_channels + (RNET_EXTRA_CHANNELS if name == "rnet" else 0)


def build_network(
    name: str,
    *,
    dimension: int = 3,
    preset: str = "recommended",
    image_channels: int = 1,
    classes: int = 2,
    features: Sequence[int] | None = None,
) -> nn.Module:
    """Return an untrained network.

    Args:
        name: "pnet" (image channels in) or "rnet" (image channels, initial segmentation,
            background distance map, foreground distance map in, in this order), or
            "any-structure" (see ``any_structure.channels``).
        dimension: 2 or 3.
        preset: "paper" (Fig. 3 of the paper, exactly) or "recommended" (``MultiScaleNet``).
        image_channels: number of image channels.
        classes: number of output classes.
        features: width. One number for "paper" (64 in 2D and 16 in 3D when None), four for
            "recommended", one for each scale.

    Returns:
        A module from (B, channels, [D,] H, W) to logits (B, classes, [D,] H, W).

    Raises:
        InputError: an unknown name, dimension or preset, or features that don't fit it.
    """
    if name not in ROLES:
        raise InputError(f"There is no network {name!r}; choose one of {list(ROLES)}.")
    if dimension not in (2, 3):
        raise InputError(f"The dimension is {dimension!r}; 2 or 3 is expected.")
    if preset not in PRESETS:
        raise InputError(f"There is no preset {preset!r}; choose one of {list(PRESETS)}.")
    if features is not None and len(features) != FEATURES[preset]:
        raise InputError(
            f"features is {list(features)}; the preset {preset} needs {FEATURES[preset]} number(s)."
        )
    channels = input_channels(name, image_channels)
    if preset == "paper":
        from DeepIGeoSLib.networks.pnet import PNet2d, PNet3d

        width = {} if features is None else {"features": features[0]}
        return (PNet2d if dimension == 2 else PNet3d)(channels, classes, **width)
    from DeepIGeoSLib.networks.multiscale import MultiScaleNet

    widths = {} if features is None else {"features": features}
    return MultiScaleNet(channels, classes, dimension, **widths)
