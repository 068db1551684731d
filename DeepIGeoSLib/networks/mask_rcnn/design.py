"""What a Mask R-CNN is made of; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.networks.encoder_names import EncoderName

_WIDEST = 4096
_MOST_KINDS = 255


@dataclass(frozen=True)
class MaskRcnnDesign:
    """Mask R-CNN: finds objects, and draws each one for itself.

    Attributes:
        backbone: what finds the features: "residual", a small residual network, or an encoder that
            may begin with weights from elsewhere: "efficientnet-lite0", "resnet18", "resnet34",
            "vgg16" (at twice the resolution of the others), or "plain" (two convolutions a scale).
            In 3D, encoders see slices.
        features: width of the backbone at each of its scales, from half the resolution down; each
            scale but the first is a level on which objects are looked for. Encoders but "plain"
            have their own.
        pyramid: width of the levels.
        anchors: size (working voxels) of the objects that each level looks for, finest level first.
        ratios: height by width of the anchors.
        depth: in 3D, slices of an anchor as a share of its size in plane.
        flat: in 3D, how many of the first halvings keep all slices, for thick ones.
        kinds: names of the classes of objects; one class without a name when empty.
        masks: draw objects; without, the network is Faster R-CNN and an object is its box.
        mask_classes: "sigmoid" draws each class for itself, as published; "softmax" lets the
            classes and the background compete for each pixel.
        pooling: "align" reads features between voxels, as published; "pool" rounds boxes to voxels
            and takes the largest values (Faster R-CNN's way), for comparison.
        hidden: width of the two layers that tell the class and the box.
        score: least score of an object that is shown.
        overlap: largest overlap (IoU) of the boxes of two objects; of two that overlap more, the
            one with the lower score goes.
        most: objects in an image at most.
    """

    backbone: Literal["residual", EncoderName] = "residual"
    features: tuple[int, int, int, int, int] = (16, 32, 64, 96, 128)
    pyramid: int = 48
    anchors: tuple[int, int, int, int] = (12, 24, 48, 96)
    ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    depth: float = 1.0
    flat: int = 0
    kinds: tuple[str, ...] = ()
    masks: bool = True
    mask_classes: Literal["sigmoid", "softmax"] = "sigmoid"
    pooling: Literal["align", "pool"] = "align"
    hidden: int = 192
    score: float = 0.5
    overlap: float = 0.5
    most: int = 1000

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            InputError: one makes no network, or more than any memory holds.
        """
        widths = [*self.features, self.pyramid, self.hidden]
        for key, right, wanted in (
            ("widths", all(1 <= width <= _WIDEST for width in widths), f"1 to {_WIDEST}"),
            ("anchors", min(self.anchors) >= 1, "sizes of at least 1"),
            ("ratios", bool(self.ratios) and min(self.ratios) > 0, "numbers above 0"),
            ("depth", self.depth > 0, "a number above 0"),
            ("flat", 0 <= self.flat <= len(self.features), f"0 to {len(self.features)}"),
            ("kinds", len(self.kinds) <= _MOST_KINDS, f"at most {_MOST_KINDS} names"),
            ("score", 0 <= self.score < 1, "0 or more, and less than 1"),
            ("overlap", 0 < self.overlap <= 1, "above 0, and at most 1"),
            ("most", self.most >= 1, "at least 1"),
        ):
            if not right:
                value = widths if key == "widths" else getattr(self, key)
                raise InputError(f"{key} is {value!r}, expected {wanted}.")
        if len(set(self.kinds)) < len(self.kinds) or "" in self.kinds:
            raise InputError(f"kinds is {list(self.kinds)}, expected different names.")
