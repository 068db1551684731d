"""Which anchors and proposals are to learn which object."""

from __future__ import annotations

import torch

from DeepIGeoSLib.networks.mask_rcnn.boxes import overlaps

# Overlap (IoU) from which on an anchor holds an object, and below which it holds none.
_ANCHOR_WITH, _ANCHOR_WITHOUT = 0.6, 0.3

# Overlap from which on a proposal holds an object.
_PROPOSAL_WITH = 0.5


def match_anchors(
    anchors: torch.Tensor, objects: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what anchors (N, 2 D) are to learn of objects (M, 2 D).

    The best anchor of each object counts, however little it overlaps.

    Returns:
        The number of each anchor's object (N,), and 1 where it holds it, 0 where it holds none,
        -1 where it is in between and learns nothing (N,).
    """
    if not len(objects):
        none = anchors.new_zeros(len(anchors), dtype=torch.long)
        return none, none.clone()
    shared = overlaps(anchors, objects)
    best, of_object = shared.max(dim=1)
    state = torch.full_like(of_object, -1)
    state[best < _ANCHOR_WITHOUT] = 0
    state[best >= _ANCHOR_WITH] = 1
    nearest = shared.max(dim=0).values
    anchor, held = ((shared >= nearest - 1e-6) & (shared > 0)).nonzero(as_tuple=True)
    state[anchor], of_object[anchor] = 1, held
    return of_object, state


def match_proposals(
    proposals: torch.Tensor, objects: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the number of each proposal's object, and whether it holds it: (N,) and bool (N,)."""
    if not len(objects):
        none = proposals.new_zeros(len(proposals), dtype=torch.long)
        return none, none.bool()
    best, of_object = overlaps(proposals, objects).max(dim=1)
    return of_object, best >= _PROPOSAL_WITH


def drawn_evenly(
    positive: torch.Tensor, negative: torch.Tensor, *, count: int, share: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw at most ``count`` examples at random, at most ``share`` of them positive.

    Args:
        positive: bool (N,).
        negative: bool (N,).
        count: of all examples.
        share: of the positive ones.

    Returns:
        Indices of positive and of negative examples.
    """
    drawn = []
    room = int(count * share)
    for candidates in (positive, negative):
        indices = candidates.nonzero()[:, 0]
        order = torch.randperm(len(indices), device=indices.device)[:room]
        drawn.append(indices[order])
        room = count - len(drawn[0])
    return drawn[0], drawn[1]
