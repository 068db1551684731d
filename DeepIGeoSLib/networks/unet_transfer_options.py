"""The options of U-Net around an encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks.encoder_names import EncoderName
from DeepIGeoSLib.networks.widths import check_levels, check_share, check_widths

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork

_SCALES = 5


@dataclass(frozen=True)
class TransferUNetOptions:
    """U-Net around an encoder, which may begin with weights from elsewhere (``start``).

    Attributes:
        encoder: "efficientnet-lite0" (ImageNet weights come in a package), "resnet18", "resnet34",
            "vgg16", or "plain" (two convolutions a scale).
        features: widths of the scales of "plain", the finest first; others have their own.
        decoder: widths of the decoder at 1, 1/2, 1/4, 1/8 and 1/16 of the resolution.
        dropout: share of the coarsest features that is dropped in training.
    """

    since: ClassVar[str] = "0.2.0"
    summary: ClassVar[str] = "U-Net around an encoder that knows photographs: a handful of cases"

    encoder: EncoderName = "efficientnet-lite0"
    features: tuple[int, ...] = (24, 48, 96, 192)
    decoder: tuple[int, ...] = (16, 24, 32, 64, 96)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_levels("features", self.features, most=4)
        check_widths("decoder", self.decoder)
        if len(self.decoder) != _SCALES:
            raise InputError(
                f"decoder names {len(self.decoder)} width(s); {_SCALES} are expected, the finest "
                "scale first."
            )
        check_share("dropout", self.dropout)

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""
        from DeepIGeoSLib.networks.encoder import build_encoder
        from DeepIGeoSLib.networks.unet_transfer import TransferUNet

        encoder = build_encoder(self.encoder, in_channels, features=self.features)
        return TransferUNet(
            in_channels,
            classes,
            dimension,
            encoder=encoder,
            decoder=self.decoder,
            dropout=self.dropout,
        )
