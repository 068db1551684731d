"""What a training configuration says about objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class InstanceSettings:
    """How Mask R-CNN learns objects; only used for the task "instances".

    Attributes:
        objects: "numbers" where each object has a label of its own; "parts" where the connected
            parts of the target are the objects.
        kinds: for each data set the name of what its objects are, out of the kinds of
            network.options; the first kind where a data set is not named.
        least_voxels: objects with less in a crop are not learned there.
        invert: probability that bright and dark are exchanged.
        around: share of the crops that are drawn around an object, not anywhere.
    """

    objects: Literal["numbers", "parts"] = "numbers"
    kinds: dict[str, str] = field(default_factory=dict)
    least_voxels: int = 8
    invert: float = 0.0
    around: float = 0.7
