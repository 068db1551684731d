"""The networks, by architecture and role. Nothing here imports torch before a network is built."""

from __future__ import annotations

from DeepIGeoSLib.networks.architectures import ARCHITECTURES, NetworkSettings, build_network
from DeepIGeoSLib.networks.roles import ANY_STRUCTURE, INSTANCES, ROLES, input_channels

__all__ = [
    "ANY_STRUCTURE",
    "ARCHITECTURES",
    "INSTANCES",
    "ROLES",
    "NetworkSettings",
    "build_network",
    "input_channels",
]
