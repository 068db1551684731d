"""What the network for any structure sees of an image, a mask and strokes.

Nothing here knows millimeters or absolute intensities: lengths are in pixels of the working grid,
and intensities are measured against those under the strokes and around them. So a nucleus in a
microscope's stack and a liver in CT look alike to the network.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from DeepIGeoSLib.any_structure.strokes import Strokes
from DeepIGeoSLib.any_structure.votes import Votes
from DeepIGeoSLib.geodesic import geodesic_distances

CHANNELS = (
    "image",
    "difference from the strokes",
    "mask",
    "distance from background",
    "distance from foreground",
    "newest strokes",
    "regions from the newest strokes",
)

# Pixels at which distances end, and intensity differences as pixels (2 is the local contrast).
_FAR, _PIXELS_A_UNIT = 32.0, 16.0
# Pixels in which the mark of the newest strokes fades, and up to which it is computed.
_FADES, _FADED = 10.0, 40.0
# Pixels around the newest strokes whose contrast counts as local, and limits of intensities.
_AROUND, _LIMIT = 14, 3.0


def input_channels(
    image: np.ndarray,
    mask: np.ndarray,
    strokes: Strokes,
    *,
    spacing: Sequence[float],
    votes: Votes,
) -> np.ndarray:
    """Return the network's input in the order of ``CHANNELS``.

    Args:
        image: float32 intensities as they are, axes (k, j, i).
        mask: float32 probability of the target before the round, strokes imposed.
        strokes: on the same grid.
        spacing: of the voxels, in pixels of the working grid.
        votes: of the regions that grow from the newest strokes, on the same grid.

    Returns:
        float32, axes (channel, k, j, i).
    """
    overall, difference = _intensities(image, mask, strokes)
    far_background, far_foreground = _distances(
        difference * np.float32(_PIXELS_A_UNIT),
        strokes.background,
        strokes.foreground,
        spacing,
        0.5,
        _FAR,
    )
    new_background, new_foreground = _distances(
        difference, strokes.new_background, strokes.new_foreground, spacing, 0.0, _FADED
    )
    newest = np.exp(-new_foreground / np.float32(_FADES))
    newest -= np.exp(-new_background / np.float32(_FADES))
    far = np.float32(_FAR)
    distances = [far_background / far, far_foreground / far]
    channels = [overall, difference, mask, *distances, newest, votes.channel(image.shape)]
    return np.stack(channels).astype(np.float32, copy=False)


def _intensities(
    image: np.ndarray, mask: np.ndarray, strokes: Strokes
) -> tuple[np.ndarray, np.ndarray]:
    """Return intensities on the scale of the whole grid, and as differences from the strokes."""
    low, high = _range(image, 2)
    overall = (image - np.float32((low + high) / 2)) / np.float32((high - low) / 2)
    inside = _inside(mask, strokes)
    middle = float(np.median(image[inside])) if inside.any() else (low + high) / 2
    local = image[_around(strokes)]
    below, above = _range(local, 5)
    # A stroke in a flat place must not turn the noise there into contrast.
    half = max((above - below) / 2, 0.08 * (high - low))
    difference = (image - np.float32(middle)) / np.float32(half)
    return np.clip(overall, -_LIMIT, _LIMIT), np.clip(difference, -_LIMIT, _LIMIT)


def _inside(mask: np.ndarray, strokes: Strokes) -> np.ndarray:
    """Return voxels that tell the target's intensity: where its newest evidence is."""
    for voxels in (strokes.new_foreground, strokes.foreground, mask >= 0.5):
        if voxels.any():
            return voxels
    return strokes.background


def _around(strokes: Strokes) -> tuple[slice, ...]:
    """Return the box around the newest strokes (all strokes when none is new) with a margin."""
    marked = strokes.new if strokes.new.any() else strokes.foreground | strokes.background
    places = np.nonzero(marked)
    if places[0].size == 0:
        return tuple(slice(None) for _ in marked.shape)
    return tuple(
        slice(max(0, int(place.min()) - _AROUND), int(place.max()) + _AROUND + 1)
        for place in places
    )


def _range(values: np.ndarray, percent: float) -> tuple[float, float]:
    """Return low and high percentiles, apart from each other also where all values are equal."""
    step = max(1, values.size // 20_000)
    low, high = np.percentile(values.ravel()[::step], [percent, 100 - percent])
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        low, high = float(values.min()), float(values.max())
    if high - low <= 1e-6 * max(abs(low), abs(high), 1e-30):
        return float(low) - 1, float(high) + 1
    return float(low), float(high)


def _distances(
    image: np.ndarray,
    background: np.ndarray,
    foreground: np.ndarray,
    spacing: Sequence[float],
    weight: float,
    limit: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return distances from both kinds of strokes, ``limit`` where a kind has none."""
    seeds = {"background": background, "foreground": foreground}
    given = {name: mask for name, mask in seeds.items() if mask.any()}
    found = {}
    if given:
        found = geodesic_distances(image, given, spacing, weight=weight, max_distance=limit)
    none = np.full(image.shape, limit, dtype=np.float32)
    return found.get("background", none), found.get("foreground", none)
