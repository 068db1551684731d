"""The options of DeepLabV3+."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks.encoder_names import EncoderName
from DeepIGeoSLib.networks.widths import check_levels, check_widths

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork

# At an output stride of 16; at 8 they are twice as large.
_RATES = (6, 12, 18)


@dataclass(frozen=True)
class DeepLabOptions:
    """DeepLabV3+ (Chen et al., ECCV 2018): for pictures in which much context decides.

    Attributes:
        encoder: "efficientnet-lite0" (ImageNet weights come in a package), "resnet18", "resnet34",
            "vgg16", or "plain" (two convolutions a scale).
        output_stride: by how much the encoder's last features are coarser than the image.
        rates: dilations of the pyramid; 6, 12, 18 at the output stride 16 and twice that at 8 when
            null.
        width: of pyramid and decoder.
        low_width: to which the features at stride 4 are reduced.
        features: widths of the scales of "plain", at strides 2, 4, 8 and 16; others have their own.
    """

    since: ClassVar[str] = "0.2.0"
    summary: ClassVar[str] = "DeepLabV3+: the surroundings tell what something is"

    encoder: EncoderName = "efficientnet-lite0"
    output_stride: Literal[8, 16] = 16
    rates: tuple[int, ...] | None = None
    width: int = 256
    low_width: int = 48
    features: tuple[int, ...] = (32, 64, 128, 256)

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_levels("features", self.features, fewest=4, most=4)
        check_widths("width", [self.width])
        check_widths("low_width", [self.low_width])
        if self.rates is not None and not all(1 <= rate <= 64 for rate in self.rates):
            raise InputError(f"rates is {list(self.rates)}; dilations from 1 to 64 are expected.")
        if self.rates is not None and not 1 <= len(self.rates) <= 8:
            raise InputError(f"rates names {len(self.rates)} dilations; 1 to 8 are expected.")

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""
        from DeepIGeoSLib.networks.deeplab import DeepLabV3Plus
        from DeepIGeoSLib.networks.encoder import build_encoder

        encoder = build_encoder(
            self.encoder, in_channels, output_stride=self.output_stride, features=self.features
        )
        return DeepLabV3Plus(
            in_channels,
            classes,
            dimension,
            encoder=encoder,
            rates=self.rates or tuple(rate * 16 // self.output_stride for rate in _RATES),
            width=self.width,
            low_width=self.low_width,
        )
