"""What networks are for: the role decides what a network is shown, whatever its architecture."""

from __future__ import annotations

from DeepIGeoSLib.errors import InputError

# The proposal and the refinement network, by the names of the paper; "any-structure" refines
# without a class, see ``any_structure``; "instances" finds objects, see ``networks.mask_rcnn``.
ANY_STRUCTURE = "any-structure"
INSTANCES = "instances"
ROLES = ("pnet", "rnet", ANY_STRUCTURE, INSTANCES)

# R-Net's channels beside the image: initial segmentation, background map, foreground map.
_RNET_EXTRA_CHANNELS = 3

# What the network for any structure sees, see ``any_structure.channels``.
_ANY_STRUCTURE_CHANNELS = 7


def input_channels(role: str, image_channels: int) -> int:
    """Return how many channels the network of a role takes for images of so many channels.

    Args:
        role: "pnet" (sees the image channels), "rnet" (image channels, initial segmentation,
            background distance map, foreground distance map, in this order), "any-structure" (see
            ``any_structure.channels``) or "instances" (sees the image channels).
        image_channels: number of image channels.

    Raises:
        InputError: there is no such role.
    """
    if role not in ROLES:
        raise InputError(f"There is no role {role!r} of a network; choose one of {list(ROLES)}.")
    if role == ANY_STRUCTURE:
        return _ANY_STRUCTURE_CHANNELS
    return image_channels + (_RNET_EXTRA_CHANNELS if role == "rnet" else 0)
