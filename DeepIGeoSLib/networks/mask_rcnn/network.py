"""Mask R-CNN: proposals, then the class, the box and the mask of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from DeepIGeoSLib.networks.encoder import Encoder, build_encoder
from DeepIGeoSLib.networks.mask_rcnn.anchors import anchor_shapes, anchors_of_level
from DeepIGeoSLib.networks.mask_rcnn.backbone import (
    Backbone,
    EncodedBackbone,
    Pyramid,
    ResidualBackbone,
)
from DeepIGeoSLib.networks.mask_rcnn.boxes import (
    inside,
    moved,
    sizes_of,
    without_overlap,
)
from DeepIGeoSLib.networks.mask_rcnn.design import MaskRcnnDesign
from DeepIGeoSLib.networks.mask_rcnn.heads import BoxHead, MaskHead, PictureHead, ProposalHead
from DeepIGeoSLib.networks.mask_rcnn.objects import FoundObjects
from DeepIGeoSLib.networks.mask_rcnn.pooling import roi_align, roi_pool
from DeepIGeoSLib.networks.network import SegmentationNetwork

# Cells along each axis of what the heads of classes and of masks see of a box, by dimension.
BOX_CELLS, MASK_CELLS = {2: 7, 3: 5}, {2: 14, 3: 8}

# Offsets of the second stage are small: they are learned in tenths and fifths.
OFFSET_SCALES = (0.1, 0.2)

# Proposals of a level that are looked at before overlapping ones go: in use, and in training, where
# the crops are small and each proposal costs time. Then the overlap (IoU) that is too much.
_CANDIDATES, _CANDIDATES_IN_TRAINING, _PROPOSALS_OVERLAP = 1000, 200, 0.7

# Voxels along the shortest side of the smallest proposal.
_SMALLEST = 1.0

_POOLS = {"align": roi_align, "pool": roi_pool}


class MaskRcnn(SegmentationNetwork):
    """Mask R-CNN with a feature pyramid.

    ``detect`` finds objects. ``forward`` tells the class of each voxel, as every network does that
    can be a P-Net or R-Net: a head of its own on the finest level, learned beside the others.

    Attributes:
        options: what it is made of.
        levels: strides of the levels that objects are looked for on, finest first.
    """

    bytes_per_voxel = 420
    late_layers = ("picture", "proposals", "boxes", "masks")

    def __init__(
        self, in_channels: int, classes: int, dimension: int, *, options: MaskRcnnDesign
    ) -> None:
        super().__init__()
        self.dimension, self.classes, self.options = dimension, classes, options
        self.backbone = self._built_backbone(in_channels)
        self.levels = self.backbone.strides[1:]
        self.multiple_of = self.backbone.strides[-1]
        self.reach = self.backbone.reach
        kinds = max(1, len(options.kinds))
        width = options.pyramid
        self.pyramid = Pyramid(dimension, self.backbone.widths, width)
        self.picture = PictureHead(
            dimension, width, self.backbone.widths[0], width=width // 2 or 1, classes=classes
        )
        self.proposals = ProposalHead(dimension, width, len(options.ratios))
        self.boxes = BoxHead(
            width * BOX_CELLS[dimension] ** dimension, options.hidden, kinds, dimension=dimension
        )
        self.masks = None
        if options.masks:
            self.masks = MaskHead(dimension, width, kinds + (options.mask_classes == "softmax"))

    def _built_backbone(self, in_channels: int) -> Backbone:
        options = self.options
        if options.backbone == "residual":
            return ResidualBackbone(
                in_channels, self.dimension, options.features, flat=options.flat
            )
        # What learns first when the encoder knows something: all that is new.
        self.late_layers = ("pyramid", *self.late_layers)
        encoder = build_encoder(options.backbone, in_channels, features=options.features)
        return EncodedBackbone(encoder, self.dimension)

    @property
    def known_encoder(self) -> Encoder | None:
        return self.backbone.encoder if isinstance(self.backbone, EncodedBackbone) else None

    def early_stages(self) -> list[list[nn.Module]]:
        encoder = self.known_encoder
        return super().early_stages() if encoder is None else encoder.stages()

    def features(self, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the backbone's first scale and the levels of the pyramid, finest first."""
        scales = self.backbone(x)
        return scales[0], self.pyramid(scales)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, levels = self.features(x)
        return self.picture(levels[0], first, x.shape[2:])

    def anchors(self, levels: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the anchors of each level, see ``anchors_of_level``."""
        options = self.options
        return [
            anchors_of_level(
                anchor_shapes(size, options.ratios, self.dimension, depth=options.depth).to(
                    level.device
                ),
                level.shape[2:],
                strides,
            )
            for size, level, strides in zip(options.anchors, levels, self.levels, strict=True)
        ]

    def proposed(
        self,
        anchors: Sequence[torch.Tensor],
        objects: Sequence[torch.Tensor],
        offsets: Sequence[torch.Tensor],
        *,
        shape: Sequence[int],
    ) -> torch.Tensor:
        """Return the boxes of one image to look at more closely: (N, 2 D), the best first.

        Args:
            anchors: of each level.
            objects: logits (anchors,) of each level.
            offsets: (anchors, 2 D) of each level.
            shape: voxels of the image.
        """
        boxes, scores = [], []
        candidates = _CANDIDATES_IN_TRAINING if self.training else _CANDIDATES
        for own, logits, by in zip(anchors, objects, offsets, strict=True):
            best = logits.topk(min(candidates, len(logits)))
            found = inside(moved(own[best.indices], by[best.indices]), shape)
            whole = (sizes_of(found) >= _SMALLEST).all(dim=1)
            found, score = found[whole], best.values[whole]
            kept = without_overlap(found, score, _PROPOSALS_OVERLAP)
            boxes.append(found[kept])
            scores.append(score[kept])
        order = torch.cat(scores).argsort(descending=True, stable=True)[: self.options.most]
        return torch.cat(boxes)[order]

    def pooled(
        self, levels: Sequence[torch.Tensor], boxes: torch.Tensor, cells: int
    ) -> torch.Tensor:
        """Return features of boxes (N, 2 D) of one image: (N, C, cells, ...).

        Each box is read from the level whose anchors are nearest to its size.
        """
        size = (cells,) * self.dimension
        wanted = sizes_of(boxes)[:, -2:].clamp(min=1e-3).log2().mean(dim=1)
        of_levels = wanted.new_tensor([math.log2(anchor) for anchor in self.options.anchors])
        level_of = (wanted[:, None] - of_levels).abs().argmin(dim=1)
        pool = _POOLS[self.options.pooling]
        found = levels[0].new_zeros(len(boxes), levels[0].shape[0], *size)
        for number, (level, strides) in enumerate(zip(levels, self.levels, strict=True)):
            own = (level_of == number).nonzero()[:, 0]
            if len(own):
                found = found.index_copy(0, own, pool(level, boxes[own], size, strides=strides))
        return found

    def detect(self, x: torch.Tensor, least_score: float | None = None) -> list[FoundObjects]:
        """Return the objects of each image.

        Args:
            x: (B, C, [D,] H, W), sizes multiples of ``multiple_of``; larger than the image where
                it was padded.
            least_score: of an object; the option's when None.
        """
        least = self.options.score if least_score is None else least_score
        shape = x.shape[2:]
        _, levels = self.features(x)
        anchors = self.anchors(levels)
        answers = [self.proposals(level) for level in levels]
        found = []
        for image in range(len(x)):
            proposals = self.proposed(
                anchors,
                [a[0][image] for a in answers],
                [a[1][image] for a in answers],
                shape=shape,
            )
            own = [level[image] for level in levels]
            found.append(self._drawn(own, *self._classified(own, proposals, shape, least)))
        return found

    def _classified(
        self,
        levels: Sequence[torch.Tensor],
        proposals: torch.Tensor,
        shape: Sequence[int],
        least: float,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return boxes, scores and kinds of the objects among the proposals, the surest first."""
        logits, offsets = self.boxes(self.pooled(levels, proposals, BOX_CELLS[self.dimension]))
        scores = logits.softmax(dim=1)[:, 1:]
        boxes, kept_scores, kinds = [], [], []
        for kind in range(scores.shape[1]):
            sure = scores[:, kind] >= least
            placed = moved(proposals[sure], scaled(offsets[sure, kind]))
            placed, score = inside(placed, shape), scores[sure, kind]
            whole = (sizes_of(placed) >= _SMALLEST).all(dim=1)
            placed, score = placed[whole], score[whole]
            kept = without_overlap(placed, score, self.options.overlap)
            boxes.append(placed[kept])
            kept_scores.append(score[kept])
            kinds.append(torch.full_like(kept, kind))
        every = torch.cat(kept_scores)
        order = every.argsort(descending=True, stable=True)[: self.options.most]
        return torch.cat(boxes)[order], every[order], torch.cat(kinds)[order]

    def _drawn(
        self,
        levels: Sequence[torch.Tensor],
        boxes: torch.Tensor,
        scores: torch.Tensor,
        kinds: torch.Tensor,
    ) -> FoundObjects:
        size = (2 * MASK_CELLS[self.dimension],) * self.dimension
        if self.masks is None or not len(boxes):
            return FoundObjects(boxes, scores, kinds, boxes.new_ones(len(boxes), *size))
        logits = self.masks(self.pooled(levels, boxes, MASK_CELLS[self.dimension]))
        which = torch.arange(len(boxes), device=boxes.device)
        if self.options.mask_classes == "softmax":
            masks = logits.softmax(dim=1)[which, 1 + kinds]
        else:
            masks = logits[which, kinds].sigmoid()
        return FoundObjects(boxes, scores, kinds, masks)


def scaled(offsets: torch.Tensor) -> torch.Tensor:
    """Return the offsets (N, 2 D) that answers of the box head mean."""
    shifts, factors = offsets.chunk(2, dim=1)
    return torch.cat([shifts * OFFSET_SCALES[0], factors * OFFSET_SCALES[1]], dim=1)


def unscaled(offsets: torch.Tensor) -> torch.Tensor:
    """Return what the box head is to answer for offsets (N, 2 D), the inverse of ``scaled``."""
    shifts, factors = offsets.chunk(2, dim=1)
    return torch.cat([shifts / OFFSET_SCALES[0], factors / OFFSET_SCALES[1]], dim=1)
