"""How a CRF-Net is built; bundles and training configurations hold these settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from DeepIGeoSLib.errors import InputError

PairwiseKind = Literal["freeform", "contrast", "bilateral"]


@dataclass(frozen=True)
class CrfSettings:
    """A conditional random field that is solved by mean-field iterations.

    Attributes:
        enabled: whether it is applied unless the caller says otherwise.
        pairwise: the pairwise function: "freeform" (a small network, CRF-Net(f)), or the functions
            of CRF-Net(g): "contrast" (omega / distance * exp(-difference^2 / (2 sigma^2))) or
            "bilateral" (two Gaussians).
        window: voxels (k, j, i) of the neighborhood, odd; 1 along k keeps slices apart, as a 2D
            network sees them.
        hidden: widths of the hidden layers of the free-form function.
        iterations: mean-field iterations in use.
        training_iterations: mean-field iterations in training.
        strength: factor of all pairwise potentials; 0 leaves the network's answer as it is.
        sigma: of "contrast", in normalized intensity units; also what the free-form function is
            pretrained on.
        omega: of "contrast", in mm; also what the free-form function is pretrained on.
        appearance: weight of the "bilateral" Gaussian of intensity and distance.
        smoothness: weight of the "bilateral" Gaussian of distance alone.
        appearance_distance: mm.
        appearance_intensity: normalized intensity units.
        smoothness_distance: mm.
    """

    enabled: bool = True
    pairwise: PairwiseKind = "freeform"
    window: tuple[int, int, int] = (3, 5, 5)
    hidden: tuple[int, ...] = (32, 16)
    iterations: int = 10
    training_iterations: int = 5
    strength: float = 1.0
    sigma: float = 0.08
    omega: float = 0.5
    appearance: float = 5.0
    smoothness: float = 3.0
    appearance_distance: float = 15.0
    appearance_intensity: float = 0.05
    smoothness_distance: float = 6.0

    def __post_init__(self) -> None:
        """Refuse values that make no CRF.

        Raises:
            InputError: one is out of range.
        """
        check_window(self.window)
        for name in ("iterations", "training_iterations"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}, expected at least 1.")
        if min(self.hidden, default=1) < 1:
            raise InputError(f"hidden is {list(self.hidden)}, expected widths of at least 1.")
        for name in ("strength", "omega", "appearance", "smoothness"):
            if not 0 <= getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}, expected 0 or more.")
        for name in (
            "sigma",
            "appearance_distance",
            "appearance_intensity",
            "smoothness_distance",
        ):
            if not 0 < getattr(self, name) < math.inf:
                raise InputError(f"{name} is {getattr(self, name)}, expected a number above 0.")


def check_window(window: tuple[int, ...]) -> None:
    """Refuse a window without a middle or without neighbors.

    Raises:
        InputError: a size is even or below 1, or all are 1.
    """
    if any(size < 1 or size % 2 == 0 for size in window) or max(window) == 1:
        raise InputError(
            f"window is {list(window)}, expected odd numbers of voxels, one of them above 1."
        )
