"""The architectures that networks can have, and the options of each.

A further architecture is a class of options here (or in a module of its own, free of torch) and an
entry in ``ARCHITECTURES``; bundles, training, engines and the command line know it from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks.deeplab_options import DeepLabOptions
from DeepIGeoSLib.networks.mask_rcnn.options import MaskRcnnOptions
from DeepIGeoSLib.networks.roles import input_channels
from DeepIGeoSLib.networks.unet_options import UNetOptions
from DeepIGeoSLib.networks.unet_transfer_options import TransferUNetOptions
from DeepIGeoSLib.networks.widths import check_widths
from DeepIGeoSLib.settings import from_mapping, to_mapping

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork


class ArchitectureOptions(Protocol):
    """The options of an architecture: a frozen dataclass.

    Attributes:
        since: the first version of DeepIGeoS that knows the architecture.
        summary: one line that helps users to choose.
    """

    since: ClassVar[str]
    summary: ClassVar[str]

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""


@dataclass(frozen=True)
class MultiScaleOptions:
    """Four scales, from half the resolution down (``MultiScaleNet``): the usual choice.

    Attributes:
        features: width of each scale, the finest one first.
    """

    since: ClassVar[str] = "0.1.0"
    summary: ClassVar[str] = "four scales: the usual choice for volumes, and fast"

    features: tuple[int, int, int, int] = (24, 48, 72, 96)

    def __post_init__(self) -> None:
        """Check the widths."""
        check_widths("features", self.features)

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""
        from DeepIGeoSLib.networks.multiscale import MultiScaleNet

        return MultiScaleNet(in_channels, classes, dimension=dimension, features=self.features)


@dataclass(frozen=True)
class DilatedOptions:
    """Dilated convolutions at full resolution: the network of the paper (Fig. 3), exactly.

    Attributes:
        features: width of its layers; 64 in 2D and 16 in 3D, as published, when null.
    """

    since: ClassVar[str] = "0.1.0"
    summary: ClassVar[str] = "the network of the DeepIGeoS paper: full resolution, to compare with"

    features: int | None = None

    def __post_init__(self) -> None:
        """Check the width."""
        if self.features is not None:
            check_widths("features", [self.features])

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""
        from DeepIGeoSLib.networks.dilated import DilatedNet2d, DilatedNet3d

        network = DilatedNet2d if dimension == 2 else DilatedNet3d
        if self.features is None:
            return network(in_channels, classes)
        return network(in_channels, classes, features=self.features)


ARCHITECTURES: dict[str, type[ArchitectureOptions]] = {
    "multi-scale": MultiScaleOptions,
    "dilated": DilatedOptions,
    "unet": UNetOptions,
    "unet-transfer": TransferUNetOptions,
    "deeplabv3plus": DeepLabOptions,
    "mask-rcnn": MaskRcnnOptions,
}


@dataclass(frozen=True)
class NetworkSettings:
    """Which network.

    Attributes:
        architecture: "multi-scale" (four scales, the usual choice), "dilated" (the network of the
            paper, Fig. 3), "unet" (U-Net), "unet-transfer" (U-Net around an encoder that may have
            been trained elsewhere), "deeplabv3plus" (DeepLabV3+) or "mask-rcnn" (objects, each
            for itself).
        dimension: 3, or 2 for a network that sees each slice alone.
        options: of the architecture; those that are left out have their defaults. "multi-scale":
            features, the widths of its four scales; "dilated": features, one width, null for the
            published one; of the others see Docs/networks.md.
    """

    architecture: str = "multi-scale"
    dimension: Literal[2, 3] = 3
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in the defaults of the options.

        Raises:
            InputError: there is no such architecture or dimension, or the options are not its own.
        """
        if self.dimension not in (2, 3):
            raise InputError(f"The dimension is {self.dimension!r}; 2 or 3 is expected.")
        if self.architecture not in ARCHITECTURES:
            raise InputError(
                f"There is no architecture {self.architecture!r}; choose one of "
                f"{list(ARCHITECTURES)}."
            )
        object.__setattr__(self, "options", to_mapping(self._options()))

    @property
    def since(self) -> str:
        """The first version of DeepIGeoS that knows the network."""
        return ARCHITECTURES[self.architecture].since

    def build(self, role: str, image_channels: int = 1, classes: int = 2) -> SegmentationNetwork:
        """Return the untrained network of a role, see ``build_network``."""
        channels = input_channels(role, image_channels)
        return self._options().build(self.dimension, channels, classes)

    def _options(self) -> ArchitectureOptions:
        where = f"options of {self.architecture}"
        return from_mapping(ARCHITECTURES[self.architecture], self.options, where)


def build_network(
    architecture: str,
    role: str,
    *,
    dimension: Literal[2, 3] = 3,
    image_channels: int = 1,
    classes: int = 2,
    options: Mapping[str, Any] | None = None,
) -> SegmentationNetwork:
    """Return an untrained network.

    Args:
        architecture: of ``ARCHITECTURES``.
        role: of ``ROLES``; it decides what the network is shown, see ``roles.input_channels``.
        dimension: 2 or 3.
        image_channels: number of image channels.
        classes: number of output classes, the background among them.
        options: of the architecture; those that are left out have their defaults.

    Returns:
        A module from (B, channels, [D,] H, W) to logits (B, classes, [D,] H, W).

    Raises:
        InputError: an unknown architecture, role or dimension, or options that don't fit.
    """
    settings = NetworkSettings(architecture, dimension, dict(options or {}))
    return settings.build(role, image_channels, classes)
