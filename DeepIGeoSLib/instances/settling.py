"""Which voxel belongs to which object, where several claim it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from DeepIGeoSLib.grid.boxes import Box, absolute_box, bounding_box
from DeepIGeoSLib.instances.result import Instance, Instances

# An object of which surer ones hold more than this share is one of them, found twice.
_FOUND_TWICE = 0.5


@dataclass(frozen=True)
class Claim:
    """An object before it is settled with the others.

    Attributes:
        kind: name of its class.
        score: how sure it is.
        box: slices (k, j, i).
        values: float32, the box's shape: probability that a voxel belongs to it.
    """

    kind: str
    score: float
    box: Box
    values: np.ndarray


def settled(claims: Sequence[Claim], shape: tuple[int, int, int]) -> Instances:
    """Return objects that share no voxel: each voxel goes to the object that claims it most.

    Args:
        claims: the surest first.
        shape: of the volume.
    """
    kept = _found_once(claims, shape)
    owner = np.zeros(shape, dtype=np.int32)
    highest = np.full(shape, np.float32(0.5))
    for number, claim in enumerate(kept, start=1):
        best = highest[claim.box]
        more = (claim.values > best) | ((claim.values >= 0.5) & (owner[claim.box] == 0))
        owner[claim.box][more] = number
        best[more] = claim.values[more]
    found = []
    for number, claim in enumerate(kept, start=1):
        own = owner[claim.box] == number
        box = bounding_box(own)
        if box is not None:
            place = absolute_box(claim.box, box)
            found.append(Instance(claim.kind, claim.score, place, own[box].copy()))
    return Instances(shape, tuple(found))


def _found_once(claims: Sequence[Claim], shape: tuple[int, int, int]) -> list[Claim]:
    """Leave out claims without a voxel, and those that are mostly surer objects."""
    taken = np.zeros(shape, dtype=bool)
    kept = []
    for claim in claims:
        own = claim.values >= 0.5
        voxels = np.count_nonzero(own)
        others = taken[claim.box]
        if not voxels or np.count_nonzero(own & others) > _FOUND_TWICE * voxels:
            continue
        others |= own
        kept.append(claim)
    return kept
