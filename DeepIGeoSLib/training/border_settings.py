"""What a configuration says about the borders between objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True)
class BorderSettings:
    """Weights of the cross-entropy that make a network learn the gaps between objects.

    Attributes:
        weight: w0, the weight of a voxel between two objects that touch.
        sigma: how wide a gap may be to count: its weight falls as a bell curve of this width.
        unit: whether sigma is in working voxels, as published, or in mm.
        objects: "parts" where the connected parts of the target are the objects; "numbers" where
            each object has a label of its own: a gap is then cut where two of them touch, so that
            the network learns it.
        balance: weigh the classes so that each counts as much as the others in a crop.
    """

    weight: float = 10.0
    sigma: float = 5.0
    unit: Literal["voxels", "mm"] = "voxels"
    objects: Literal["parts", "numbers"] = "parts"
    balance: bool = True

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.weight < 0 or self.sigma <= 0:
            raise InputError(
                f"weight is {self.weight:g} and sigma {self.sigma:g}; 0 or more and a number above "
                "0 are expected."
            )
