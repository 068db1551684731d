"""What a network sees of scribbles: a distance map of each class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from DeepIGeoSLib.errors import InputError
from DeepIGeoSLib.geodesic import geodesic_distances


@dataclass(frozen=True)
class InteractionSettings:
    """How scribbles become distance maps; training and use must agree, so bundles store it.

    Attributes:
        weight: of intensity differences against millimeters in the path cost; 1 is the paper's
            purely geodesic map, 0 the length of the shortest path.
        intensity_scale: millimeters that a difference of one normalized intensity unit counts as.
        max_distance: maps are cut at this value and divided by it.
        missing: the map of a class without scribbles: 1 everywhere ("far"), or random numbers as
            in the paper ("random").
        initial: what R-Net sees as the initial segmentation after the first round: the round
            before ("previous"), or always P-Net's output as in the paper ("pnet").
        changes: which changes a round may make: those that its strokes ask for ("asked"), that is,
            foreground strokes only add and background strokes only remove; of these only what
            hangs together with a stroke ("connected"); or any, as in the paper ("any").
        boldness: how far R-Net's answer is shifted to the class of the newest strokes, in log-odds
            under them; 0 takes it as it is (and "any" always does). In use only, not in training.
        boldness_reach: mm of geodesic distance from them at which a third of the shift is left.
    """

    weight: float = 0.5
    intensity_scale: float = 6.0
    max_distance: float = 32.0
    missing: Literal["far", "random"] = "far"
    initial: Literal["previous", "pnet"] = "previous"
    changes: Literal["asked", "connected", "any"] = "asked"
    boldness: float = 0.0
    boldness_reach: float = 10.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.weight <= 1:
            raise InputError(f"weight is {self.weight:g}, expected a share from 0 to 1.")
        if self.boldness < 0:
            raise InputError(f"boldness is {self.boldness:g}, expected at least 0.")
        for name in ("intensity_scale", "max_distance", "boldness_reach"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name):g}, expected a number above 0.")


def distance_maps(
    image: np.ndarray,
    foreground: np.ndarray,
    background: np.ndarray,
    *,
    spacing: Sequence[float],
    settings: InteractionSettings,
) -> np.ndarray:
    """Return the network's two distance channels: background, then foreground.

    The order is the one of the author's code: distance maps in the order of their classes.

    Args:
        image: normalized float32, axes (channel, k, j, i).
        foreground: bool scribbles, axes (k, j, i).
        background: the same.
        spacing: mm along (k, j, i).
        settings: how.

    Returns:
        float32 in [0, 1], axes (2, k, j, i); 0 on scribbles, 1 at ``max_distance`` and beyond.
    """
    seeds = {"background": background, "foreground": foreground}
    given = {name: mask for name, mask in seeds.items() if mask.any()}
    distances = {}
    if given:
        distances = geodesic_distances(
            image * np.float32(settings.intensity_scale),
            given,
            spacing,
            weight=settings.weight,
            max_distance=settings.max_distance,
        )
    maps = np.empty((2, *foreground.shape), dtype=np.float32)
    for channel, name in zip(maps, seeds, strict=True):
        if name in distances:
            np.divide(distances[name], np.float32(settings.max_distance), out=channel)
        elif settings.missing == "random":
            # Seeded, so that the same scribbles always give the same answer.
            channel[...] = np.random.default_rng(0).random(channel.shape, dtype=np.float32)
        else:
            channel.fill(1)
    return maps


def network_input(image: np.ndarray, initial: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return R-Net's input: image channels, initial segmentation, background map, foreground map.

    Args:
        image: float32, axes (channel, k, j, i).
        initial: float32 probability of the foreground, axes (k, j, i).
        maps: from ``distance_maps``.
    """
    return np.concatenate([image, initial[np.newaxis], maps]).astype(np.float32, copy=False)
