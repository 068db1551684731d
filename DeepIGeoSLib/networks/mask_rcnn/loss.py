"""What Mask R-CNN learns from: five losses, added up (He et al., equation 1, and two stages)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from DeepIGeoSLib.networks.mask_rcnn.boxes import offsets
from DeepIGeoSLib.networks.mask_rcnn.design import MaskRcnnDesign
from DeepIGeoSLib.networks.mask_rcnn.matching import drawn_evenly, match_anchors, match_proposals
from DeepIGeoSLib.networks.mask_rcnn.network import (
    BOX_CELLS,
    MASK_CELLS,
    MaskRcnn,
    unscaled,
)
from DeepIGeoSLib.networks.mask_rcnn.objects import TrueObjects

# Examples of each image: anchors, and proposals; a share of them holds objects at most.
_ANCHORS, _ANCHORS_POSITIVE = 256, 0.5
_PROPOSALS, _PROPOSALS_POSITIVE = 64, 0.375

# Where the loss of an offset turns from a square into a straight line.
_BEND = 1 / 9


def losses(
    network: MaskRcnn, x: torch.Tensor, objects: Sequence[TrueObjects]
) -> dict[str, torch.Tensor]:
    """Return the losses of a batch by name.

    They are "anchor" and "anchor box" (first stage), "kind", "box" and "mask" (second stage; the
    mask is missing in a network without), and "picture" (the class of each voxel).

    Args:
        network: in training.
        x: (B, C, [D,] H, W).
        objects: of each image.
    """
    first, levels = network.features(x)
    anchors = network.anchors(levels)
    answers = [network.proposals(level) for level in levels]
    parts: dict[str, list[torch.Tensor]] = {}
    for image, truth in enumerate(objects):
        logits = [answer[0][image] for answer in answers]
        by = [answer[1][image] for answer in answers]
        own = [level[image] for level in levels]
        found = _of_anchors(torch.cat(anchors), torch.cat(logits), torch.cat(by), truth)
        with torch.no_grad():
            proposals = network.proposed(anchors, logits, by, shape=x.shape[2:])
            proposals = torch.cat([proposals, truth.boxes])
        found |= _of_proposals(network, own, proposals, truth)
        for name, value in found.items():
            parts.setdefault(name, []).append(value)
    picture = network.picture(levels[0], first, x.shape[2:])
    means = {name: torch.stack(values).mean() for name, values in parts.items()}
    return {**means, "picture": _of_picture(picture, objects)}


def _of_anchors(
    anchors: torch.Tensor, logits: torch.Tensor, by: torch.Tensor, truth: TrueObjects
) -> dict[str, torch.Tensor]:
    """Return the losses of the first stage in one image."""
    of_object, state = match_anchors(anchors, truth.boxes)
    positive, negative = drawn_evenly(
        state == 1, state == 0, count=_ANCHORS, share=_ANCHORS_POSITIVE
    )
    drawn = torch.cat([positive, negative])
    held = torch.cat([torch.ones_like(logits[positive]), torch.zeros_like(logits[negative])])
    wanted = offsets(truth.boxes[of_object[positive]], anchors[positive])
    box = functional.smooth_l1_loss(by[positive], wanted, beta=_BEND, reduction="sum")
    return {
        "anchor": functional.binary_cross_entropy_with_logits(logits[drawn], held),
        "anchor box": box / max(1, len(drawn)),
    }


def _of_proposals(
    network: MaskRcnn, levels: list[torch.Tensor], proposals: torch.Tensor, truth: TrueObjects
) -> dict[str, torch.Tensor]:
    """Return the losses of the second stage in one image."""
    of_object, held = match_proposals(proposals, truth.boxes)
    positive, negative = drawn_evenly(held, ~held, count=_PROPOSALS, share=_PROPOSALS_POSITIVE)
    drawn = torch.cat([positive, negative])
    logits, by = network.boxes(
        network.pooled(levels, proposals[drawn], BOX_CELLS[network.dimension])
    )
    own = of_object[positive]
    kinds = truth.kinds[own]
    wanted = torch.cat([1 + kinds, torch.zeros_like(negative)])
    which = torch.arange(len(positive), device=positive.device)
    right = unscaled(offsets(truth.boxes[own], proposals[positive]))
    box = functional.smooth_l1_loss(by[which, kinds], right, reduction="sum")
    found = {
        "kind": functional.cross_entropy(logits, wanted) if len(drawn) else logits.sum(),
        "box": box / max(1, len(drawn)),
    }
    if network.masks is not None:
        pooled = network.pooled(levels, proposals[positive], MASK_CELLS[network.dimension])
        found["mask"] = _of_masks(
            network.masks(pooled), network.options, proposals[positive], truth, own
        )
    return found


def _of_masks(
    logits: torch.Tensor,
    options: MaskRcnnDesign,
    boxes: torch.Tensor,
    truth: TrueObjects,
    own: torch.Tensor,
) -> torch.Tensor:
    """Return the loss of the masks in boxes that hold the objects ``own``."""
    if not len(boxes):
        return logits.sum()
    kinds = truth.kinds[own]
    each = (-1, *(1,) * truth.labels.ndim)
    wanted = cells_of(truth.labels, boxes, logits.shape[2:]) == truth.numbers[own].view(each)
    if options.mask_classes == "softmax":
        return functional.cross_entropy(logits, wanted * (1 + kinds).view(each))
    drawn = logits[torch.arange(len(boxes), device=boxes.device), kinds]
    return functional.binary_cross_entropy_with_logits(drawn, wanted.float())


def cells_of(labels: torch.Tensor, boxes: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Return the label in the middle of each cell of boxes (N, 2 D): (N, *size)."""
    starts, stops = boxes.chunk(2, dim=1)
    places = []
    for axis, (cells, limit) in enumerate(zip(size, labels.shape, strict=True)):
        share = (torch.arange(cells, device=boxes.device) + 0.5) / cells
        place = starts[:, axis, None] + share * (stops - starts)[:, axis, None]
        shape = [1] * len(size)
        shape[axis] = cells
        places.append(place.long().clamp(0, limit - 1).view(len(boxes), *shape))
    return labels[tuple(places)]


def _of_picture(logits: torch.Tensor, objects: Sequence[TrueObjects]) -> torch.Tensor:
    """Return the cross-entropy and the Dice loss of the class of each voxel."""
    wanted = torch.stack([_classes_of(truth, logits.shape[1]) for truth in objects])
    entropy = functional.cross_entropy(logits.float(), wanted)
    probability = logits.float().softmax(dim=1)[:, 1:].flatten(1)
    truth = functional.one_hot(wanted, logits.shape[1]).movedim(-1, 1)[:, 1:].flatten(1).float()
    shared = 2 * (probability * truth).sum() + 1
    return entropy + 1 - shared / (probability.sum() + truth.sum() + 1)


def _classes_of(truth: TrueObjects, classes: int) -> torch.Tensor:
    """Return the class of each voxel; a network of two classes knows object and background."""
    numbers = int(truth.labels.max()) + 1
    table = torch.zeros(max(1, numbers), dtype=torch.long, device=truth.labels.device)
    table[truth.numbers] = (1 + truth.kinds).clamp(max=classes - 1)
    return table[truth.labels]
