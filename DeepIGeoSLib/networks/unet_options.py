"""The options of U-Net."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks.widths import check_levels, check_share

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork

# By variant and dimension.
_FEATURES = {
    ("recommended", 2): (24, 48, 96, 192, 256),
    ("recommended", 3): (16, 32, 64, 128, 160),
    ("paper", 2): (64, 128, 256, 512, 1024),
    ("paper", 3): (64, 128, 256, 512),
}


@dataclass(frozen=True)
class UNetOptions:
    """U-Net (Ronneberger et al., MICCAI 2015; in 3D Cicek et al., MICCAI 2016).

    Attributes:
        variant: "recommended" (the input's size is kept, strides in the place of pooling, batch
            normalization: the layers of nnU-Net) or "paper" (convolutions without padding, 572 to
            388 pixels, as published).
        features: width of each level, the finest first; null for 24, 48, 96, 192, 256 (recommended,
            2D), 16, 32, 64, 128, 160 (recommended, 3D), or the published ones.
        flat_levels: "recommended" in 3D: so many of the finest levels see each slice alone, because
            clinical slices are thick; 0 for voxels that are as thick as wide.
        dropout: share of the features that is dropped at the end of the contracting path.
    """

    since: ClassVar[str] = "0.2.0"
    summary: ClassVar[str] = "U-Net: thin structures, and objects that touch"

    variant: Literal["recommended", "paper"] = "recommended"
    features: tuple[int, ...] | None = None
    flat_levels: int = 2
    dropout: float = 0.5

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.features is not None:
            check_levels("features", self.features)
        if self.flat_levels < 0:
            raise InputError(f"flat_levels is {self.flat_levels}; 0 or more are expected.")
        check_share("dropout", self.dropout)

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""
        features = self.features or _FEATURES[self.variant, dimension]
        if self.variant == "paper":
            from DeepIGeoSLib.networks.unet_paper import PaperUNet2d, PaperUNet3d

            network = PaperUNet2d if dimension == 2 else PaperUNet3d
            return network(in_channels, classes, features=features, dropout=self.dropout)
        from DeepIGeoSLib.networks.unet import UNet

        return UNet(
            in_channels,
            classes,
            dimension,
            features=features,
            flat_levels=self.flat_levels,
            dropout=self.dropout,
        )
