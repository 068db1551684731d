"""The options of Mask R-CNN in the registry; nothing here imports torch before it is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from DeepIGeoSLib.networks.mask_rcnn.design import MaskRcnnDesign

if TYPE_CHECKING:
    from DeepIGeoSLib.networks.network import SegmentationNetwork


@dataclass(frozen=True)
class MaskRcnnOptions(MaskRcnnDesign):
    """Mask R-CNN; see ``MaskRcnnDesign`` for its attributes."""

    since: ClassVar[str] = "0.2.0"
    summary: ClassVar[str] = "Mask R-CNN: objects that touch, each for itself"

    def build(self, dimension: int, in_channels: int, classes: int) -> SegmentationNetwork:
        """Return an untrained network."""
        from DeepIGeoSLib.networks.mask_rcnn.network import MaskRcnn

        return MaskRcnn(in_channels, classes, dimension, options=self)
