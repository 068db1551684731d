"""The names of the encoders, free of torch."""

from __future__ import annotations

from typing import Literal

EncoderName = Literal["efficientnet-lite0", "resnet18", "resnet34", "vgg16", "plain"]

# Module of each encoder in ``DeepIGeoSLib.networks``.
ENCODER_MODULES: dict[str, str] = {
    "efficientnet-lite0": "encoder_efficientnet",
    "resnet18": "encoder_resnet",
    "resnet34": "encoder_resnet",
    "vgg16": "encoder_vgg",
    "plain": "encoder_plain",
}

# The coarsest stride of each.
ENCODER_STRIDES: dict[str, int] = {
    "efficientnet-lite0": 32,
    "resnet18": 32,
    "resnet34": 32,
    "vgg16": 16,
    "plain": 16,
}
