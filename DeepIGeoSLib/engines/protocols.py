"""What engines take and what they are, for whoever makes another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

import numpy as np

from DeepIGeoSLib.inputs.channels import Channels

if TYPE_CHECKING:
    from DeepIGeoSLib.bundles import BundleManifest
    from DeepIGeoSLib.crf.crfnet import CRFNet
    from DeepIGeoSLib.networks.network import SegmentationNetwork


class Engine(Protocol):
    """Whatever answers as a network does."""

    def probabilities(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the probability of each class but the background.

        Args:
            channels: input with axes (channel, k, j, i), of any size.
            cancel: stops the work when it is set.

        Returns:
            float32 in [0, 1], axes (class, k, j, i).

        Raises:
            Cancelled: ``cancel`` was set.
        """

    def foreground_probability(
        self, channels: Channels, cancel: threading.Event | None = None
    ) -> np.ndarray:
        """Return the probability of the first class after the background; axes (k, j, i)."""

    def prepare(self, shape: tuple[int, int, int, int]) -> None:
        """Get ready, in the background, for input of a size (channel, k, j, i)."""


class NetworkSource(Protocol):
    """Where engines get networks: a bundle, or what stands in for one."""

    @property
    def manifest(self) -> BundleManifest:
        """How the networks are to be used."""

    @property
    def has_networks(self) -> bool:
        """Whether there are networks; else seeds alone answer."""

    def network(self, role: str) -> SegmentationNetwork:
        """Return the network of a role, see ``networks.ROLES``.

        Raises:
            BundleError: there is none.
        """

    def crf(self, role: str) -> CRFNet:
        """Return the CRF-Net that follows the network of a role.

        Raises:
            BundleError: there is none.
        """

    def quantized(self, role: str) -> tuple[bytes, bytes]:
        """Return OpenVINO's description and numbers of the 8-bit network of a role.

        Raises:
            BundleError: there is none.
        """
