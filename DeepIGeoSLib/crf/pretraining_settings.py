"""How the free-form pairwise function is pretrained."""

from __future__ import annotations

from dataclasses import dataclass

from DeepIGeoSLib.errors import InputError


@dataclass(frozen=True)
class PretrainingSettings:
    """Synthetic pairs that the free-form pairwise function is pretrained on.

    Attributes:
        pairs: how many, drawn once.
        passes: over all pairs.
        deviation: of half of the intensity differences, in normalized units; the other half is as
            wide as sigma.
        distances: mm; smallest and largest distance.
        learning_rate: at the start; it falls to zero along a cosine.
        seed: of pairs and weights.
    """

    pairs: int = 100_000
    passes: int = 60
    deviation: float = 2.0
    distances: tuple[float, float] = (0.5, 12.0)
    learning_rate: float = 3e-3
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse values that make no pairs.

        Raises:
            InputError: one is out of range.
        """
        low, high = self.distances
        if not 0 < low < high:
            raise InputError(
                f"distances is {[low, high]}, expected a smaller and a larger number above 0."
            )
        for name in ("pairs", "passes", "deviation", "learning_rate"):
            if getattr(self, name) <= 0:
                raise InputError(f"{name} is {getattr(self, name)}, expected a number above 0.")
